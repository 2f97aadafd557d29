"""The bodies of ``/v1``: hyphenated keys, times in RFC 3339 with a zone, absent when empty."""

from datetime import datetime
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
)


def _hyphened(name: str) -> str:
    return name.replace("_", "-")


class Body(BaseModel):
    """Base of every body of an answer."""

    model_config = ConfigDict(
        alias_generator=_hyphened, populate_by_name=True, extra="forbid", protected_namespaces=()
    )


class Asked(BaseModel):
    """Base of every body of a request. Unknown keys are refused, so that a typo is told; and a
    key has one spelling."""

    model_config = ConfigDict(alias_generator=_hyphened, extra="forbid", protected_namespaces=())


class TokenRequest(Asked):
    """A login by name and password."""

    username: str
    password: SecretStr
    name: str = Field(default="", max_length=100, description="What the token is for.")


class IssuedToken(Body):
    """A session token; it is shown this once."""

    token: str
    id: str
    identity: str
    expires: datetime


class Token(Body):
    """A session token as its owner sees it later."""

    id: str
    name: str
    created: datetime
    last_used: datetime | None = None
    expires: datetime


class Tokens(Body):
    """The caller's session tokens."""

    tokens: list[Token]


class ServiceAccountRequest(Asked):
    """A service account to make; with ``replace`` one that is there gets another secret."""

    name: str
    replace: bool = False


class ServiceAccountKey(Body):
    """How a service account logs in; the secret is shown this once."""

    client_id: str
    client_secret: str
    identity: str


class ServiceAccount(Body):
    """A service account as it is seen later."""

    client_id: str
    identity: str
    created_by: str
    created: datetime
    last_login: datetime | None = None


class ServiceAccounts(Body):
    """All service accounts."""

    service_accounts: list[ServiceAccount]


class Whoami(Body):
    """Who the bearer is."""

    identity: str
    display_name: str
    admin: bool
    jimm_uuid: str
    address: str


class Status(Body):
    """``available``, ``deprecated`` or ``unavailable``, with the reason and since when."""

    status: str
    info: str = ""
    since: datetime | None = None


class Controller(Body):
    """A registered controller; addresses and CA are for administrators."""

    name: str
    uuid: str
    public_address: str = ""
    api_addresses: list[str] = []
    ca_certificate: str = ""
    cloud_tag: str
    cloud_region: str
    agent_version: str
    status: Status
    deprecated: bool
    trust: str


class Controllers(Body):
    """Registered controllers, by name."""

    controllers: list[Controller]
    next: str | None = None


class NewController(Asked):
    """What ``jimmctl add-controller FILE`` sends."""

    name: str
    uuid: str = ""
    public_address: str = ""
    tls_hostname: str = ""
    api_addresses: list[str] = []
    ca_certificate: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")


class ControllerChange(Asked):
    """What may be changed of a controller."""

    deprecated: bool


class ModelName(Body):
    """A model's names."""

    model_name: str
    model_uuid: str
    owner: str


class Removed(Body):
    """A removed controller's models, which JIMM still knows and no longer manages."""

    unmanaged: list[ModelName]


class ModelMigration(Body):
    """The migration that a model is in."""

    migration_id: str
    state: str
    phase: str
    message: str
    started: datetime


class Model(Body):
    """A model and the controller that hosts it."""

    model_name: str
    model_uuid: str
    owner: str
    controller_name: str
    controller_uuid: str
    cloud: str
    region: str
    status: str
    life: str
    migration: ModelMigration | None = None


class Models(Body):
    """The models that the caller may see, by owner and name."""

    models: list[Model]
    next: str | None = None


class UpdateMigrated(Asked):
    """Where a model moved by hand is now."""

    controller: str


class Updated(Body):
    """Whether the registry was changed, in words too."""

    changed: bool
    message: str


def _only_true(value: object) -> object:
    return value or None


Flag = Annotated[bool | None, BeforeValidator(_only_true)]
"""True, or absent."""


class Check(Body):
    """Something that speaks against a migration, and what to do. `advice` stands in nobody's
    way; what is `mendable` is made right with `prepare`."""

    code: str
    found: str
    remedy: str
    advice: Flag = None
    mendable: Flag = None


class Target(Controller):
    """A controller as a migration's target."""

    ready: bool
    checks: list[Check]


class Targets(Body):
    """Every other controller, with the reasons against it."""

    controllers: list[Target]


class PlacementRequest(Asked):
    """A model that might be created."""

    cloud: str = ""
    region: str = ""
    owner: str = ""
    controller: str = ""


class PlacementCandidate(Body):
    """A controller and why it is or isn't eligible; ``rank`` 1 would be tried first."""

    controller: str
    eligible: bool
    reasons: list[str]
    rank: int | None = None


class Explanation(Body):
    """What a placement would be decided from now. Ranks among equals change each time."""

    policy: str
    candidates: list[PlacementCandidate]


class Attempt(Body):
    """A controller that was tried, and what came of it."""

    controller: str
    outcome: str


class Placement(Body):
    """A decision that was made."""

    id: str
    model_name: str
    owner: str
    cloud: str
    region: str
    policy: str
    chosen: str | None = None
    candidates: list[PlacementCandidate]
    attempts: list[Attempt]
    requested_by: str
    at: datetime


class Placements(Body):
    """Decisions, newest first."""

    placements: list[Placement]
    next: str | None = None


class MigrationRequest(Asked):
    """A model (uuid, ``model-<uuid>`` or ``owner/name``) and where it shall go. With
    ``prepare`` what can be made right on the target will be."""

    model: str
    controller: str
    dry_run: bool = False
    prepare: bool = False


class DryRun(Body):
    """Whether the migration could start now, everything that stands in the way, and advice."""

    ready: bool
    checks: list[Check]


class MigrationError(Body):
    """Why a migration failed, and what to do."""

    code: str
    message: str
    remedy: str | None = None


class Prepared(Body):
    """Something that was made on the target for a migration. `undone`: it was taken back, since
    the migration failed."""

    kind: str
    name: str
    undone: bool = False


class MigrationEvent(Body):
    """One step of a migration's history."""

    seq: int
    at: datetime
    state: str
    phase: str
    message: str


class Outlook(Body):
    """What is expected of a migration at a moment. `expected-rest` are seconds until its end,
    from what others of its size took; absent where nobody can tell. `slow`: it has been in its
    phase for longer than nearly all others."""

    at: datetime
    state: str
    phase: str
    phase_since: datetime
    expected_rest: float | None = None
    slow: bool


class Migration(Body):
    """A model's migration: JIMM's state, Juju's phase and message. `expected-rest` and `slow`
    are as in an Outlook; `debris` is what a controller kept though it should not have;
    `machines` and `units` are the model's size, 0 as long as it was not looked at."""

    migration_id: str
    model_uuid: str
    model_name: str
    owner: str
    source: str
    target: str
    state: str
    phase: str
    message: str
    requested_by: str
    started: datetime
    phase_since: datetime
    ended: datetime | None = None
    expected_rest: float | None = None
    slow: bool
    error: MigrationError | None = None
    debris: str | None = None
    checks: list[Check] = []
    prepare: bool
    prepared: list[Prepared] = []
    machines: int
    units: int
    history: list[MigrationEvent] | None = None


class Migrations(Body):
    """Migrations, newest first."""

    migrations: list[Migration]
    next: str | None = None


class Problem(Body):
    """What went wrong (RFC 9457). `code` is Juju's where Juju has one; `field` is the field at
    fault; `checks` are the reasons against a migration."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str = ""
    checks: list[Check] = []


class Resolution(Asked):
    """An administrator's word on a migration that never ends."""

    model_is_on: str
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Nothing(Body):
    """An empty object."""
