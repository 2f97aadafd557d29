"""The keys that sign tokens for controllers."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, or_, select, update

from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.tables import SigningKeyRow


@dataclass(frozen=True)
class SigningKey:
    """A key pair. It is published from its making until ``retired_at``, and signs only from
    ``signs_from`` on. The private part's place is (``signing_keys``, ``private_sealed``, kid).
    """

    kid: str
    created_at: datetime
    signs_from: datetime
    retired_at: datetime | None
    public_jwk: dict[str, object]
    private_sealed: bytes


async def published(session: ReadSession) -> list[SigningKey]:
    """Every key that is not retired, the one that signs from the latest time first."""
    statement = (
        select(*columns(SigningKeyRow, SigningKey))
        .where(or_(SigningKeyRow.retired_at.is_(None), SigningKeyRow.retired_at > func.now()))
        .order_by(SigningKeyRow.signs_from.desc(), SigningKeyRow.kid)
    )
    return [record(SigningKey, row) for row in await session.execute(statement)]


async def add(session: WriteSession, key: SigningKey) -> None:
    """Publishes a key."""
    values = {column.key: getattr(key, column.key) for column in columns(SigningKeyRow, SigningKey)}
    await session.execute(insert(SigningKeyRow).values(values))


async def retire(session: WriteSession, kid: str, *, at: datetime) -> None:
    """Takes a key out of what is published, from that time on."""
    await session.execute(
        update(SigningKeyRow).where(SigningKeyRow.kid == kid).values(retired_at=at)
    )
