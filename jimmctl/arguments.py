"""The arguments of commands, checked before anything is sent.

Every function raises :class:`~jimmctl.errors.Usage` with one sentence. The patterns of names
are Juju's (``github.com/juju/names``).
"""

import re
from dataclasses import dataclass
from urllib.parse import quote

from jimmctl.errors import Usage

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_OWNER = r"[a-zA-Z0-9][a-zA-Z0-9.+-]*(?:@[a-zA-Z0-9][a-zA-Z0-9.-]*)?"
_MODEL_NAME = r"[a-z0-9][a-z0-9-]*"
_CONTROLLER_NAME = r"[a-zA-Z0-9][a-zA-Z0-9._-]*"
_MIGRATION_ID = r"[a-zA-Z0-9][a-zA-Z0-9:_-]*"
_DURATION = r"([0-9]+(?:\.[0-9]+)?)(s|m|h|)"
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the user named it: by uuid, or by owner and name."""

    uuid: str = ""
    owner: str = ""
    name: str = ""

    @property
    def given(self) -> str:
        """``<uuid>`` or ``<owner>/<name>``, as the API takes it in a body."""
        return self.uuid or f"{self.owner}/{self.name}"

    @property
    def path(self) -> str:
        """Where the API keeps the model."""
        if self.uuid:
            return f"/models/{self.uuid}"
        return f"/models/{quote(self.owner, safe='@')}/{quote(self.name)}"


def model(argument: str) -> Model:
    """A model named by uuid, ``model-<uuid>`` or ``owner/name``."""
    if uuid := _uuid(argument):
        return Model(uuid=uuid)
    owner, slash, name = argument.partition("/")
    if slash and re.fullmatch(_OWNER, owner) and re.fullmatch(_MODEL_NAME, name):
        return Model(owner=owner, name=name)
    raise Usage(f'"{argument}" is not a model: give its uuid, model-<uuid> or owner/name')


def model_uuid(argument: str) -> str:
    """A model's uuid, given bare or as ``model-<uuid>``; lower case."""
    if uuid := _uuid(argument):
        return uuid
    raise Usage(f'"{argument}" is not a valid model uuid')


def controller_name(argument: str) -> str:
    """A controller's name."""
    if re.fullmatch(_CONTROLLER_NAME, argument):
        return argument
    raise Usage(f'"{argument}" is not a valid controller name')


def user_name(argument: str) -> str:
    """A user's or a service account's name, with or without a domain."""
    if re.fullmatch(_OWNER, argument):
        return argument
    raise Usage(f'"{argument}" is not a valid user name')


def token_id(argument: str) -> str:
    """A token's id, as ``tokens`` shows it."""
    if re.fullmatch(_UUID, argument):
        return argument
    # It may be the token itself, which is not to be repeated.
    raise Usage("that is not a token's id: `jimmctl tokens` lists them")


def migration_id(argument: str) -> str:
    """A migration's id, as ``migrate`` and ``migrations`` show it."""
    if re.fullmatch(_MIGRATION_ID, argument):
        return argument
    raise Usage(f'"{argument}" is not a migration id: `jimmctl migrations` lists them')


def plan_id(argument: str) -> str:
    """A plan's id, as ``plan list`` shows it."""
    if re.fullmatch(_UUID, argument):
        return argument
    raise Usage(f'"{argument}" is not a plan id: `jimmctl plan list` lists them')


def duration(argument: str) -> float:
    """A time in seconds, from ``90``, ``90s``, ``10m`` or ``2h``."""
    found = re.fullmatch(_DURATION, argument)
    if found is None or float(found[1]) == 0:
        raise Usage(f'"{argument}" is not a duration: give seconds, or a number with s, m or h')
    return float(found[1]) * _SECONDS[found[2]]


def reason(argument: str) -> str:
    """A reason for the record: some words."""
    if argument.strip():
        return argument.strip()
    raise Usage("the reason is empty: say why, for whoever reads the record later")


def _uuid(argument: str) -> str:
    uuid = argument.removeprefix("model-").lower()
    return uuid if re.fullmatch(_UUID, uuid) else ""
