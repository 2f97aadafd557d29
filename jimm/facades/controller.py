"""``Controller`` 11 to 13: JIMM in a controller's place.

In 13 an owner is a ``qualifier``; every record has both ``owner-tag`` and ``qualifier``.
"""

from jimm.facades.controller_refusals import VERSIONS, ControllerRefusals
from jimm.facades.listed import user_models
from jimm.facades.model_config import ModelConfig
from jimm.facades.model_manager import status_rows
from jimm.facades.model_summary_watcher import watch
from jimm.facades.session import each, errors
from jimm.fleet import administration, blocks, listings, models, versions
from jimm.fleet.controllers import require_administrator
from jimm.wire.facade import method
from jimm.wire.params import controller as params_
from jimm.wire.params.common import (
    Entities,
    Entity,
    Error,
    ErrorResults,
    StringResult,
)
from jimm.wire.params.model_config import ModelConfigResults
from jimm.wire.params.model_manager import ModelStatusResults, UserModelList
from jimm.wire.params.model_summaries import SummaryWatcherId
from jimm.wire.tags import parse_model_tag, parse_user_tag


class Controller(ControllerRefusals):
    """What a client asks of a controller itself."""

    name = "Controller"

    @method("ControllerConfig", versions=VERSIONS)
    async def controller_config(self) -> params_.ControllerConfig:
        """JIMM's own few values."""
        fleet = self.session.fleet
        return params_.ControllerConfig(
            config={
                "controller-uuid": fleet.uuid,
                "controller-name": "jimm",
                "api-port": int(fleet.settings.address.rpartition(":")[2]),
                "ca-cert": fleet.authority,
                "public-dns-address": fleet.settings.public_address,
            }
        )

    @method("ControllerVersion", versions=VERSIONS)
    async def controller_version(self) -> params_.ControllerVersion:
        """The lowest 3.x of all controllers."""
        version = await versions.reported(self.session.fleet)
        return params_.ControllerVersion(version=version, git_commit="")

    @method("IdentityProviderURL", versions=VERSIONS)
    async def identity_provider_url(self) -> StringResult:
        """None: users log in to JIMM itself (``juju show-controller`` asks)."""
        return StringResult(result="")

    @method("AllModels", versions=VERSIONS)
    async def all_models(self) -> UserModelList:
        """Every model of every controller, for administrators."""
        require_administrator(self.session.caller)
        session = self.session
        return user_models(session, await listings.every(session.fleet, session.caller))

    @method("ModelStatus", versions=VERSIONS)
    async def model_status(self, params: Entities) -> ModelStatusResults:
        """As ``ModelManager.ModelStatus``."""
        return await status_rows(self.session, params)

    @method("GetControllerAccess", versions=VERSIONS)
    async def get_controller_access(self, params: Entities) -> params_.UserAccessResults:
        """One's own access, for administrators everybody's: superuser is an administrator."""
        session = self.session

        async def one(entity: Entity) -> params_.UserAccessResult:
            identity = session.identity(entity.tag)
            access = await administration.level(session.fleet, session.caller, identity)
            return params_.UserAccessResult(
                result=params_.UserAccess(user_tag=session.user_tag(identity), access=access)
            )

        def refused(_: Entity, error: Error) -> params_.UserAccessResult:
            return params_.UserAccessResult(error=error)

        return params_.UserAccessResults(results=await each(params.entities, one, refused))

    @method("ModifyControllerAccess", versions=VERSIONS)
    async def modify_controller_access(
        self, params: params_.ModifyControllerAccessRequest
    ) -> ErrorResults:
        """Grants and revokes; superuser makes an administrator of JIMM."""
        session = self.session

        async def one(change: params_.ModifyControllerAccess) -> None:
            await administration.modify(
                session.fleet,
                session.caller,
                parse_user_tag(change.user_tag),
                action=change.action,
                access=change.access,
            )

        return await errors(params.changes, one)

    @method("ListBlockedModels", versions=VERSIONS)
    async def list_blocked_models(self) -> params_.ModelBlockInfoList:
        """Models with disabled commands, as far as their controllers are there to tell."""
        session = self.session
        found = await blocks.listed(session.fleet, session.caller)
        return params_.ModelBlockInfoList(
            models=[
                params_.ModelBlockInfo(
                    name=each.model.name,
                    model_uuid=each.model.uuid,
                    owner_tag=session.user_tag(each.model.owner),
                    qualifier=session.user_id(each.model.owner),
                    blocks=list(each.blocks),
                )
                for each in found
            ]
        )

    @method("ModelConfig", versions=(11,))
    async def model_config(self) -> ModelConfigResults:
        """As ``ModelConfig.ModelGet``."""
        return await ModelConfig(self.session).model_get()

    @method("MongoVersion", versions=VERSIONS)
    async def mongo_version(self) -> StringResult:
        """None, and no error: ``juju show-controller`` would tell it, and keep nothing."""
        return StringResult(result="")

    @method("ControllerAPIInfoForModels", versions=VERSIONS)
    async def api_info(self, params: Entities) -> params_.ControllerAPIInfos:
        """JIMM's own address and CA: a client that reconnects comes back to JIMM."""
        fleet = self.session.fleet

        async def one(entity: Entity) -> params_.ControllerAPIInfo:
            await models.find(fleet, self.session.caller, parse_model_tag(entity.tag))
            return params_.ControllerAPIInfo(
                addresses=[fleet.settings.address], cacert=fleet.authority
            )

        def refused(_: Entity, error: Error) -> params_.ControllerAPIInfo:
            return params_.ControllerAPIInfo(addresses=[], cacert="", error=error)

        return params_.ControllerAPIInfos(results=await each(params.entities, one, refused))

    @method("WatchModelSummaries", versions=VERSIONS)
    async def watch_model_summaries(self) -> SummaryWatcherId:
        """A watcher of the models that the caller has access to."""
        return watch(self.session, everything=False)

    @method("WatchAllModelSummaries", versions=VERSIONS)
    async def watch_all_model_summaries(self) -> SummaryWatcherId:
        """A watcher of all models, for administrators."""
        return watch(self.session, everything=True)
