"""Who did what, through which door, and what came of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select, text

from jimm.registry import audit_partitions as partitions
from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.tables import AuditEventRow
from jimm.wire.tags import ModelUUID

_LONG: Final = "600s"
"""What a purge may take."""


@dataclass(frozen=True)
class NewAuditEvent:
    """Something that somebody did. ``params`` are redacted already."""

    identity: str
    door: str
    action: str
    outcome: str
    params: dict[str, object]
    model_uuid: ModelUUID | None = None
    controller: str = ""
    error_code: str = ""


@dataclass(frozen=True)
class AuditEvent:
    """A record of it."""

    id: int
    at: datetime
    identity: str
    door: str
    action: str
    model_uuid: ModelUUID | None
    controller: str
    params: dict[str, object]
    outcome: str
    error_code: str


async def add(session: WriteSession, events: Sequence[NewAuditEvent]) -> None:
    """Records events."""
    if events:
        await session.execute(insert(AuditEventRow).values([asdict(event) for event in events]))


async def page(
    session: ReadSession,
    *,
    before: int | None = None,
    limit: int = 100,
    identity: str = "",
    model_uuid: str = "",
) -> list[AuditEvent]:
    """Events, the newest first, older than the id ``before``."""
    newest_first = (AuditEventRow.at.desc(), AuditEventRow.id.desc())
    statement = select(*columns(AuditEventRow, AuditEvent)).order_by(*newest_first).limit(limit)
    if before is not None:
        statement = statement.where(AuditEventRow.id < before)
    if identity:
        statement = statement.where(AuditEventRow.identity == identity)
    if model_uuid:
        statement = statement.where(AuditEventRow.model_uuid == model_uuid)
    return [record(AuditEvent, row) for row in await session.execute(statement)]


async def purge(session: WriteSession, before: datetime) -> int:
    """Removes what is older: past months as a whole, the rest one by one; how many there were.

    The present month stays as a table, to be written to.
    """
    await session.execute(text(f"SET LOCAL statement_timeout = '{_LONG}'"))
    months = await partitions.past(session, before)
    rest = delete(AuditEventRow).where(AuditEventRow.at < before)
    if months:
        rest = rest.where(AuditEventRow.at >= months[-1].after().begin)
    count = (await (await session.connection()).execute(rest)).rowcount
    for month in months:  # last, for searches wait while it goes on
        count += await partitions.remove(session, month)
    return count
