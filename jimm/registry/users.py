"""People and service accounts as they are listed, and what is left of one who is removed."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select, update

from jimm.errors import Conflict, UserNotFound
from jimm.registry import relations
from jimm.registry.relations import Object, administers
from jimm.registry.rows import record
from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.tables import CredentialRow, IdentityRow, ModelRow, RelationRow
from jimm.registry.words import ObjectKind


@dataclass(frozen=True)
class User:
    """An identity as it is shown. ``created_by`` is an identity too, or empty for those who
    came by themselves; ``admin`` says whether they administer JIMM."""

    id: int
    name: str
    display_name: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    last_login_at: datetime | None
    admin: bool

    @property
    def disabled(self) -> bool:
        """Whether they may not log in."""
        return self.disabled_at is not None


async def every(session: ReadSession, *, disabled: bool) -> list[User]:
    """All of them by name; those who may not log in only if asked for."""
    statement = _select().order_by(IdentityRow.name)
    if not disabled:
        statement = statement.where(IdentityRow.disabled_at.is_(None))
    return [record(User, row) for row in await session.execute(statement)]


async def named(session: ReadSession, names: Collection[str]) -> dict[str, User]:
    """Those of these names, by name; who is unknown is left out."""
    statement = _select().where(IdentityRow.name.in_(names))
    found = [record(User, row) for row in await session.execute(statement)]
    return {each.name: each for each in found}


async def set_created_by(session: WriteSession, identity_id: int, by: str) -> None:
    """Remembers who made an identity."""
    await session.execute(
        update(IdentityRow).where(IdentityRow.id == identity_id).values(created_by=by)
    )


async def active_administrators(session: ReadSession) -> set[str]:
    """Who administers JIMM and may log in."""
    statement = select(IdentityRow.name).where(
        administers(IdentityRow.name), IdentityRow.disabled_at.is_(None)
    )
    return set(await session.scalars(statement))


async def remove(session: WriteSession, name: str) -> None:
    """Forgets somebody, with their access, credentials, tokens and password.

    Raises:
        UserNotFound: there is no such identity.
        Conflict: they own models.
    """
    identity_id = await session.scalar(select(IdentityRow.id).where(IdentityRow.name == name))
    if identity_id is None:
        raise UserNotFound(f'user "{name}" not found')
    owned = await session.scalar(
        select(func.count()).select_from(ModelRow).where(ModelRow.owner_id == identity_id)
    )
    if owned:
        raise Conflict(f"they still own {owned} model(s)")
    await _remove_access(session, name)
    used = select(CredentialRow.id).where(CredentialRow.owner_id == identity_id)
    await session.execute(
        update(ModelRow).where(ModelRow.credential_id.in_(used)).values(credential_id=None)
    )
    await session.execute(delete(CredentialRow).where(CredentialRow.owner_id == identity_id))
    await session.execute(delete(IdentityRow).where(IdentityRow.id == identity_id))


async def _remove_access(session: WriteSession, name: str) -> None:
    statement = (
        select(RelationRow.object_kind, RelationRow.object_key, RelationRow.relation)
        .where(RelationRow.subject == name)
        .order_by(RelationRow.object_kind, RelationRow.object_key)
    )
    for kind, key, relation in list(await session.execute(statement)):
        await relations.remove(session, name, relation, Object(ObjectKind(kind), key))


def _select() -> Select[Any]:
    return select(
        IdentityRow.id,
        IdentityRow.name,
        IdentityRow.display_name,
        IdentityRow.created_at,
        IdentityRow.created_by,
        IdentityRow.disabled_at,
        IdentityRow.last_login_at,
        administers(IdentityRow.name).label("admin"),
    )
