"""``ModelManager`` 9, 10 and 11: everybody's models, whichever controller has them.

Version 9 tells ``default-series`` too, where the controller still knows it; in 11 an owner is a
``qualifier``. Every record has both ``owner-tag`` and ``qualifier``.
"""

from jimm.errors import JimmError, ModelNotFound, NotFound, NotSupported
from jimm.facades import dressing
from jimm.facades.listed import summaries, user_models
from jimm.facades.model_defaults import VERSIONS, ModelDefaults
from jimm.facades.session import Session, errors
from jimm.fleet import creation, infos, listings, model_credentials, models
from jimm.fleet.caller import Caller
from jimm.fleet.creation import NewModel
from jimm.fleet.placing import Wanted
from jimm.wire import tags
from jimm.wire.facade import method
from jimm.wire.params import model_manager as params_
from jimm.wire.params.common import Entities, Entity, Error, ErrorResults
from jimm.wire.tags import ModelUUID


class ModelManager(ModelDefaults):
    """Models, by their names and uuids alone."""

    name = "ModelManager"

    @method("CreateModel", versions=(10, 11))
    async def create_model(self, params: params_.CreateModel) -> dict[str, object]:
        """Creates a model on a controller that JIMM chooses, or that the request names."""
        session = self.session
        created = await creation.create(session.fleet, session.caller, self._new(params))
        shown = await infos.show(session.fleet, session.caller, created.model.uuid)
        return dressing.model_info(session, shown, answer=created.info)

    @method("CreateModel", versions=(9,))
    async def create_model_9(self, params: params_.CreateModel) -> dict[str, object]:
        """The same; the answer has the series, which the creation itself does not tell."""
        session = self.session
        created = await creation.create(session.fleet, session.caller, self._new(params))
        shown = await infos.show(session.fleet, session.caller, created.model.uuid, series=True)
        answer = created.info if shown.info is None else None
        return dressing.model_info(session, shown, answer=answer)

    @method("ListModels", versions=VERSIONS)
    async def list_models(self, params: Entity) -> params_.UserModelList:
        """The models that a user may use, from the registry alone."""
        session = self.session
        subject = _subject(session, params.tag)
        return user_models(session, await listings.every(session.fleet, subject))

    @method("ListModelSummaries", versions=VERSIONS)
    async def list_summaries(
        self, params: params_.ListModelSummaries
    ) -> params_.ModelSummaryResults:
        """A line for each model. There is never an error row: one would break a whole client."""
        session = self.session
        subject = _subject(session, params.user_tag)
        if params.all and session.caller.admin:
            subject = session.caller
        found = await listings.every(session.fleet, subject, everybody=params.all)
        return summaries(session, found, subject)

    @method("ModelInfo", versions=(10, 11))
    async def model_info(self, params: Entities) -> dict[str, object]:
        """All about some models, as their controllers tell it now."""
        return await self._infos(params, series=False)

    @method("ModelInfo", versions=(9,))
    async def model_info_9(self, params: Entities) -> dict[str, object]:
        """The same with ``default-series``."""
        return await self._infos(params, series=True)

    @method("ModelStatus", versions=VERSIONS)
    async def model_status(self, params: Entities) -> params_.ModelStatusResults:
        """Life and counts."""
        return await status_rows(self.session, params)

    @method("DestroyModels", versions=VERSIONS)
    async def destroy_models(self, params: params_.DestroyModels) -> ErrorResults:
        """Begins to destroy models."""

        async def one(request: params_.DestroyModel) -> None:
            await models.destroy(self.session.fleet, self.session.caller, request)

        return await errors(params.models, one)

    @method("ModifyModelAccess", versions=VERSIONS)
    async def modify_access(self, params: params_.ModifyModelAccessRequest) -> ErrorResults:
        """Grants and revokes."""
        session = self.session

        async def one(change: params_.ModifyModelAccess) -> None:
            await models.modify_access(
                session.fleet,
                session.caller,
                tags.parse_model_tag(change.model_tag),
                identity=session.identity(change.user_tag),
                action=change.action,
                access=change.access,
            )

        return await errors(params.changes, one)

    @method("ChangeModelCredential", versions=VERSIONS)
    async def change_credential(self, params: params_.ChangeModelCredentials) -> ErrorResults:
        """Gives models other credentials."""
        session = self.session

        async def one(change: params_.ChangeModelCredential) -> None:
            model = tags.parse_model_tag(change.model_tag)
            credential = session.credential(change.credential_tag)
            await model_credentials.change(session.fleet, session.caller, model, credential)

        return await errors(params.model_credentials, one)

    @method("ValidateModelUpgrades", versions=VERSIONS)
    async def validate_upgrades(self, params: params_.ValidateModelUpgrades) -> ErrorResults:
        """Not supported."""
        raise NotSupported(
            "JIMM does not look at many upgrades beforehand: use juju upgrade-model --dry-run"
        )

    @method("DumpModels", versions=VERSIONS)
    async def dump_models(self, params: params_.DumpModels) -> ErrorResults:
        """Not supported."""
        raise _no_dumps()

    @method("DumpModelsDB", versions=VERSIONS)
    async def dump_models_db(self, params: Entities) -> ErrorResults:
        """Not supported."""
        raise _no_dumps()

    def _new(self, params: params_.CreateModel) -> NewModel:
        session = self.session
        return NewModel(
            name=params.name,
            owner=session.identity(params.owner_tag or _owner_tag(params.qualifier)),
            wanted=Wanted(
                cloud=tags.parse_cloud_tag(params.cloud_tag) if params.cloud_tag else "",
                region=params.region,
                controller=params.target_controller,
            ),
            credential=session.credential(params.credential) if params.credential else None,
            config=params.config,
        )

    async def _infos(self, params: Entities, *, series: bool) -> dict[str, object]:
        session = self.session
        uuids = [_model(entity) for entity in params.entities]
        known = [uuid for uuid in uuids if not isinstance(uuid, JimmError)]
        found = iter(await infos.show_all(session.fleet, session.caller, known, series=series))
        rows: list[dict[str, object]] = []
        for uuid in uuids:
            outcome = uuid if isinstance(uuid, JimmError) else next(found)
            if isinstance(outcome, JimmError):
                rows.append({"error": Error.of(outcome)})
            else:
                rows.append({"result": dressing.model_info(session, outcome)})
        return {"results": rows}


async def status_rows(session: Session, params: Entities) -> params_.ModelStatusResults:
    """``ModelStatus`` of this facade and of ``Controller`` alike."""
    uuids = [_model(entity) for entity in params.entities]
    known = [uuid for uuid in uuids if not isinstance(uuid, JimmError)]
    found = iter(await models.status(session.fleet, session.caller, known))
    rows = []
    for entity, uuid in zip(params.entities, uuids, strict=True):
        outcome = uuid if isinstance(uuid, JimmError) else next(found)
        if isinstance(outcome, ModelNotFound):
            # Terraform ends its wait for a destroyed model at this code and at no other.
            outcome = NotFound(str(outcome))
        if isinstance(outcome, JimmError):
            rows.append(dressing.failed_status(entity.tag, Error.of(outcome)))
        else:
            rows.append(dressing.model_status(session, *outcome))
    return params_.ModelStatusResults(models=rows)


def _subject(session: Session, tag: str) -> Caller:
    """Through whose eyes models are listed: the caller's own, or for an administrator those of
    the user in the tag."""
    session.require_self(tag)
    identity = session.identity(tag)
    if identity == session.caller.identity:
        return session.caller
    return Caller(identity, admin=False, door=session.caller.door)


def _model(entity: Entity) -> ModelUUID | JimmError:
    try:
        return tags.parse_model_tag(entity.tag)
    except JimmError as error:
        return error


def _owner_tag(qualifier: str) -> str:
    return tags.user_tag(qualifier) if qualifier else ""


def _no_dumps() -> NotSupported:
    return NotSupported(
        "JIMM does not dump models: an administrator of the controller that has the model can, "
        "with juju dump-model there (jimmctl models names the controller)"
    )
