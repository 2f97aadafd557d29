"""Who did what, through which door, and what came of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import insert, select

from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.tables import AuditEventRow
from jimm.wire.tags import ModelUUID


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
    statement = (
        select(*columns(AuditEventRow, AuditEvent)).order_by(AuditEventRow.id.desc()).limit(limit)
    )
    if before is not None:
        statement = statement.where(AuditEventRow.id < before)
    if identity:
        statement = statement.where(AuditEventRow.identity == identity)
    if model_uuid:
        statement = statement.where(AuditEventRow.model_uuid == model_uuid)
    return [record(AuditEvent, row) for row in await session.execute(statement)]
