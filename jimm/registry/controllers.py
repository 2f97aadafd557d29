"""Controllers: who they are, how to reach them, and what the last look at them said."""

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, Text, case, cast, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import InstrumentedAttribute

from jimm.errors import AlreadyExists, Conflict, NotFound, StillAlive
from jimm.registry.listen import CONTROLLERS
from jimm.registry.prepared import Question
from jimm.registry.relations import MAY_ADD, related
from jimm.registry.rows import columns, record, violations
from jimm.registry.session import ReadSession, Registry, WriteSession, notify
from jimm.registry.tables import (
    ControllerRow,
    ControllerUserRow,
    IdentityRow,
    MigrationRow,
    ModelRow,
    RelationRow,
)
from jimm.registry.words import ControllerStatus, ModelState, ObjectKind, Trust
from jimm.wire.tags import ControllerUUID, ModelUUID, is_uuid

OUTSIDE: Final = 0
"""In place of the id of a controller that has none: see :mod:`jimm.registry.destinations`."""


@dataclass(frozen=True)
class NewController:
    """A controller to register, and how JIMM logs in there.

    ``admin_password_sealed`` has the place (``controllers``, ``admin_password_sealed``, uuid).
    """

    name: str
    uuid: ControllerUUID
    public_address: str
    addresses: tuple[str, ...]
    tls_hostname: str
    ca_certificate: str
    trust: Trust
    admin_username: str
    admin_password_sealed: bytes | None
    cloud: str
    region: str
    controller_model_uuid: ModelUUID | None
    agent_version: str


@dataclass(frozen=True)
class Controller:
    """A registered controller, without its secrets."""

    id: int
    name: str
    uuid: ControllerUUID
    public_address: str
    addresses: tuple[str, ...]
    tls_hostname: str
    ca_certificate: str
    trust: Trust
    admin_username: str
    cloud: str
    region: str
    controller_model_uuid: ModelUUID | None
    agent_version: str
    status: ControllerStatus
    status_info: str
    status_since: datetime
    seen_at: datetime | None
    deprecated: bool
    created_at: datetime

    @property
    def available(self) -> bool:
        """Whether the last look found it well."""
        return self.status is ControllerStatus.AVAILABLE

    @property
    def is_outside(self) -> bool:
        """Whether it is not registered, and only a migration knows it."""
        return self.id == OUTSIDE

    def __post_init__(self) -> None:
        object.__setattr__(self, "trust", Trust(self.trust))
        object.__setattr__(self, "status", ControllerStatus(self.status))


@dataclass(frozen=True)
class AdminLogin:
    """JIMM's own login on a controller; the password is sealed, ``None`` with token trust."""

    username: str
    password_sealed: bytes | None


@dataclass(frozen=True)
class Health:
    """What a look at a controller found. ``None`` and empty keep what was known."""

    status: ControllerStatus
    info: str = ""
    agent_version: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnmanagedModel:
    """A model whose controller was removed from under it."""

    name: str
    uuid: ModelUUID
    owner: str


@dataclass(frozen=True)
class LocalUser:
    """A user that JIMM keeps on a controller trusted by password.

    The sealed password's place is (``controller_users``, ``password_sealed``,
    ``<controller uuid>/<identity name>``). ``prepared_at`` is ``None`` until the user is there.
    """

    username: str
    password_sealed: bytes
    prepared_at: datetime | None


async def add(session: WriteSession, new: NewController) -> Controller:
    """Registers a controller; it is *unavailable* until its health is recorded.

    Raises:
        AlreadyExists: its name or its uuid is taken.
    """
    errors = {
        "uq_controllers_name": AlreadyExists(
            f'controller "{new.name}" already exists', field="name"
        ),
        "uq_controllers_uuid": AlreadyExists(
            f"controller {new.uuid} is already registered under another name", field="uuid"
        ),
    }
    statement = insert(ControllerRow).values(asdict(new)).returning(*_columns())
    async with violations(session, errors):
        added = record(Controller, (await session.execute(statement)).one())
    await notify(session, CONTROLLERS, added.uuid)
    return added


async def by_name(session: ReadSession, name: str) -> Controller:
    """The controller of that name.

    Raises:
        NotFound: there is none.
    """
    return await _one(session, select(*_columns()).where(ControllerRow.name == name), name)


async def versions(registry: Registry) -> list[str]:
    """The Juju versions of the registered controllers."""
    return [row["agent_version"] for row in await registry.ask(_versions())]


async def by_uuid(session: ReadSession, uuid: str) -> Controller:
    """The controller with that uuid.

    Raises:
        NotFound: there is none.
    """
    if not is_uuid(uuid):
        raise _unknown(uuid)
    return await _one(session, select(*_columns()).where(ControllerRow.uuid == uuid), uuid)


async def by_id(session: ReadSession, controller_id: int) -> Controller:
    """The controller of that row.

    Raises:
        NotFound: there is none (any more).
    """
    statement = select(*_columns()).where(ControllerRow.id == controller_id)
    return await _one(session, statement, str(controller_id))


async def every(session: ReadSession) -> list[Controller]:
    """All controllers by name."""
    statement = select(*_columns()).order_by(ControllerRow.name)
    return [record(Controller, row) for row in await session.execute(statement)]


async def page(
    session: ReadSession, *, after: str = "", limit: int = 100, may_add: str | None = None
) -> list[Controller]:
    """Controllers by name, after the name ``after``.

    With ``may_add`` only those on which that identity, or everyone, is administrator or may
    add models.
    """
    statement = (
        select(*_columns())
        .where(ControllerRow.name > after)
        .order_by(ControllerRow.name)
        .limit(limit)
    )
    if may_add is not None:
        statement = statement.where(
            related(may_add, ObjectKind.CONTROLLER, cast(ControllerRow.uuid, Text), MAY_ADD)
        )
    return [record(Controller, row) for row in await session.execute(statement)]


async def admin_login(session: ReadSession, uuid: str) -> AdminLogin:
    """JIMM's own login on a controller.

    Raises:
        NotFound: no such controller.
    """
    statement = select(ControllerRow.admin_username, ControllerRow.admin_password_sealed).where(
        ControllerRow.uuid == uuid
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise _unknown(uuid)
    return AdminLogin(row.admin_username, row.admin_password_sealed)


async def set_deprecated(session: WriteSession, name: str, deprecated: bool) -> Controller:
    """Says whether new models may be placed on it.

    Raises:
        NotFound: no such controller.
    """
    statement = (
        update(ControllerRow)
        .where(ControllerRow.name == name)
        .values(deprecated=deprecated)
        .returning(*_columns())
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise _unknown(name)
    changed = record(Controller, row)
    await notify(session, CONTROLLERS, changed.uuid)
    return changed


async def record_health(session: WriteSession, uuid: str, health: Health) -> bool:
    """Stores what a look found; ``status_since`` moves only when the status changes.

    Returns whether anything that others act on changed: they are notified then.
    """
    before = select(ControllerRow).where(ControllerRow.uuid == uuid).with_for_update()
    row = (await session.execute(before)).scalar_one_or_none()
    if row is None:
        return False
    addresses = health.addresses or row.addresses
    version = health.agent_version or row.agent_version
    changed = (row.status, row.addresses, row.agent_version) != (health.status, addresses, version)
    seen = health.status is ControllerStatus.AVAILABLE
    statement = (
        update(ControllerRow)
        .where(ControllerRow.uuid == uuid)
        .values(
            {
                ControllerRow.status: health.status,
                ControllerRow.status_info: health.info,
                ControllerRow.status_since: case(
                    (ControllerRow.status != health.status, func.now()),
                    else_=ControllerRow.status_since,
                ),
                ControllerRow.seen_at: func.now() if seen else ControllerRow.seen_at,
                ControllerRow.addresses: addresses,
                ControllerRow.agent_version: version,
            }
        )
        .execution_options(synchronize_session=False)
    )
    await session.execute(statement)
    if changed:
        await notify(session, CONTROLLERS, uuid)
    return changed


async def remove(session: WriteSession, name: str, *, force: bool = False) -> list[UnmanagedModel]:
    """Forgets a controller; with ``force`` its models stay known as unmanaged, and are named.

    Raises:
        NotFound: no such controller.
        Conflict: a model is on its way from or to it, forced or not.
        StillAlive: models live there, and it is not forced.
    """
    locked = select(*_columns()).where(ControllerRow.name == name).with_for_update()
    controller = await _one(session, locked, name)
    await _refuse_while_moving(session, controller)
    on_it = ModelRow.controller_id == controller.id
    if not force:
        count = await session.scalar(select(func.count()).select_from(ModelRow).where(on_it))
        if count:
            raise StillAlive(
                f'controller "{name}" still has {count} model(s); migrate or destroy them, '
                "or remove it by force"
            )
    await session.execute(
        delete(ModelRow).where(on_it, ModelRow.uuid.is_(None))  # nobody knows what became of it
    )
    statement = (
        update(ModelRow)
        .where(on_it, ModelRow.owner_id == IdentityRow.id)
        .values(controller_id=None, state=ModelState.UNMANAGED, missing_since=None)
        .returning(ModelRow.name, ModelRow.uuid, IdentityRow.name.label("owner"))
        .execution_options(synchronize_session=False)
    )
    unmanaged = [record(UnmanagedModel, row) for row in await session.execute(statement)]
    await session.execute(
        delete(RelationRow).where(
            RelationRow.object_kind == ObjectKind.CONTROLLER,
            RelationRow.object_key == controller.uuid,
        )
    )
    await session.execute(delete(ControllerRow).where(ControllerRow.id == controller.id))
    await notify(session, CONTROLLERS, controller.uuid)
    return sorted(unmanaged, key=lambda model: (model.owner, model.name))


async def local_user(
    session: ReadSession, controller_id: int, identity_id: int
) -> LocalUser | None:
    """The user that JIMM keeps there for an identity, if it ever made one."""
    statement = select(*columns(ControllerUserRow, LocalUser)).where(
        ControllerUserRow.controller_id == controller_id,
        ControllerUserRow.identity_id == identity_id,
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else record(LocalUser, row)


async def local_users(session: ReadSession, controller_id: int) -> dict[str, str]:
    """The users that JIMM keeps on a controller: the identity of each, by its name there."""
    statement = (
        select(ControllerUserRow.username, IdentityRow.name)
        .join(IdentityRow, IdentityRow.id == ControllerUserRow.identity_id)
        .where(ControllerUserRow.controller_id == controller_id)
    )
    return {row.username: row.name for row in await session.execute(statement)}


async def add_local_user(
    session: WriteSession, controller_id: int, identity_id: int, username: str, sealed: bytes
) -> LocalUser:
    """Remembers a user before it is made on the controller; the first password stays."""
    statement = upsert(ControllerUserRow).values(
        controller_id=controller_id,
        identity_id=identity_id,
        username=username,
        password_sealed=sealed,
    )
    await session.execute(statement.on_conflict_do_nothing())
    there = await local_user(session, controller_id, identity_id)
    if there is None:
        raise Conflict(f"local user {username} was removed meanwhile; try again")
    return there


async def mark_prepared(session: WriteSession, controller_id: int, identity_id: int) -> None:
    """Records that the user is on the controller, with the remembered password."""
    await session.execute(
        update(ControllerUserRow)
        .where(
            ControllerUserRow.controller_id == controller_id,
            ControllerUserRow.identity_id == identity_id,
        )
        .values(prepared_at=func.now())
    )


async def _refuse_while_moving(session: ReadSession, controller: Controller) -> None:
    moving = await session.scalar(
        select(func.count())
        .select_from(MigrationRow)
        .where(
            MigrationRow.ended.is_(None),
            or_(MigrationRow.source_id == controller.id, MigrationRow.target_id == controller.id),
        )
    )
    if moving:
        raise Conflict(
            f'{moving} model(s) are being migrated from or to controller "{controller.name}"; '
            "wait until they have arrived"
        )


@cache
def _versions() -> Question:
    return Question(select(ControllerRow.agent_version).distinct())


def _columns() -> list[InstrumentedAttribute[Any]]:
    return columns(ControllerRow, Controller)


async def _one(session: ReadSession, statement: Select[Any], key: str) -> Controller:
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise _unknown(key)
    return record(Controller, row)


def _unknown(key: str) -> NotFound:
    return NotFound(f'controller "{key}" not found')
