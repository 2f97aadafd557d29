"""Service accounts: identities of programs, with a random secret in place of a password."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from jimm.errors import AlreadyExists, NotFound
from jimm.registry.identities import IdentityRecord
from jimm.registry.listen import IDENTITIES
from jimm.registry.relations import administers
from jimm.registry.rows import columns, record, violations
from jimm.registry.session import ReadSession, WriteSession, notify
from jimm.registry.tables import IdentityRow, ServiceAccountRow


@dataclass(frozen=True)
class ServiceAccount:
    """One account, without its secret. ``created_by`` is an identity's name."""

    client_id: str
    created_by: str
    created_at: datetime
    last_login_at: datetime | None


@dataclass(frozen=True)
class ServiceLogin:
    """What a login needs: the identity, the hash of its secret, its administration."""

    identity: IdentityRecord
    secret_hash: bytes
    admin: bool


async def add(
    session: WriteSession, identity_id: int, client_id: str, secret_hash: bytes, created_by: str
) -> None:
    """Makes an identity the one of a service account.

    Raises:
        AlreadyExists: there is such an account.
    """
    taken = AlreadyExists(f'service account "{client_id}" already exists', field="name")
    statement = insert(ServiceAccountRow).values(
        identity_id=identity_id,
        client_id=client_id,
        secret_hash=secret_hash,
        created_by=created_by,
    )
    constraints = {"pk_service_accounts": taken, "uq_service_accounts_client_id": taken}
    async with violations(session, constraints):
        await session.execute(statement)


async def set_secret(session: WriteSession, client_id: str, secret_hash: bytes) -> None:
    """Gives an account another secret.

    Raises:
        NotFound: there is no such account.
    """
    statement = (
        update(ServiceAccountRow)
        .where(ServiceAccountRow.client_id == client_id)
        .values(secret_hash=secret_hash)
        .returning(ServiceAccountRow.client_id)
    )
    if (await session.execute(statement)).first() is None:
        raise _not_found(client_id)


async def every(session: ReadSession) -> list[ServiceAccount]:
    """All accounts by client id."""
    statement = (
        select(*_columns(), IdentityRow.last_login_at)
        .join(IdentityRow, IdentityRow.id == ServiceAccountRow.identity_id)
        .order_by(ServiceAccountRow.client_id)
    )
    return [record(ServiceAccount, row) for row in await session.execute(statement)]


async def login(session: ReadSession, client_id: str) -> ServiceLogin | None:
    """What a login needs, in one query; ``None`` for an unknown client id."""
    statement = (
        select(
            *columns(IdentityRow, IdentityRecord),
            ServiceAccountRow.secret_hash,
            administers(IdentityRow.name).label("admin"),
        )
        .join(ServiceAccountRow, ServiceAccountRow.identity_id == IdentityRow.id)
        .where(ServiceAccountRow.client_id == client_id)
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    secret_hash, admin = values.pop("secret_hash"), values.pop("admin")
    return ServiceLogin(IdentityRecord(**values), secret_hash, admin)


async def remove(session: WriteSession, client_id: str) -> None:
    """Ends an account; its identity stays, for what it owns.

    Raises:
        NotFound: there is no such account.
    """
    statement = (
        delete(ServiceAccountRow)
        .where(ServiceAccountRow.client_id == client_id)
        .returning(ServiceAccountRow.identity_id)
    )
    identity_id = (await session.execute(statement)).scalar_one_or_none()
    if identity_id is None:
        raise _not_found(client_id)
    name = select(IdentityRow.name).where(IdentityRow.id == identity_id)
    await notify(session, IDENTITIES, (await session.execute(name)).scalar_one())


def _columns() -> list[InstrumentedAttribute[Any]]:
    return columns(ServiceAccountRow, ServiceAccount)


def _not_found(client_id: str) -> NotFound:
    return NotFound(f'service account "{client_id}" not found')
