"""Device logins: a client waits while a person says in a browser who it acts for."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from jimm.errors import AlreadyExists
from jimm.registry.listen import DEVICE_LOGINS
from jimm.registry.rows import columns, record, violations
from jimm.registry.session import ReadSession, WriteSession, notify
from jimm.registry.tables import DeviceLoginRow, IdentityRow
from jimm.wire.tags import is_uuid


@dataclass(frozen=True)
class DeviceRecord:
    """A device login; ``client`` is what is known of who asks."""

    id: str
    user_code: str
    client: str
    created_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None
    refused_at: datetime | None
    collected_at: datetime | None


async def add(
    session: WriteSession, login_id: str, user_code: str, client: str, expires_at: datetime
) -> None:
    """Remembers a login that somebody has begun.

    Raises:
        AlreadyExists: another login has that code.
    """
    taken = AlreadyExists("the code is in use")
    statement = insert(DeviceLoginRow).values(
        id=login_id, user_code=user_code, client=client, expires_at=expires_at
    )
    async with violations(session, {"uq_device_logins_user_code": taken}):
        await session.execute(statement)


async def by_code(session: ReadSession, user_code: str) -> DeviceRecord | None:
    """The login with that code, whatever became of it."""
    statement = select(*_columns()).where(DeviceLoginRow.user_code == user_code)
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else record(DeviceRecord, row)


async def among(session: ReadSession, ids: Collection[str]) -> list[DeviceRecord]:
    """Those of these logins that are still remembered."""
    statement = select(*_columns()).where(DeviceLoginRow.id.in_(ids))
    return [record(DeviceRecord, row) for row in await session.execute(statement)]


async def confirm(session: WriteSession, login_id: str, identity_id: int, now: datetime) -> bool:
    """Says who the client acts for; ``False`` if nobody waits for that (any more)."""
    return await _settle(session, login_id, now, confirmed_at=func.now(), identity_id=identity_id)


async def refuse(session: WriteSession, login_id: str, now: datetime) -> bool:
    """Says that the client gets nothing; ``False`` if nobody waits for that (any more)."""
    return await _settle(session, login_id, now, refused_at=func.now())


async def collect(session: WriteSession, login_id: str) -> str | None:
    """The name of who confirmed, for the first that asks; ``None`` for all others.

    A disabled identity's logins can't be collected.
    """
    statement = (
        update(DeviceLoginRow)
        .where(
            DeviceLoginRow.id == login_id,
            DeviceLoginRow.confirmed_at.is_not(None),
            DeviceLoginRow.collected_at.is_(None),
            IdentityRow.id == DeviceLoginRow.identity_id,
            IdentityRow.disabled_at.is_(None),
        )
        .values(collected_at=func.now())
        .returning(IdentityRow.name)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def forget(session: WriteSession, *, expired_before: datetime) -> None:
    """Removes the logins whose time was over then."""
    await session.execute(delete(DeviceLoginRow).where(DeviceLoginRow.expires_at < expired_before))


async def _settle(session: WriteSession, login_id: str, now: datetime, **values: Any) -> bool:
    if not is_uuid(login_id):
        return False
    statement = (
        update(DeviceLoginRow)
        .where(DeviceLoginRow.id == login_id, *_open(now))
        .values(**values)
        .returning(DeviceLoginRow.id)
    )
    if (await session.execute(statement)).first() is None:
        return False
    await notify(session, DEVICE_LOGINS, login_id)
    return True


def _open(now: datetime) -> list[ColumnElement[bool]]:
    return [
        DeviceLoginRow.confirmed_at.is_(None),
        DeviceLoginRow.refused_at.is_(None),
        DeviceLoginRow.expires_at > now,
    ]


def _columns() -> list[InstrumentedAttribute[Any]]:
    return columns(DeviceLoginRow, DeviceRecord)
