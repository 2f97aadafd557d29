"""``Controller`` 11 to 13 (Juju ``rpc/params/controller.go``, ``migration.go``)."""

from jimm.wire.params.common import Error, Params


class ControllerConfig(Params, kw_only=True):
    """``ControllerConfig``."""

    config: dict[str, object]


class ControllerVersion(Params, kw_only=True):
    """``ControllerVersion``."""

    version: str
    git_commit: str


class UserAccess(Params, kw_only=True):
    """A user's access: login or superuser on a controller."""

    user_tag: str
    access: str


class UserAccessResult(Params, kw_only=True):
    """One user, or an error."""

    result: UserAccess | None = None
    error: Error | None = None


class UserAccessResults(Params, kw_only=True):
    """``GetControllerAccess``."""

    results: list[UserAccessResult]


class ModifyControllerAccess(Params, kw_only=True):
    """One change: ``action`` is grant or revoke."""

    user_tag: str
    action: str
    access: str


class ModifyControllerAccessRequest(Params, kw_only=True):
    """``ModifyControllerAccess``."""

    changes: list[ModifyControllerAccess]


class ModelBlockInfo(Params, kw_only=True):
    """A model with its blocks: BlockChange, BlockDestroy, BlockRemove. Its owner is in
    ``owner_tag`` or, in version 13, as a user id in ``qualifier``."""

    name: str
    model_uuid: str
    owner_tag: str = ""
    qualifier: str = ""
    blocks: list[str]


class ModelBlockInfoList(Params, kw_only=True):
    """``ListBlockedModels``."""

    models: list[ModelBlockInfo] = []


class ControllerAPIInfo(Params, kw_only=True):
    """Addresses (``host:port``) and CA of the controller that hosts a model."""

    addresses: list[str]
    cacert: str
    error: Error | None = None


class ControllerAPIInfos(Params, kw_only=True):
    """``ControllerAPIInfoForModels``."""

    results: list[ControllerAPIInfo]


class MigrationTargetInfo(Params, kw_only=True):
    """Where to migrate to and how to log in there; ``macaroons`` is JSON as text."""

    controller_tag: str
    controller_alias: str = ""
    addrs: list[str]
    ca_cert: str
    auth_tag: str
    password: str = ""
    macaroons: str = ""
    skip_user_checks: bool = False
    token: str = ""

    def __repr__(self) -> str:
        return f"MigrationTargetInfo(controller_tag={self.controller_tag!r})"


class MigrationSpec(Params, kw_only=True):
    """One model to migrate."""

    model_tag: str
    target_info: MigrationTargetInfo


class InitiateMigration(Params, kw_only=True):
    """``InitiateMigration``. A controller older than 3.6.13 ignores ``dry_run`` and starts."""

    specs: list[MigrationSpec]
    dry_run: bool = False


class InitiateMigrationResult(Params, kw_only=True):
    """``migration_id`` is ``<uuid>:<attempt>``; empty on a dry run and on an error."""

    model_tag: str
    error: Error | None = None
    migration_id: str


class InitiateMigrationResults(Params, kw_only=True):
    """One row for each spec."""

    results: list[InitiateMigrationResult]


class RemoveBlocks(Params, kw_only=True):
    """``RemoveBlocks``."""

    all: bool = False
