"""How the state may change: values in, values out.

What Juju would refuse is refused here in Juju 3.6's words; states that Juju cannot reach are
refused with :class:`ValueError`, for then the simulator itself is wrong.
"""

import datetime
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, TypeVar, get_args

import msgspec

from jimm.errors import AlreadyExists, BadRequest, Conflict, NotFound, NotValid, Unauthorized
from jimm.simulator.state import (
    Cloud,
    CloudAccess,
    Controller,
    ControllerAccess,
    Life,
    LocalUser,
    Model,
    ModelAccess,
    ModelUser,
    PasswordHash,
    Status,
)
from jimm.wire.tags import CredentialId, ModelUUID, is_model_name, is_user_id

L = TypeVar("L", bound=str)

_SCRYPT: Final = {"n": 1 << 10, "r": 8, "p": 1}  # cheap: nothing here is worth more
_MODEL_LEVELS: Final[tuple[ModelAccess, ...]] = get_args(ModelAccess)
_CLOUD_LEVELS: Final[tuple[CloudAccess, ...]] = get_args(CloudAccess)
_LIVES: Final[Mapping[Life, tuple[Life, ...]]] = {
    "alive": ("dying",),
    "dying": ("dead",),
    "dead": (),
}


def hash_password(password: str) -> PasswordHash:
    """A fresh hash."""
    salt = secrets.token_bytes(16)
    return PasswordHash(salt=salt.hex(), hash=_scrypt(password, salt))


def password_fits(user: LocalUser, password: str) -> bool:
    """Whether it is the user's password; never for a disabled user."""
    if user.password is None or user.disabled:
        return False
    found = _scrypt(password, bytes.fromhex(user.password.salt))
    return hmac.compare_digest(found, user.password.hash)


def new_user(
    existing: Mapping[str, LocalUser], name: str, *, created_by: str, now: datetime.datetime
) -> LocalUser:
    """A local user without a password.

    Raises:
        BadRequest: no name that Juju takes for a local user.
        AlreadyExists: the name is taken.
    """
    if not is_user_id(name) or "@" in name:
        raise BadRequest(f'invalid user name "{name}"')
    if name in existing:
        raise AlreadyExists("failed to create user: username unavailable")
    return LocalUser(name=name, created_by=created_by, created=now)


def new_model(
    *,
    existing: Iterable[Model],
    controller: Controller,
    name: str,
    owner: str,
    cloud: str,
    region: str,
    credential: CredentialId | None,
    config: Mapping[str, object],
    uuid: ModelUUID,
    now: datetime.datetime,
) -> Model:
    """A model that lives from now on.

    Raises:
        NotValid: the name, or a setting that may not be set.
        NotFound: the region.
        AlreadyExists: the owner has one of that name.
    """
    _check_name(existing, name, owner)
    check_region(controller.clouds[cloud], region)
    return Model(
        uuid=uuid,
        name=name,
        owner=owner,
        cloud=cloud,
        region=region,
        credential=credential,
        config=dict(config),
        status=Status(status="available", since=now),
        users={owner: ModelUser(access="admin")},
        agent_version=controller.version,
        created=now,
    )


def check_region(cloud: Cloud, region: str) -> None:
    """Refuses a region that the cloud does not have.

    Raises:
        NotFound: it has others, or none.
    """
    names = [each.name for each in cloud.regions]
    if region in names or (not region and not names):
        return
    listed = " ".join(f'"{each}"' for each in sorted(names))
    raise NotFound(f'region "{region}" not found (expected one of [{listed}])')


def with_life(model: Model, life: Life, now: datetime.datetime) -> Model:
    """The model a step further in its life.

    Raises:
        ValueError: lives go from alive to dying to dead.
    """
    if life not in _LIVES[model.life]:
        raise ValueError(f"a model that is {model.life} does not become {life}")
    status = Status(status="destroying", info="", since=now)
    return msgspec.structs.replace(model, life=life, status=status)


def dying(model: Model, now: datetime.datetime) -> Model:
    """The model as ``DestroyModels`` leaves it; one that is dying already stays as it is.

    Raises:
        Conflict: the controller model, or one that is being imported.
    """
    if model.is_controller:
        raise Conflict("cannot destroy controller model")
    if model.life != "alive":
        return model
    if model.mode == "importing":
        raise Conflict("cannot destroy model: model is being imported")
    return with_life(model, "dying", now)


def grant(model: Model, user: str, access: str) -> Model:
    """The model with more access for a user.

    Raises:
        NotValid: no level of a model.
        AlreadyExists: they have as much or more.
    """
    wanted = _model_level(access)
    entry = model.users.get(user)
    if entry is not None and _MODEL_LEVELS.index(entry.access) >= _MODEL_LEVELS.index(wanted):
        raise AlreadyExists(
            f'could not grant model access: user already has "{access}" access or greater'
        )
    changed = msgspec.structs.replace(entry or ModelUser(access=wanted), access=wanted)
    return msgspec.structs.replace(model, users={**model.users, user: changed})


def revoke(model: Model, user: str, access: str) -> Model:
    """The model with less access for a user: revoking a level leaves the one below it.

    Raises:
        NotValid: no level of a model.
        NotFound: they have none.
    """
    wanted = _model_level(access)
    entry = model.users.get(user)
    if entry is None:
        raise NotFound(
            f'could not look up model access for user: model user "{user}" does not exist'
        )
    left = min(_MODEL_LEVELS.index(entry.access), _MODEL_LEVELS.index(wanted) - 1)
    users = {name: each for name, each in model.users.items() if name != user}
    if left > 0:
        users[user] = msgspec.structs.replace(entry, access=_MODEL_LEVELS[left])
    return msgspec.structs.replace(model, users=users)


def with_controller_access(user: LocalUser, action: str, access: str) -> LocalUser:
    """The user with another level on the controller.

    Raises:
        NotValid: no level of a controller.
        BadRequest: the action is neither grant nor revoke.
        AlreadyExists: a grant of what they have.
    """
    levels: tuple[ControllerAccess, ...] = get_args(ControllerAccess)
    if access not in levels[1:]:
        raise NotValid(f'"{access}" controller access not valid')
    wanted, has = levels.index(_one_of(access, levels)), levels.index(user.access)
    if action == "grant":
        if has >= wanted:
            raise AlreadyExists(
                f'could not grant controller access: user already has "{access}" access or greater'
            )
        return msgspec.structs.replace(user, access=levels[wanted])
    if action != "revoke":
        raise BadRequest(f'unknown action "{action}"')
    if user.name == "admin":
        raise Unauthorized("could not revoke controller access: permission denied")
    return msgspec.structs.replace(user, access=levels[min(has, wanted - 1)])


def with_cloud_access(cloud: Cloud, user: str, action: str, access: str) -> Cloud:
    """The cloud with another level for a user.

    Raises:
        NotValid: no level of a cloud.
        BadRequest: the action is neither grant nor revoke.
        AlreadyExists: a grant of what they have.
    """
    if access not in _CLOUD_LEVELS[1:]:
        raise NotValid(f'"{access}" cloud access not valid')
    wanted = _CLOUD_LEVELS.index(_one_of(access, _CLOUD_LEVELS))
    has = _CLOUD_LEVELS.index(cloud.users.get(user, ""))
    if action == "grant":
        if has >= wanted:
            raise AlreadyExists(
                f'could not grant cloud access: user already has "{access}" access or greater'
            )
        users = {**cloud.users, user: _CLOUD_LEVELS[wanted]}
        return msgspec.structs.replace(cloud, users=users)
    if action != "revoke":
        raise BadRequest(f'unknown action "{action}"')
    users = {name: each for name, each in cloud.users.items() if name != user}
    if min(has, wanted - 1) > 0:
        users[user] = _CLOUD_LEVELS[min(has, wanted - 1)]
    return msgspec.structs.replace(cloud, users=users)


def _check_name(existing: Iterable[Model], name: str, owner: str) -> None:
    if not is_model_name(name):
        raise NotValid(
            f'failed to create config: "{name}" is not a valid name: '
            "model names may only contain lowercase letters, digits and hyphens"
        )
    if any((model.name, model.owner) == (name, owner) for model in existing):
        raise AlreadyExists(
            f'failed to create new model: model "{name}" for {owner} already exists'
        )


def _model_level(access: str) -> ModelAccess:
    if access not in _MODEL_LEVELS[1:]:
        raise NotValid(f'"{access}" model access not valid')
    return _one_of(access, _MODEL_LEVELS)


def _one_of(value: str, known: tuple[L, ...]) -> L:
    return next(each for each in known if each == value)


@lru_cache(maxsize=256)  # a migration logs in ten times; a thousand of them are a minute of this
def _scrypt(password: str, salt: bytes) -> str:
    return hashlib.scrypt(password.encode(), salt=salt, dklen=32, **_SCRYPT).hex()
