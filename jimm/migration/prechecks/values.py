"""What is known when a migration is decided on: values, each of them already asked for.

``None`` stands for what nobody could tell; a check that needs it finds nothing then, and
``unasked`` says which question went without an answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jimm.migration.prechecks.status import Status


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud as one controller defines it; ``regions`` are endpoints by name."""

    type: str
    endpoint: str = ""
    auth_types: frozenset[str] = frozenset()
    regions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Credential:
    """The credential that a model uses, as its source has it. ``owner`` is a user id there.

    ``auth_type`` is empty and ``valid`` is ``None`` where the source does not say. ``kept``:
    JIMM has what the source has, so that it can give it to others.
    """

    owner: str
    name: str
    auth_type: str = ""
    valid: bool | None = None
    kept: bool = False


@dataclass(frozen=True, slots=True)
class CredentialThere:
    """The credential of the same id on a target. ``same``: whether all its attributes are."""

    auth_type: str
    same: bool | None = None
    valid: bool | None = None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model as the registry and its source show it.

    ``owner`` is the user's name on the source; ``found`` is false when the source says that it
    has no such model. ``users`` have access on the source, by their names there; ``made`` are
    those of them that JIMM itself makes on any target. ``backends`` are the secret backends
    outside the source that the model needs, by id, with their names. ``offered`` are the offers
    that other models use, each with their uuids, ``consumed`` the urls of the offers that the
    model uses. ``fan`` is the setting that asks for fan networking, empty for none.
    """

    uuid: str
    name: str
    owner: str
    cloud: str
    region: str
    agent_version: str
    life: str = "alive"
    is_controller: bool = False
    migrating: bool = False
    found: bool = True
    users: frozenset[str] = frozenset()
    made: frozenset[str] = frozenset()
    credential: Credential | None = None
    status: Status | None = None
    blocks: tuple[str, ...] = ()
    backends: Mapping[str, str] = field(default_factory=dict)
    offered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    consumed: tuple[str, ...] = ()
    fan: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a controller's settings say of many agents at once, in seconds.

    ``wait_time`` is how long a source waits for all of them (``migration-agent-wait-time``);
    ``burst`` of them may log in to a target at once, and one more each ``every`` seconds
    (``agent-ratelimit-max`` and ``-rate``).
    """

    wait_time: float = 900.0
    burst: int = 10
    every: float = 0.25


@dataclass(frozen=True, slots=True)
class ControllerFacts:
    """A controller as the registry and its last readings show it.

    ``clouds`` maps each cloud's name to its regions. ``has`` are the models found on it, as
    ``(uuid, owner, name)``, importing ones included; ``None`` when it could not be asked.
    ``cloud`` is the model's cloud, ``status`` the one of the controller's own model, ``blocks``
    what is disabled on that. ``takes`` are the versions of ``MigrationTarget`` that it offers.
    ``users`` are those of the model's local users that exist there, ``credential`` the model's
    one if it is there (``False``: it is not), ``backends`` the ids of its secret backends.
    ``identity_url`` is the identity provider's, empty for none.
    """

    name: str
    healthy: bool
    status_info: str = ""
    agent_version: str = ""
    deprecated: bool = False
    clouds: Mapping[str, frozenset[str]] | None = None
    has: frozenset[tuple[str, str, str]] | None = None
    cloud: Cloud | None = None
    upgrading: bool = False
    status: Status | None = None
    blocks: tuple[str, ...] = ()
    takes: frozenset[int] | None = None
    users: frozenset[str] | None = None
    identity_url: str | None = None
    credential: CredentialThere | bool | None = None
    backends: frozenset[str] | None = None
    pace: Pace | None = None
    unasked: tuple[str, ...] = ()
