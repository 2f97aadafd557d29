"""``Controller`` 11 and 12: JIMM in a controller's place."""

from jimm.errors import Unauthorized
from jimm.facades.model_manager import status_rows, user_model
from jimm.facades.session import SessionFacade, each
from jimm.fleet import models, versions
from jimm.fleet.controllers import require_administrator
from jimm.wire.facade import method
from jimm.wire.params import controller as params_
from jimm.wire.params.common import Entities, Entity, Error, StringResult
from jimm.wire.params.model_manager import ModelStatusResults, UserModelList
from jimm.wire.tags import parse_model_tag


class Controller(SessionFacade):
    """What a client asks of a controller itself."""

    name = "Controller"

    @method("ControllerConfig", versions=(11, 12))
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

    @method("ControllerVersion", versions=(11, 12))
    async def controller_version(self) -> params_.ControllerVersion:
        """The lowest 3.x of all controllers."""
        version = await versions.reported(self.session.fleet)
        return params_.ControllerVersion(version=version, git_commit="")

    @method("IdentityProviderURL", versions=(11, 12))
    async def identity_provider_url(self) -> StringResult:
        """None: users log in to JIMM itself (``juju show-controller`` asks)."""
        return StringResult(result="")

    @method("AllModels", versions=(11, 12))
    async def all_models(self) -> UserModelList:
        """Every model of every controller, for administrators."""
        require_administrator(self.session.caller)
        found = await models.visible(self.session.fleet, self.session.caller)
        return UserModelList(user_models=[user_model(self.session, each) for each in found])

    @method("ModelStatus", versions=(11, 12))
    async def model_status(self, params: Entities) -> ModelStatusResults:
        """As ``ModelManager.ModelStatus``."""
        return await status_rows(self.session, params)

    @method("GetControllerAccess", versions=(11, 12))
    async def get_controller_access(self, params: Entities) -> params_.UserAccessResults:
        """The caller's own access: superuser for an administrator, else login."""

        async def one(entity: Entity) -> params_.UserAccessResult:
            caller = self.session.caller
            if self.session.identity(entity.tag) != caller.identity:
                raise Unauthorized
            access = "superuser" if caller.admin else "login"
            return params_.UserAccessResult(
                result=params_.UserAccess(user_tag=entity.tag, access=access)
            )

        def refused(_: Entity, error: Error) -> params_.UserAccessResult:
            return params_.UserAccessResult(error=error)

        return params_.UserAccessResults(results=await each(params.entities, one, refused))

    @method("ControllerAPIInfoForModels", versions=(11, 12))
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
