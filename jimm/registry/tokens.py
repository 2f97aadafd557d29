"""Session tokens, as hashes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from jimm.errors import NotFound
from jimm.registry.identities import IdentityRecord
from jimm.registry.listen import IDENTITIES
from jimm.registry.relations import administers
from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession, WriteSession, notify
from jimm.registry.tables import IdentityRow, TokenRow
from jimm.wire.tags import is_uuid


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


async def by_hash(session: ReadSession, digest: bytes) -> TokenLogin | None:
    """The token with that hash, used up or not, its identity, and the database's time."""
    identity = columns(IdentityRow, IdentityRecord)
    statement = (
        select(
            *_columns(),
            *(column.label(f"identity_{column.key}") for column in identity),
            administers(IdentityRow.name).label("admin"),
            func.now().label("now"),
        )
        .join(IdentityRow, IdentityRow.id == TokenRow.identity_id)
        .where(TokenRow.hash == digest)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    found = row._mapping
    return TokenLogin(
        TokenRecord(**{column.key: found[column.key] for column in _columns()}),
        IdentityRecord(**{column.key: found[f"identity_{column.key}"] for column in identity}),
        found["admin"],
        found["now"],
    )


async def touch(session: WriteSession, token_id: str, expires_at: datetime) -> None:
    """Records a use, and until when the token lives now."""
    await session.execute(
        update(TokenRow)
        .where(TokenRow.id == token_id, TokenRow.revoked_at.is_(None))
        .values(last_used_at=func.now(), expires_at=expires_at)
    )


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


def _columns() -> list[InstrumentedAttribute[Any]]:
    return columns(TokenRow, TokenRecord)
