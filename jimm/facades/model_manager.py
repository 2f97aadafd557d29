"""``ModelManager`` 9 and 10: everybody's models, whichever controller has them."""

from typing import Final

from jimm.errors import ModelNotFound, NotFound
from jimm.facades import dressing
from jimm.facades.session import Session, SessionFacade, each
from jimm.fleet import clouds, creation, models
from jimm.fleet.creation import NewModel
from jimm.fleet.placing import Wanted
from jimm.registry.models import Visible
from jimm.wire import tags
from jimm.wire.facade import method
from jimm.wire.params import model_manager as params_
from jimm.wire.params.common import Entities, Entity, Error, ErrorResult, ErrorResults

VERSIONS: Final = (9, 10)


class ModelManager(SessionFacade):
    """Models, by their names and uuids alone."""

    name = "ModelManager"

    @method("CreateModel", versions=VERSIONS)
    async def create_model(self, params: params_.CreateModel) -> dict[str, object]:
        """Creates a model on a controller that JIMM chooses."""
        session = self.session
        owner = session.identity(params.owner_tag or _owner_tag(params.qualifier))
        new = NewModel(
            name=params.name,
            owner=owner,
            wanted=Wanted(
                cloud=tags.parse_cloud_tag(params.cloud_tag) if params.cloud_tag else "",
                region=params.region,
            ),
            credential=session.credential(params.credential) if params.credential else None,
            config=params.config,
        )
        created = await creation.create(session.fleet, session.caller, new)
        shown = await models.show(session.fleet, session.caller, created.model.uuid)
        return dressing.model_info(session, shown, answer=created.info)

    @method("ListModels", versions=VERSIONS)
    async def list_models(self, params: Entity) -> params_.UserModelList:
        """The models that a user may use, from the registry alone."""
        session = self.session
        session.require_self(params.tag)
        found = await models.visible(session.fleet, session.caller)
        return params_.UserModelList(user_models=[user_model(session, each) for each in found])

    @method("ListModelSummaries", versions=VERSIONS)
    async def list_summaries(
        self, params: params_.ListModelSummaries
    ) -> params_.ModelSummaryResults:
        """A line for each model. There is never an error row: one would break a whole client."""
        session = self.session
        session.require_self(params.user_tag)
        found = await models.visible(session.fleet, session.caller, everybody=params.all)
        away = await models.away(session.fleet)
        providers = await clouds.providers(session.fleet)
        return params_.ModelSummaryResults(
            results=[
                params_.ModelSummaryResult(
                    result=dressing.summary(
                        session,
                        each,
                        away=away.get(each.model.controller_name or "", ""),
                        provider=providers.get(each.model.cloud, ""),
                    )
                )
                for each in found
            ]
        )

    @method("ModelInfo", versions=VERSIONS)
    async def model_info(self, params: Entities) -> dict[str, object]:
        """All about some models, as their controllers tell it now."""
        session = self.session

        async def one(entity: Entity) -> dict[str, object]:
            uuid = tags.parse_model_tag(entity.tag)
            shown = await models.show(session.fleet, session.caller, uuid)
            return {"result": dressing.model_info(session, shown)}

        def refused(_: Entity, error: Error) -> dict[str, object]:
            return {"error": error}

        return {"results": await each(params.entities, one, refused)}

    @method("ModelStatus", versions=VERSIONS)
    async def model_status(self, params: Entities) -> params_.ModelStatusResults:
        """Life and counts."""
        return await status_rows(self.session, params)

    @method("DestroyModels", versions=VERSIONS)
    async def destroy_models(self, params: params_.DestroyModels) -> ErrorResults:
        """Begins to destroy models."""

        async def one(request: params_.DestroyModel) -> ErrorResult:
            await models.destroy(self.session.fleet, self.session.caller, request)
            return ErrorResult()

        def refused(_: params_.DestroyModel, error: Error) -> ErrorResult:
            return ErrorResult(error=error)

        return ErrorResults(results=await each(params.models, one, refused))

    @method("ModifyModelAccess", versions=VERSIONS)
    async def modify_access(self, params: params_.ModifyModelAccessRequest) -> ErrorResults:
        """Grants and revokes."""
        session = self.session

        async def one(change: params_.ModifyModelAccess) -> ErrorResult:
            await models.modify_access(
                session.fleet,
                session.caller,
                tags.parse_model_tag(change.model_tag),
                identity=session.identity(change.user_tag),
                action=change.action,
                access=change.access,
            )
            return ErrorResult()

        def refused(_: params_.ModifyModelAccess, error: Error) -> ErrorResult:
            return ErrorResult(error=error)

        return ErrorResults(results=await each(params.changes, one, refused))


async def status_rows(session: Session, params: Entities) -> params_.ModelStatusResults:
    """``ModelStatus`` of this facade and of ``Controller`` alike."""

    async def one(entity: Entity) -> params_.ModelStatus:
        uuid = tags.parse_model_tag(entity.tag)
        try:
            seen, told = await models.status(session.fleet, session.caller, uuid)
        except ModelNotFound as error:
            # Terraform ends its wait for a destroyed model at this code and at no other.
            raise NotFound(str(error)) from error
        return dressing.model_status(session, seen, told)

    def refused(entity: Entity, error: Error) -> params_.ModelStatus:
        return dressing.failed_status(entity.tag, error)

    return params_.ModelStatusResults(models=await each(params.entities, one, refused))


def user_model(session: Session, seen: Visible) -> params_.UserModel:
    """A row of ``ListModels``."""
    model = seen.model
    return params_.UserModel(
        model=params_.Model(
            name=model.name,
            uuid=model.uuid,
            type=model.type,
            owner_tag=session.user_tag(model.owner),
            qualifier=session.user_id(model.owner),
        ),
        last_connection=None,
    )


def _owner_tag(qualifier: str) -> str:
    return tags.user_tag(qualifier) if qualifier else ""
