"""Identities and their passwords. Names are full: ``alice@jimm``."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ARRAY, Text, any_, bindparam, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import InstrumentedAttribute

from jimm.errors import AlreadyExists, UserNotFound
from jimm.registry.listen import IDENTITIES
from jimm.registry.prepared import Question
from jimm.registry.relations import administers
from jimm.registry.rows import columns, record, violations
from jimm.registry.session import ReadSession, Registry, WriteSession, notify
from jimm.registry.tables import IdentityRow, PasswordRow


@dataclass(frozen=True)
class IdentityRecord:
    """Somebody, or something, that logs in."""

    id: int
    name: str
    display_name: str
    created_at: datetime
    disabled_at: datetime | None
    last_login_at: datetime | None

    @property
    def disabled(self) -> bool:
        """Whether they may not log in."""
        return self.disabled_at is not None


@dataclass(frozen=True)
class LoginRecord:
    """What a password login needs: the identity, its hash if it has one, its administration."""

    identity: IdentityRecord
    password_hash: str | None
    admin: bool


async def add(session: WriteSession, name: str, display_name: str = "") -> IdentityRecord:
    """Makes an identity.

    Raises:
        AlreadyExists: the name is taken.
    """
    taken = AlreadyExists(f'user "{name}" already exists', field="name")
    statement = (
        insert(IdentityRow).values(name=name, display_name=display_name).returning(*_columns())
    )
    async with violations(session, {"uq_identities_name": taken}):
        return record(IdentityRecord, (await session.execute(statement)).one())


async def ensure(session: WriteSession, name: str) -> IdentityRecord:
    """The identity of that name, made if there is none (a grant may come before a login)."""
    await session.execute(upsert(IdentityRow).values(name=name).on_conflict_do_nothing())
    return await by_name(session, name)


async def by_name(session: ReadSession, name: str) -> IdentityRecord:
    """The identity of that name.

    Raises:
        UserNotFound: there is none.
    """
    return await _one(session, select(*_columns()).where(IdentityRow.name == name), name)


async def known(session: ReadSession, names: Collection[str]) -> set[str]:
    """Those of the names that are somebody's."""
    statement = select(IdentityRow.name).where(IdentityRow.name.in_(names))
    return set(await session.scalars(statement))


async def disabled(session: ReadSession, names: Collection[str]) -> set[str]:
    """Those of the names whose identities may not log in."""
    statement = select(IdentityRow.name).where(
        IdentityRow.name.in_(names), IdentityRow.disabled_at.is_not(None)
    )
    return set(await session.scalars(statement))


async def page(session: ReadSession, *, after: str = "", limit: int = 100) -> list[IdentityRecord]:
    """Identities by name, after the name ``after``."""
    statement = (
        select(*_columns()).where(IdentityRow.name > after).order_by(IdentityRow.name).limit(limit)
    )
    return [record(IdentityRecord, row) for row in await session.execute(statement)]


async def login(registry: Registry, name: str) -> LoginRecord | None:
    """What a password login needs, in one query; ``None`` for an unknown name."""
    rows = await registry.ask(_question(), name=name)
    if not rows:
        return None
    values = rows[0]
    password_hash, admin = values.pop("password_hash"), values.pop("admin")
    return LoginRecord(IdentityRecord(**values), password_hash, admin)


async def set_password(session: WriteSession, identity_id: int, password_hash: str) -> None:
    """Stores a password's hash instead of the one before, and tells those who remember it."""
    statement = upsert(PasswordRow).values(identity_id=identity_id, hash=password_hash)
    changed = {"hash": password_hash, "changed_at": func.now()}
    await session.execute(
        statement.on_conflict_do_update(index_elements=[PasswordRow.identity_id], set_=changed)
    )
    await _tell(session, identity_id)


async def set_disabled(session: WriteSession, name: str, disabled: bool) -> IdentityRecord:
    """Says whether they may log in; open connections are told.

    Raises:
        UserNotFound: there is no such identity.
    """
    since = func.coalesce(IdentityRow.disabled_at, func.now()) if disabled else None
    statement = (
        update(IdentityRow)
        .where(IdentityRow.name == name)
        .values(disabled_at=since)
        .returning(*_columns())
    )
    changed = await _one(session, statement, name)
    await notify(session, IDENTITIES, name)
    return changed


async def welcome(session: ReadSession, names: Collection[str]) -> set[str]:
    """Those of the names that may log in."""
    given = any_(literal(list(names), ARRAY(Text)))
    statement = select(IdentityRow.name).where(
        IdentityRow.name == given, IdentityRow.disabled_at.is_(None)
    )
    return set(await session.scalars(statement))


async def told_groups(session: ReadSession, name: str) -> tuple[str, ...]:
    """The groups that the identity provider told at the last login; none for an unknown name."""
    statement = select(IdentityRow.groups).where(IdentityRow.name == name)
    return (await session.execute(statement)).scalar_one_or_none() or ()


async def tell(
    session: WriteSession, identity_id: int, display_name: str, groups: tuple[str, ...]
) -> None:
    """Records a login with an identity provider, and what it told."""
    told = {"display_name": display_name, "groups": groups, "last_login_at": func.now()}
    await session.execute(update(IdentityRow).where(IdentityRow.id == identity_id).values(told))


@cache
def _question() -> Question:
    return Question(
        select(
            *_columns(),
            PasswordRow.hash.label("password_hash"),
            administers(IdentityRow.name).label("admin"),
        )
        .outerjoin(PasswordRow, PasswordRow.identity_id == IdentityRow.id)
        .where(IdentityRow.name == bindparam("name"))
    )


def _columns() -> list[InstrumentedAttribute[Any]]:
    return columns(IdentityRow, IdentityRecord)


async def _tell(session: WriteSession, identity_id: int) -> None:
    statement = select(IdentityRow.name).where(IdentityRow.id == identity_id)
    name = (await session.execute(statement)).scalar_one_or_none()
    if name is not None:
        await notify(session, IDENTITIES, name)


async def _one(session: ReadSession, statement: Any, name: str) -> IdentityRecord:
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise UserNotFound(f'user "{name}" not found')
    return record(IdentityRecord, row)
