"""``Controller`` 11 and 12 (Juju ``apiserver/facades/client/controller``)."""

from typing import Final

from msgspec.structs import replace

from jimm.errors import Conflict, JimmError, NotFound, NotSupported, Unauthorized
from jimm.simulator import describe, rules
from jimm.simulator.migration.initiate import initiate
from jimm.simulator.migration.views import is_there
from jimm.simulator.session import Answering, each
from jimm.simulator.watchers import Watcher
from jimm.wire.facade import method
from jimm.wire.params.client import WatcherId
from jimm.wire.params.common import Entities, Entity, Error, ErrorResults, StringResult
from jimm.wire.params.controller import (
    ControllerAPIInfo,
    ControllerAPIInfos,
    ControllerConfig,
    ControllerVersion,
    InitiateMigration,
    InitiateMigrationResults,
    ModelBlockInfo,
    ModelBlockInfoList,
    ModifyControllerAccess,
    ModifyControllerAccessRequest,
    RemoveBlocks,
    UserAccess,
    UserAccessResult,
    UserAccessResults,
)
from jimm.wire.params.model_manager import ModelStatus, ModelStatusResults, UserModelList
from jimm.wire.tags import parse_model_tag, parse_user_tag, user_tag

VERSIONS = (11, 12)

CHANGEABLE: Final = frozenset(
    {
        "agent-ratelimit-max",
        "agent-ratelimit-rate",
        "auditing-enabled",
        "migration-agent-wait-time",
        "public-dns-address",
    }
)
"""Settings that mean something here and may be changed (Juju ``controller/config.go``)."""


class Controller(Answering):
    """The controller as a whole."""

    name = "Controller"

    @method("ControllerConfig", versions=VERSIONS)
    async def controller_config(self) -> ControllerConfig:
        """Its settings, for everybody who may log in."""
        config = dict(self.core.store.controller.config)
        config["ca-cert"] = self.core.identity.authority_pem
        if self.core.options.jwks_url:
            config["login-token-refresh-url"] = self.core.options.jwks_url
        return ControllerConfig(config=config)

    @method("ConfigSet", versions=VERSIONS)
    async def config_set(self, params: ControllerConfig) -> None:
        """Changes settings, of those that may be changed; superusers only.

        Raises:
            Conflict: one that is fixed at bootstrap.
        """
        self.caller.require_superuser(self.core)
        controller = self.core.store.controller
        for name in params.config:
            if name not in CHANGEABLE:
                raise Conflict(f'can\'t change "{name}" after bootstrap')
        config = {**controller.config, **params.config}
        self.core.store.put(replace(controller, config=config))

    @method("ControllerVersion", versions=VERSIONS)
    async def controller_version(self) -> ControllerVersion:
        """Its version."""
        return ControllerVersion(version=self.core.store.controller.version, git_commit="")

    @method("AllModels", versions=VERSIONS)
    async def all_models(self) -> UserModelList:
        """Every model that is here, importing ones too; superusers only."""
        self.caller.require_superuser(self.core)
        return UserModelList(
            user_models=[
                describe.user_model(model, model.users.get(self.caller.user))
                for model in self.core.store.models.values()
                if is_there(model, self.core.release)
            ]
        )

    @method("ModelStatus", versions=VERSIONS)
    async def model_status(self, params: Entities) -> ModelStatusResults:
        """Life and counts of models."""
        return ModelStatusResults(models=[self._status(entity) for entity in params.entities])

    @method("GetControllerAccess", versions=VERSIONS)
    async def get_controller_access(self, params: Entities) -> UserAccessResults:
        """The levels of some users on the controller."""
        return UserAccessResults(results=[self._access(entity) for entity in params.entities])

    @method("ModifyControllerAccess", versions=VERSIONS)
    async def modify_controller_access(self, params: ModifyControllerAccessRequest) -> ErrorResults:
        """Grants and revokes levels on the controller; superusers only."""
        self.caller.require_superuser(self.core)
        return await each(params.changes, self._modify)

    @method("ControllerAPIInfoForModels", versions=VERSIONS)
    async def controller_api_info_for_models(self, params: Entities) -> ControllerAPIInfos:
        """Where the models' controller is: here."""
        return ControllerAPIInfos(results=[self._api_info(entity) for entity in params.entities])

    @method("IdentityProviderURL", versions=VERSIONS)
    async def identity_provider_url(self) -> StringResult:
        """None: external users come with tokens."""
        url = self.core.store.controller.config.get("identity-url", "")
        return StringResult(result=str(url))

    @method("RemoveBlocks", versions=VERSIONS)
    async def remove_blocks(self, params: RemoveBlocks) -> None:
        """Enables all commands on all models; superusers only.

        Raises:
            NotSupported: not all are meant.
        """
        self.caller.require_superuser(self.core)
        if not params.all:
            raise NotSupported("not supported")
        for model in list(self.core.store.models.values()):
            self.core.store.put(replace(model, blocks=()))

    @method("InitiateMigration", versions=VERSIONS)
    async def initiate_migration(self, params: InitiateMigration) -> InitiateMigrationResults:
        """Checks everything and starts to move models; superusers only."""
        self.caller.require_superuser(self.core)
        return await initiate(self.core, self.session, params)

    @method("ListBlockedModels", versions=VERSIONS)
    async def list_blocked_models(self) -> ModelBlockInfoList:
        """The models with disabled commands; superusers only."""
        self.caller.require_superuser(self.core)
        models = sorted(self.core.store.models.values(), key=lambda each: (each.name, each.owner))
        return ModelBlockInfoList(
            models=[
                ModelBlockInfo(
                    name=each.name,
                    model_uuid=each.uuid,
                    owner_tag=user_tag(each.owner),
                    blocks=[block.type for block in each.blocks],
                )
                for each in models
                if each.blocks
            ]
        )

    @method("WatchAllModels", versions=VERSIONS)
    async def watch_all_models(self) -> WatcherId:
        """A watcher for ``AllModelWatcher``; superusers only."""
        self.caller.require_superuser(self.core)
        return WatcherId(
            watcher_id=self.session.watchers.add(Watcher(self.core.store, lambda _: True))
        )

    def _status(self, entity: Entity) -> ModelStatus:
        try:
            model = self.find_model(parse_model_tag(entity.tag))
            if not self.caller.may(self.core, model, "admin"):
                raise Unauthorized
            return describe.model_status(model)
        except JimmError as error:
            return describe.failed_status(entity.tag, error)

    def _access(self, entity: Entity) -> UserAccessResult:
        try:
            name = parse_user_tag(entity.tag)
            if not self.caller.is_self_or_superuser(self.core, name):
                raise Unauthorized
            access = UserAccess(user_tag=user_tag(name), access=self._level(name))
            return UserAccessResult(result=access)
        except JimmError as error:
            return UserAccessResult(error=Error.of(error))

    def _level(self, name: str) -> str:
        if name == self.caller.user:
            return self.caller.controller_access(self.core)
        user = self.core.store.users.get(name)
        if user is None:
            raise NotFound(f'user "{name}" not found')
        return user.access

    async def _modify(self, change: ModifyControllerAccess) -> None:
        name = parse_user_tag(change.user_tag)
        user = self.core.store.users.get(name)
        if user is None:
            raise NotFound(f'could not {change.action} controller access: user "{name}" not found')
        changed = rules.with_controller_access(user, change.action, change.access)
        self.core.store.put(changed)

    def _api_info(self, entity: Entity) -> ControllerAPIInfo:
        try:
            self.find_model(parse_model_tag(entity.tag))
        except JimmError as error:
            return ControllerAPIInfo(addresses=[], cacert="", error=Error.of(error))
        return ControllerAPIInfo(
            addresses=[self.core.address], cacert=self.core.identity.authority_pem
        )
