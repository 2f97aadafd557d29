"""Session tokens, as hashes."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import Select, any_, bindparam, cast, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY, UUID
from sqlalchemy.orm import InstrumentedAttribute

from jimm.errors import NotFound
from jimm.registry.identities import IdentityRecord
from jimm.registry.listen import IDENTITIES
from jimm.registry.prepared import Question
from jimm.registry.relations import administers
from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession, Registry, WriteSession, notify
from jimm.registry.tables import IdentityRow, TokenRow
from jimm.wire.tags import is_uuid

_OWNER: Final = "identity_"
"""In front of the columns of a token's identity."""


@dataclass(frozen=True)
class TokenRecord:
    """A session token, without the token."""

    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True)
class TokenLogin:
    """What a token login needs."""

    token: TokenRecord
    identity: IdentityRecord
    admin: bool
    now: datetime


async def add(
    session: WriteSession,
    token_id: str,
    identity_id: int,
    name: str,
    digest: bytes,
    life: timedelta,
) -> TokenRecord:
    """Remembers a token for ``life`` from now."""
    statement = (
        insert(TokenRow)
        .values(
            id=token_id,
            identity_id=identity_id,
            name=name,
            hash=digest,
            expires_at=func.now() + life,
        )
        .returning(*_columns())
    )
    return record(TokenRecord, (await session.execute(statement)).one())


async def by_hash(registry: Registry, digest: bytes) -> TokenLogin | None:
    """The token with that hash, used up or not, its identity, and the database's time."""
    rows = await registry.ask(_question(), digest=digest)
    return login(rows[0]) if rows else None


def select_login(identity: type[IdentityRow] = IdentityRow) -> Select[Any]:
    """The columns of :class:`TokenLogin`, from all tokens; ``identity`` is their owners' table,
    which may be an alias."""
    return select(
        *_columns(),
        *(column.label(f"{_OWNER}{column.key}") for column in columns(identity, IdentityRecord)),
        administers(identity.name).label("admin"),
        func.now().label("now"),
    ).join(identity, identity.id == TokenRow.identity_id)


def login(row: dict[str, Any]) -> TokenLogin:
    """What is in a row of :func:`select_login`."""
    token = {name: row[name] for name in _names(TokenRecord)}
    owner = {name: row[f"{_OWNER}{name}"] for name in _names(IdentityRecord)}
    return TokenLogin(TokenRecord(**token), IdentityRecord(**owner), row["admin"], row["now"])


async def of_identity(session: ReadSession, identity_id: int) -> list[TokenRecord]:
    """Its usable tokens, the newest first."""
    statement = (
        select(*_columns())
        .where(
            TokenRow.identity_id == identity_id,
            TokenRow.revoked_at.is_(None),
            TokenRow.expires_at > func.now(),
        )
        .order_by(TokenRow.created_at.desc(), TokenRow.id)
    )
    return [record(TokenRecord, row) for row in await session.execute(statement)]


async def owner(session: ReadSession, token_id: str) -> IdentityRecord | None:
    """Whose token it is; ``None`` for an unknown one."""
    if not is_uuid(token_id):
        return None
    statement = (
        select(*columns(IdentityRow, IdentityRecord))
        .join(TokenRow, TokenRow.identity_id == IdentityRow.id)
        .where(TokenRow.id == token_id)
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else record(IdentityRecord, row)


async def revoked(session: ReadSession, token_ids: Collection[str]) -> set[str]:
    """Those of the tokens that were revoked."""
    given = any_(cast(list(token_ids), ARRAY(UUID(as_uuid=False))))
    statement = select(TokenRow.id).where(TokenRow.id == given, TokenRow.revoked_at.is_not(None))
    return set(await session.scalars(statement))


async def revoke(session: WriteSession, token_id: str, identity: IdentityRecord) -> None:
    """Ends one token of an identity.

    Raises:
        NotFound: it has no such token.
    """
    statement = (
        update(TokenRow)
        .where(
            TokenRow.id == token_id,
            TokenRow.identity_id == identity.id,
            TokenRow.revoked_at.is_(None),
        )
        .values(revoked_at=func.now())
        .returning(TokenRow.id)
    )
    if not is_uuid(token_id) or (await session.execute(statement)).first() is None:
        raise NotFound(f'token "{token_id}" not found')
    await notify(session, IDENTITIES, identity.name)


async def revoke_all(session: WriteSession, identity: IdentityRecord) -> None:
    """Ends all tokens of an identity."""
    await session.execute(
        update(TokenRow)
        .where(TokenRow.identity_id == identity.id, TokenRow.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    await notify(session, IDENTITIES, identity.name)


@cache
def _question() -> Question:
    return Question(select_login().where(TokenRow.hash == bindparam("digest")))


@cache
def _names(record: type[TokenRecord] | type[IdentityRecord]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(record))


def _columns() -> list[InstrumentedAttribute[Any]]:
    return columns(TokenRow, TokenRecord)
