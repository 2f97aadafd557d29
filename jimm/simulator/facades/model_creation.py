"""What ``ModelManager.CreateModel`` asks before it makes anything."""

from dataclasses import dataclass

from msgspec.structs import replace

from jimm.errors import NotFound, NotValid, Unauthorized
from jimm.simulator.access import Caller
from jimm.simulator.core import Core
from jimm.simulator.state import Cloud, Model, ModelUser
from jimm.wire.params.model_manager import CreateModel
from jimm.wire.tags import CredentialId, parse_cloud_tag, parse_credential_tag, parse_user_tag


@dataclass(frozen=True)
class Creation:
    """A request with its tags read, its gaps filled, and the caller's right to it checked."""

    owner: str
    cloud: str
    region: str
    credential: CredentialId | None
    administrator: str = ""
    """Who has access to it, where that is not the owner."""

    @classmethod
    def of(cls, core: Core, caller: Caller, params: CreateModel) -> "Creation":
        """Checks a request in Juju's order.

        Raises:
            NotValid: a tag that can't be read, or no credential where one is needed.
            AccessRequired, Unauthorized: the caller may not add models to the cloud, or not
                for that owner.
            NotFound: the cloud, the owner or the credential.
        """
        if core.release.is_four:
            _check_config(params)
        home = core.store.models[core.store.controller.model_uuid]
        name = parse_cloud_tag(params.cloud_tag) if params.cloud_tag else home.cloud
        caller.require_cloud(core, name, "add-model")
        owner = parse_user_tag(params.owner_tag)
        may_for_others = caller.is_superuser(core)
        if owner != caller.user and not may_for_others and core.release.is_four:
            raise NotValid(f'cannot create model with qualifier "{owner}"')
        if owner != caller.user and not may_for_others:
            raise Unauthorized(
                '"add-model" permission does not permit creation of models for different '
                "owners: permission denied"
            )
        cloud = _cloud(core, name)
        region = params.region or _default_region(cloud, home.cloud, home.region)
        credential = _credential(core, params.credential, owner, cloud)
        if core.release.is_four:
            return cls(owner, name, region, credential, administrator=caller.user)
        if "@" not in owner and owner not in core.store.users:
            raise NotFound(
                f'failed to create new model: cannot create model: user "{owner}" not found'
            )
        return cls(owner=owner, cloud=name, region=region, credential=credential)

    def shared(self, model: Model) -> Model:
        """The new model with its first user: on 4.0 whoever asked, an owner is but a name."""
        if not self.administrator:
            return model
        return replace(model, users={self.administrator: ModelUser(access="admin")})


def _check_config(params: CreateModel) -> None:
    """4.0 has no keys in a model's settings; clients of 3.6 always send some.

    Raises:
        NotValid: there are some, be they empty.
    """
    if "authorized-keys" in params.config:
        raise NotValid(
            f'setting model config for model "{params.name}": validating model config to set for '
            "model: config validator 1 failed: config validator 0 failed: config attributes "
            "[authorized-keys] not valid because attributes not allowed in model config"
        )


def _cloud(core: Core, name: str) -> Cloud:
    clouds = core.store.controller.clouds
    if name not in clouds:
        known = " ".join(f'"{each}"' for each in sorted(clouds))
        raise NotFound(f'cloud "{name}" not found, expected one of [{known}]')
    return clouds[name]


def _default_region(cloud: Cloud, home: str, home_region: str) -> str:
    if cloud.name == home:
        return home_region
    return cloud.regions[0].name if cloud.regions else ""


def _credential(core: Core, tag: str, owner: str, cloud: Cloud) -> CredentialId | None:
    if not tag:
        if "empty" not in cloud.auth_types:
            raise NotValid("no credential specified")
        return None
    wanted = parse_credential_tag(tag)
    found = core.store.credentials.get(str(wanted))
    if found is None:
        raise NotFound(f'getting credential: cloud credential "{wanted}" not found')
    if wanted.owner != owner:
        raise NotFound(
            f'failed to create new model: credential "{wanted}" owned by another user not found'
        )
    if wanted.cloud != cloud.name:
        raise NotValid(f'failed to create new model: credential "{wanted}" not valid')
    return wanted
