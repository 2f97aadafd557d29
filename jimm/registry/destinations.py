"""Controllers outside the fleet to which models are on their way.

Each is known by its migration alone, and forgotten with the end of that.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, insert, select

from jimm.errors import NotFound
from jimm.registry.controllers import OUTSIDE, Controller
from jimm.registry.listen import CONTROLLERS
from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession, WriteSession, notify
from jimm.registry.tables import MigrationDestinationRow, MigrationRow
from jimm.registry.words import ControllerStatus, Trust
from jimm.wire.tags import ControllerUUID, is_uuid


@dataclass(frozen=True)
class NewDestination:
    """Where a model goes, and a superuser's login there.

    ``password_sealed`` is sealed for :func:`place`.
    """

    migration_id: str
    uuid: ControllerUUID
    public_address: str
    addresses: tuple[str, ...]
    tls_hostname: str
    ca_certificate: str
    username: str
    password_sealed: bytes

    def __repr__(self) -> str:
        return f"NewDestination({self.migration_id}, {self.uuid})"


@dataclass(frozen=True)
class Destination(NewDestination):
    """A destination; ``name`` is what the administrator calls it."""

    name: str
    since: datetime

    def __repr__(self) -> str:
        return f"Destination({self.migration_id}, {self.name})"

    @property
    def controller(self) -> Controller:
        """The same in the shape of a registered one; nobody else knows it."""
        return outside(self, self.name, self.since)


def outside(destination: NewDestination, name: str, since: datetime) -> Controller:
    """A controller that is not registered, in the shape of one that is."""
    return Controller(
        id=OUTSIDE,
        name=name,
        uuid=destination.uuid,
        public_address=destination.public_address,
        addresses=destination.addresses,
        tls_hostname=destination.tls_hostname,
        ca_certificate=destination.ca_certificate,
        trust=Trust.PASSWORD,
        admin_username=destination.username,
        cloud="",
        region="",
        controller_model_uuid=None,
        agent_version="",
        status=ControllerStatus.AVAILABLE,
        status_info="",
        status_since=since,
        seen_at=None,
        deprecated=False,
        created_at=since,
    )


def place(migration_id: str) -> dict[str, str]:
    """Where the password of a destination is, for sealing it."""
    return {"table": "migration_destinations", "column": "password_sealed", "row": migration_id}


async def add(session: WriteSession, new: NewDestination) -> None:
    """Remembers where a migration goes, and has every replica make a link to it."""
    await session.execute(insert(MigrationDestinationRow).values(asdict(new)))
    await notify(session, CONTROLLERS, new.uuid)


async def of_migration(session: ReadSession, migration_id: str) -> Destination:
    """Where a migration goes that is under way.

    Raises:
        NotFound: it is over, or goes to a registered controller.
    """
    statement = _select().where(MigrationDestinationRow.migration_id == migration_id)
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound(f'migration "{migration_id}" has no destination outside the fleet')
    return record(Destination, row)


async def by_uuid(session: ReadSession, uuid: str) -> Destination:
    """What was said last of that controller.

    Raises:
        NotFound: no model is on its way there.
    """
    unknown = NotFound(f'controller "{uuid}" not found')
    if not is_uuid(uuid):
        raise unknown
    statement = _select().where(MigrationDestinationRow.uuid == uuid).limit(1)
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise unknown
    return record(Destination, row)


async def every(session: ReadSession) -> list[Destination]:
    """All of them, the newest first; one controller may be there more than once."""
    return [record(Destination, row) for row in await session.execute(_select())]


async def forget(session: WriteSession, migration_id: str) -> None:
    """Forgets where a migration went, password and all."""
    statement = (
        delete(MigrationDestinationRow)
        .where(MigrationDestinationRow.migration_id == migration_id)
        .returning(MigrationDestinationRow.uuid)
    )
    uuid = (await session.execute(statement)).scalar_one_or_none()
    if uuid is not None:
        await notify(session, CONTROLLERS, uuid)


def _select() -> Select[Any]:
    return (
        select(
            *columns(MigrationDestinationRow, NewDestination),
            MigrationRow.target_name.label("name"),
            MigrationRow.started.label("since"),
        )
        .join(MigrationRow, MigrationRow.id == MigrationDestinationRow.migration_id)
        .order_by(MigrationRow.started.desc(), MigrationRow.id)
    )
