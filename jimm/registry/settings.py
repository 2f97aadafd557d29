"""JIMM's own settings: its uuid, and sealed values such as the CA's key."""

import uuid

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.tables import SealedSettingRow, SettingRow
from jimm.wire.tags import ControllerUUID

JIMM_UUID = "jimm-uuid"


async def get(session: ReadSession, key: str) -> str | None:
    """The value, if there is one."""
    statement = select(SettingRow.value).where(SettingRow.key == key)
    return (await session.execute(statement)).scalar_one_or_none()


async def put(session: WriteSession, key: str, value: str) -> None:
    """Sets the value."""
    statement = insert(SettingRow).values(key=key, value=value)
    await session.execute(
        statement.on_conflict_do_update(index_elements=[SettingRow.key], set_={"value": value})
    )


async def put_once(session: WriteSession, key: str, value: str) -> str:
    """Sets the value if there is none; the value that there is now."""
    statement = insert(SettingRow).values(key=key, value=value).on_conflict_do_nothing()
    await session.execute(statement)
    return (
        await session.execute(select(SettingRow.value).where(SettingRow.key == key))
    ).scalar_one()


async def remove(session: WriteSession, key: str, value: str) -> None:
    """Removes a value, if it is still this one."""
    await session.execute(
        delete(SettingRow).where(SettingRow.key == key, SettingRow.value == value)
    )


async def keys(session: ReadSession, prefix: str) -> list[str]:
    """The keys of the values that begin so."""
    statement = select(SettingRow.key).where(SettingRow.key.startswith(prefix, autoescape=True))
    return list((await session.execute(statement)).scalars())


async def jimm_uuid(session: WriteSession) -> ControllerUUID:
    """JIMM's uuid, made at the first call ever."""
    return ControllerUUID(await put_once(session, JIMM_UUID, str(uuid.uuid4())))


async def sealed(session: ReadSession, key: str) -> bytes | None:
    """A sealed value, if there is one; its place is (``sealed_settings``, ``sealed``, key)."""
    statement = select(SealedSettingRow.sealed).where(SealedSettingRow.key == key)
    return (await session.execute(statement)).scalar_one_or_none()


async def put_sealed_once(session: WriteSession, key: str, value: bytes) -> bytes:
    """Sets a sealed value if there is none; the sealed value that there is now."""
    statement = insert(SealedSettingRow).values(key=key, sealed=value).on_conflict_do_nothing()
    await session.execute(statement)
    return (
        await session.execute(select(SealedSettingRow.sealed).where(SealedSettingRow.key == key))
    ).scalar_one()


async def put_sealed(session: WriteSession, key: str, value: bytes) -> None:
    """Sets a sealed value."""
    statement = insert(SealedSettingRow).values(key=key, sealed=value)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[SealedSettingRow.key], set_={"sealed": value}
        )
    )


async def sealed_keys(session: ReadSession, prefix: str) -> list[str]:
    """The keys of the sealed values, empty ones left out, that begin so."""
    statement = select(SealedSettingRow.key).where(
        SealedSettingRow.key.startswith(prefix, autoescape=True), SealedSettingRow.sealed != b""
    )
    return list((await session.execute(statement)).scalars())
