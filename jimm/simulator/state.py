"""What a simulated controller knows, as values.

Everything here is frozen: a change is a new value (:mod:`~jimm.simulator.rules` makes it), and
the store puts it in place of the old one. Times are aware UTC datetimes. User ids are Juju's:
``admin`` for a local user, ``alice@jimm`` for an external one, never ``@local``.
"""

import datetime
from typing import Literal

from msgspec import Struct

from jimm.simulator.migration.record import MigrationRecord
from jimm.wire.params.admin import RedirectInfo
from jimm.wire.tags import ControllerUUID, CredentialId, ModelUUID

ControllerAccess = Literal["", "login", "superuser"]
ModelAccess = Literal["", "read", "write", "admin"]
CloudAccess = Literal["", "add-model", "admin"]
Life = Literal["alive", "dying", "dead"]
MigrationMode = Literal["", "exporting", "importing"]


class Value(Struct, frozen=True, kw_only=True, rename="kebab", omit_defaults=True):
    """Base of every value; stored as JSON with hyphenated keys."""


class Region(Value, frozen=True, kw_only=True):
    """A region of a cloud."""

    name: str
    endpoint: str = ""


class Cloud(Value, frozen=True, kw_only=True):
    """A cloud's definition. ``auth_types`` are Juju's names, ``userpass`` and ``empty``."""

    name: str
    type: str = "simulated"
    endpoint: str = ""
    auth_types: tuple[str, ...] = ("userpass", "empty")
    regions: tuple[Region, ...] = ()
    users: dict[str, CloudAccess] = {}
    """Who may add models, besides superusers."""


class Controller(Value, frozen=True, kw_only=True):
    """The controller itself. ``config`` is what ``Controller.ControllerConfig`` tells."""

    uuid: ControllerUUID
    name: str
    version: str
    clouds: dict[str, Cloud]
    config: dict[str, object]
    model_uuid: ModelUUID
    """The uuid of the model named ``controller``."""
    upgrading: bool = False
    """Whether the controller is on its way to another version."""
    model_defaults: dict[str, dict[str, object]] = {}
    """Defaults that an administrator set, by cloud or ``cloud/region``."""


class PasswordHash(Value, frozen=True, kw_only=True):
    """A scrypt hash with its salt, both hexadecimal."""

    salt: str
    hash: str

    def __repr__(self) -> str:
        return "PasswordHash()"


class LocalUser(Value, frozen=True, kw_only=True):
    """A user of the controller's own. Without ``password`` nobody can log in as them."""

    name: str
    display_name: str = ""
    password: PasswordHash | None = None
    access: ControllerAccess = "login"
    disabled: bool = False
    created_by: str = "admin"
    created: datetime.datetime
    last_connection: datetime.datetime | None = None


class ExternalUser(Value, frozen=True, kw_only=True):
    """A user with a domain, known from their first login on."""

    name: str
    created: datetime.datetime
    last_connection: datetime.datetime | None = None


class Credential(Value, frozen=True, kw_only=True):
    """What opens a cloud for its owner; ``attrs`` are secret."""

    id: CredentialId
    auth_type: str
    attrs: dict[str, str] = {}
    valid: bool = True

    def __repr__(self) -> str:
        return f"Credential(id={str(self.id)!r}, auth_type={self.auth_type!r})"


class Status(Value, frozen=True, kw_only=True):
    """What something is doing, since when."""

    status: str
    info: str = ""
    data: dict[str, object] = {}
    since: datetime.datetime


class ModelUser(Value, frozen=True, kw_only=True):
    """A user's entry in a model."""

    access: ModelAccess
    display_name: str = ""
    last_connection: datetime.datetime | None = None


class Machine(Value, frozen=True, kw_only=True):
    """A machine that is not there. ``agent_version`` empty is the model's."""

    id: str
    instance_id: str = ""
    status: str = "started"
    instance_status: str = "running"
    message: str = ""
    cores: int = 1
    mem: int = 1024
    arch: str = "amd64"
    base: str = "ubuntu@24.04"
    address: str = ""
    life: Life = "alive"
    agent_version: str = ""
    rebooting: bool = False
    created: datetime.datetime


class Unit(Value, frozen=True, kw_only=True):
    """A unit of an application. ``agent_status`` is idle, executing, allocating or lost."""

    name: str
    machine: str = ""
    workload: Status
    agent: Status
    leader: bool = False
    life: Life = "alive"
    agent_version: str = ""
    charm: str = ""
    """The charm that it runs, where that is not yet its application's."""
    unjoined: tuple[str, ...] = ()
    """Keys of the relations that it has not joined yet."""


class Application(Value, frozen=True, kw_only=True):
    """An application with its units by name (``ubuntu/0``)."""

    name: str
    charm: str = "ch:amd64/ubuntu-1"
    channel: str = "latest/stable"
    base: str = "ubuntu@24.04"
    exposed: bool = False
    status: Status
    life: Life = "alive"
    config: dict[str, object] = {}
    constraints: dict[str, object] = {}
    units: dict[str, Unit] = {}
    next_unit: int = 0
    min_units: int = 0
    scaling: bool = False


class Endpoint(Value, frozen=True, kw_only=True):
    """One end of a relation."""

    application: str
    name: str
    role: str
    interface: str


class Relation(Value, frozen=True, kw_only=True):
    """A relation; ``key`` is ``a:db b:server``."""

    id: int
    key: str
    endpoints: tuple[Endpoint, ...]


class Model(Value, frozen=True, kw_only=True):
    """A model that lives here, importing and exporting ones included.

    ``migration`` is the last attempt to move it away, kept after an abort until the next one.
    ``migration_attempts`` counts them; it goes with the model to its next controller.
    """

    uuid: ModelUUID
    name: str
    owner: str
    type: str = "iaas"
    cloud: str
    region: str = ""
    credential: CredentialId | None = None
    config: dict[str, object] = {}
    constraints: dict[str, object] = {}
    life: Life = "alive"
    status: Status
    mode: MigrationMode = ""
    users: dict[str, ModelUser] = {}
    machines: dict[str, Machine] = {}
    applications: dict[str, Application] = {}
    relations: tuple[Relation, ...] = ()
    annotations: dict[str, dict[str, str]] = {}
    agent_version: str
    created: datetime.datetime
    is_controller: bool = False
    cleanups: bool = False
    """Whether something that was removed waits to be cleaned up."""
    upgrade_issues: tuple[str, ...] = ()
    """What keeps the model from a newer controller, in Juju's words."""
    migration: MigrationRecord | None = None
    migration_attempts: int = 0
    log_sent: int = 0
    """How many log lines a log transfer has brought here."""
    log_time: datetime.datetime | None = None
    """The time of the last of them."""


class FormerModel(Value, frozen=True, kw_only=True):
    """A model that lived here and was moved away.

    ``users`` are those who had an entry when the migration started: only they are redirected.
    """

    uuid: ModelUUID
    name: str
    owner: str
    users: dict[str, ModelUser] = {}
    redirect: RedirectInfo
    moved: datetime.datetime
    migration: MigrationRecord | None = None


Thing = Controller | LocalUser | ExternalUser | Credential | Model | FormerModel
"""What the store keeps, one row each."""
