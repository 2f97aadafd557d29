"""Events that have happened, written as they are."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from jimm.registry.audit_months import Month
from jimm.registry.audit_partitions import make
from jimm.registry.session import Registry
from jimm.registry.tables import AuditEventRow

FIRST = datetime(2026, 3, 30, 12, 0, tzinfo=UTC)
"""When all began: two days before a month ends."""


@dataclass(frozen=True)
class Past:
    """An event: a call of alice's where not said otherwise."""

    at: datetime
    identity: str = "alice@jimm"
    door: str = "model"
    action: str = "call"
    model_uuid: str | None = None
    controller: str = ""
    params: dict[str, object] = field(default_factory=dict)
    outcome: str = ""
    error_code: str = ""
    conversation: str = "0123456789abcdef"
    message_id: int = 1
    facade: str = "Client"
    facade_version: int = 6
    method: str = "FullStatus"
    object_id: str = ""
    is_response: bool = False
    error: str = ""
    client: str = ""


def at(hours: float) -> datetime:
    """So many hours after the first."""
    return FIRST + timedelta(hours=hours)


def own(hours: float, action: str, **more: Any) -> Past:
    """What JIMM itself did."""
    return Past(
        at(hours),
        action=action,
        conversation="",
        message_id=0,
        facade="",
        facade_version=0,
        method="",
        **{"door": "rest", "outcome": "done", **more},
    )


async def write(registry: Registry, events: Sequence[Past]) -> None:
    """Writes them down, with the months that they are of."""
    async with registry.write() as session:
        for year, month in sorted({(each.at.year, each.at.month) for each in events}):
            await make(session, Month(year, month), months=1)
        await session.execute(insert(AuditEventRow).values([asdict(each) for each in events]))
