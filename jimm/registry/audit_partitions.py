"""The audit trail's months: each is a partition, made ahead and dropped as a whole.

There is no default partition: what fell into one would stand in the way of the month that it
belongs to, and be looked through by every search. A record that comes before its month makes it
(:mod:`jimm.registry.audit_writer`).
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, text
from sqlalchemy.exc import OperationalError

from jimm.registry.audit_months import PARTITION, Month, statements
from jimm.registry.session import ReadSession, WriteSession, now
from jimm.registry.tables import AuditWriterRow

AHEAD: Final = 2
"""Months that are made beside the present one."""

PATIENCE: Final = "2s"
"""How long a month that is to go waits for those who read, and all others for it."""

_SILENT: Final = 7
"""Days after which a process that wrote nothing is not believed to be there."""


async def make(session: WriteSession, first: Month, months: int = AHEAD + 1) -> None:
    """Makes the partitions of so many months, where they are not there yet."""
    there = set(await made(session))
    for number in range(months):
        month = first.after(number)
        if month in there:
            continue
        for statement in statements(month):
            await session.execute(text(statement))


async def made(session: ReadSession) -> list[Month]:
    """The months that there are partitions of, the oldest first."""
    rows = await session.scalars(
        text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = to_regclass('audit_events')"
        )
    )
    found = (PARTITION.fullmatch(name) for name in rows)
    return sorted(Month(int(each[1]), int(each[2])) for each in found if each)


async def past(session: ReadSession, before: datetime) -> list[Month]:
    """The months that there are partitions of and that were over at ``before``, and are."""
    over = min(before, await now(session))
    return [month for month in await made(session) if month.after().begin <= over]


async def remove(session: WriteSession, month: Month) -> int:
    """Removes a month; how many records there were. It is emptied one by one where somebody
    reads for longer than :data:`PATIENCE`."""
    table = month.table
    count = await session.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - ours
    try:
        async with session.begin_nested():
            await session.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
            await session.execute(text(f"DROP TABLE {table}"))
    except OperationalError:
        await session.execute(text(f"DELETE FROM {table}"))  # noqa: S608 - ours
    return int(count or 0)


async def drop(session: WriteSession, before: datetime) -> list[Month]:
    """Drops the months that were over at ``before``; those that were.

    Raises:
        OperationalError: somebody reads them; try again later.
    """
    months = await past(session, before)
    await session.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
    for month in months:
        await session.execute(text(f"DROP TABLE IF EXISTS {month.table}"))
    return months


async def forget_writers(session: WriteSession) -> None:
    """Removes the rows of processes that ended without doing so."""
    await session.execute(
        delete(AuditWriterRow).where(AuditWriterRow.seen < func.now() - timedelta(days=_SILENT))
    )
