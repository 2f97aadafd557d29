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
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID, CredentialId, ModelUUID

ControllerAccess = Literal["", "login", "superuser"]
ModelAccess = Literal["", "read", "write", "admin"]
CloudAccess = Literal["", "add-model", "admin"]
OfferAccess = Literal["", "read", "consume", "admin"]
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
    type: str = "openstack"
    """A provider that clients know; ``juju add-credential`` needs one."""
    endpoint: str = ""
    auth_types: tuple[str, ...] = ("userpass", "empty")
    regions: tuple[Region, ...] = ()
    users: dict[str, CloudAccess] = {}
    """Who may add models, besides superusers."""


class SecretBackend(Value, frozen=True, kw_only=True):
    """A store for secrets outside the controller; ``config`` may hold the keys to it."""

    name: str
    id: str
    type: str = "vault"
    config: dict[str, object] = {}

    def __repr__(self) -> str:
        return f"SecretBackend(name={self.name!r}, type={self.type!r})"


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
    secret_backends: dict[str, SecretBackend] = {}
    """By name, besides the controller's own."""


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
    constraints: dict[str, object] = {}
    kept: bool = False
    """Whether it was asked for by itself, and so outlives its last unit."""


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
    principal: str = ""
    """The unit that it is a subordinate of."""


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
    subordinate: bool = False
    trust: bool = False
    bindings: dict[str, str] = {}
    """Spaces by endpoint, other than ``alpha``."""
    exposed_endpoints: dict[str, dict[str, list[str]]] = {}


class Charm(Value, frozen=True, kw_only=True):
    """A charm that a model has, uploaded or added from the simulated store.

    ``meta``, ``config`` and ``actions`` are what its metadata.yaml (or charmcraft.yaml),
    config.yaml and actions.yaml say, as plain values. ``sha256`` is empty where no archive has
    been uploaded.
    """

    url: str
    """``local:tiny-0`` or ``ch:amd64/ubuntu-24``."""
    name: str
    revision: int
    meta: dict[str, object] = {}
    config: dict[str, object] = {}
    actions: dict[str, object] = {}
    sha256: str = ""
    size: int = 0


class Resource(Value, frozen=True, kw_only=True):
    """A file or an image of an application; with ``pending_id`` it waits for a deploy."""

    name: str
    application: str
    pending_id: str = ""
    type: str = "file"
    path: str = ""
    description: str = ""
    origin: str = "upload"
    revision: int = -1
    fingerprint: str = ""
    """SHA-384 in hexadecimal, empty while nothing was uploaded."""
    size: int = 0
    username: str = ""
    timestamp: datetime.datetime | None = None


class Endpoint(Value, frozen=True, kw_only=True):
    """One end of a relation."""

    application: str
    name: str
    role: str
    interface: str


class Relation(Value, frozen=True, kw_only=True):
    """A relation; ``key`` is ``a:db b:server``. ``scope`` is global or container."""

    id: int
    key: str
    endpoints: tuple[Endpoint, ...]
    scope: str = "global"
    suspended: bool = False
    message: str = ""


BlockType = Literal["BlockDestroy", "BlockRemove", "BlockChange"]


class Block(Value, frozen=True, kw_only=True):
    """What an administrator has disabled, and why."""

    id: str
    type: BlockType
    message: str = ""


class Storage(Value, frozen=True, kw_only=True):
    """An instance of storage, such as ``data/0``; ``size`` is in MiB, ``owner`` a unit."""

    id: str
    kind: Literal["filesystem", "block"] = "filesystem"
    pool: str = "rootfs"
    size: int = 1024
    owner: str = ""
    units: tuple[str, ...] = ()
    """The units that it is attached to."""
    life: Life = "alive"
    status: Status
    provider_id: str = ""


class StoragePool(Value, frozen=True, kw_only=True):
    """A named way to make storage."""

    name: str
    provider: str
    attrs: dict[str, object] = {}


class SecretRevision(Value, frozen=True, kw_only=True):
    """What a user's secret says from one time on; values are in base64."""

    number: int
    content: dict[str, Secret]
    created: datetime.datetime


class UserSecret(Value, frozen=True, kw_only=True):
    """A secret of the model's users, by its id of 20 letters and digits."""

    id: str
    label: str = ""
    description: str = ""
    revisions: tuple[SecretRevision, ...]
    granted: tuple[str, ...] = ()
    """Applications that may read it."""
    auto_prune: bool = False
    created: datetime.datetime
    updated: datetime.datetime


class ActionTask(Value, frozen=True, kw_only=True):
    """One action on one unit or machine (``receiver`` is its tag)."""

    id: str
    receiver: str
    name: str
    parameters: dict[str, object] = {}
    status: str = "pending"
    message: str = ""
    output: dict[str, object] = {}
    enqueued: datetime.datetime
    completed: datetime.datetime | None = None


class Operation(Value, frozen=True, kw_only=True):
    """What one command asked of some units. Ids count together with the tasks'."""

    id: str
    summary: str
    tasks: tuple[ActionTask, ...]
    enqueued: datetime.datetime


class Space(Value, frozen=True, kw_only=True):
    """A network space; ``alpha`` is always there and is not stored."""

    id: str
    name: str
    cidrs: tuple[str, ...] = ()


class OfferConnection(Value, frozen=True, kw_only=True):
    """A relation of some model to an offer."""

    relation_id: int
    model: ModelUUID
    user: str
    endpoint: str
    status: Status


class Offer(Value, frozen=True, kw_only=True):
    """What a model offers; ``endpoints`` are from published names to the application's own."""

    uuid: str
    name: str
    application: str
    description: str = ""
    endpoints: dict[str, str] = {}
    users: dict[str, OfferAccess] = {}
    connections: tuple[OfferConnection, ...] = ()


class RemoteEndpoint(Value, frozen=True, kw_only=True):
    """An endpoint of a consumed offer."""

    name: str
    role: str
    interface: str


class RemoteApplication(Value, frozen=True, kw_only=True):
    """Another model's offer as an application of this one. ``source_controller`` is empty where
    nobody said it."""

    name: str
    offer_uuid: str
    offer_url: str
    source_model: ModelUUID
    source_controller: str = ""
    endpoints: tuple[RemoteEndpoint, ...] = ()
    status: Status


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
    charms: dict[str, Charm] = {}
    """By url."""
    resources: tuple[Resource, ...] = ()
    """Those of applications, and those that wait for one."""
    annotations: dict[str, dict[str, str]] = {}
    blocks: tuple[Block, ...] = ()
    storage: dict[str, Storage] = {}
    pools: dict[str, StoragePool] = {}
    secrets: dict[str, UserSecret] = {}
    operations: tuple[Operation, ...] = ()
    spaces: dict[str, Space] = {}
    offers: dict[str, Offer] = {}
    """By name."""
    remote_applications: dict[str, RemoteApplication] = {}
    """Consumed offers of other models."""
    sequences: dict[str, int] = {}
    """The next number of storage, relations, operations and blocks."""
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
