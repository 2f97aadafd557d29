"""Juju's tags and the names inside them (``github.com/juju/names``), as values.

A tag is ``<kind>-<id>``. Every ``parse_*`` raises :class:`~jimm.errors.NotValid` with the text
that Juju uses, ``"x" is not a valid model tag``.
"""

import re
import uuid as uuid_module
from typing import Final, NamedTuple, NewType
from urllib.parse import unquote

from jimm.errors import NotValid

ModelUUID = NewType("ModelUUID", str)
"""A model's uuid, lower case, with hyphens."""

ControllerUUID = NewType("ControllerUUID", str)
"""A controller's uuid as its login tells it, lower case, with hyphens."""

_USER_ID: Final = re.compile(
    r"[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])(?:@[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?)?"
)
_MODEL_NAME: Final = re.compile(r"[a-z0-9]+[a-z0-9-]*")
_CLOUD_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]*")
_CREDENTIAL_NAME: Final = re.compile(r"[a-zA-Z](?:[a-zA-Z0-9.@_+-]*)")
_CONTROLLER_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]*")


class CredentialId(NamedTuple):
    """A cloud credential's name in full: ``cloud/owner/name``."""

    cloud: str
    owner: str
    name: str

    def __str__(self) -> str:
        return f"{self.cloud}/{self.owner}/{self.name}"


def is_user_id(value: str) -> bool:
    """Whether Juju takes it for a user (two characters at least, no ``_``, no ``+``)."""
    return _USER_ID.fullmatch(value) is not None


def is_model_name(value: str) -> bool:
    """Whether Juju takes it for a model's name."""
    return _MODEL_NAME.fullmatch(value) is not None


def is_cloud_name(value: str) -> bool:
    """Whether Juju takes it for a cloud's name."""
    return _CLOUD_NAME.fullmatch(value) is not None


def is_credential_name(value: str) -> bool:
    """Whether Juju takes it for a credential's name."""
    return _CREDENTIAL_NAME.fullmatch(value) is not None


def is_controller_name(value: str) -> bool:
    """Whether Juju takes it for a controller's name."""
    return _CONTROLLER_NAME.fullmatch(value) is not None


def is_uuid(value: str) -> bool:
    """Whether it is a uuid in the one form that Juju writes."""
    try:
        return str(uuid_module.UUID(value)) == value
    except ValueError:
        return False


def user_tag(user_id: str) -> str:
    """``user-alice@jimm`` for ``alice@jimm``."""
    return f"user-{user_id}"


def parse_user_tag(tag: str) -> str:
    """The user id in a tag, with Juju's own ``@local`` dropped."""
    user_id = _parse("user", tag)
    if not is_user_id(user_id):
        raise _invalid("user", tag)
    return user_id.removesuffix("@local")


def model_tag(uuid: str) -> str:
    """``model-<uuid>``."""
    return f"model-{uuid}"


def parse_model_tag(tag: str) -> ModelUUID:
    """The uuid in a model tag."""
    return ModelUUID(_parse_uuid("model", tag))


def controller_tag(uuid: str) -> str:
    """``controller-<uuid>``."""
    return f"controller-{uuid}"


def parse_controller_tag(tag: str) -> ControllerUUID:
    """The uuid in a controller tag."""
    return ControllerUUID(_parse_uuid("controller", tag))


def offer_tag(uuid: str) -> str:
    """``applicationoffer-<uuid>``."""
    return f"applicationoffer-{uuid}"


def cloud_tag(name: str) -> str:
    """``cloud-<name>``."""
    return f"cloud-{name}"


def parse_cloud_tag(tag: str) -> str:
    """The name in a cloud tag."""
    name = _parse("cloud", tag)
    if not is_cloud_name(name):
        raise _invalid("cloud", tag)
    return name


def credential_tag(credential: CredentialId) -> str:
    """``cloudcred-<cloud>_<owner>_<name>``; ``_`` inside a part is written ``%5f``."""
    return "cloudcred-" + "_".join(part.replace("_", "%5f") for part in credential)


def parse_credential_tag(tag: str) -> CredentialId:
    """The three names in a credential tag."""
    parts = [unquote(part) for part in _parse("cloudcred", tag).split("_")]
    if len(parts) != 3:
        raise _invalid("cloudcred", tag)
    credential = CredentialId(*parts)
    valid = (
        is_cloud_name(credential.cloud)
        and is_user_id(credential.owner)
        and is_credential_name(credential.name)
    )
    if not valid:
        raise _invalid("cloudcred", tag)
    return credential._replace(owner=credential.owner.removesuffix("@local"))


def _parse(kind: str, tag: str) -> str:
    prefix, separator, rest = tag.partition("-")
    if prefix != kind or not separator or not rest:
        raise _invalid(kind, tag)
    return rest


def _parse_uuid(kind: str, tag: str) -> str:
    value = _parse(kind, tag)
    if not is_uuid(value):
        raise _invalid(kind, tag)
    return value


def _invalid(kind: str, tag: str) -> NotValid:
    if "-" not in tag:
        return NotValid(f'"{tag}" is not a valid tag')
    return NotValid(f'"{tag}" is not a valid {kind} tag')
