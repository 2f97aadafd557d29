"""Users' cloud credentials, their attributes sealed, and what was pushed where."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, and_, bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from jimm.errors import Conflict, NotFound
from jimm.registry.controllers import Controller
from jimm.registry.prepared import Question
from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession, Registry, WriteSession
from jimm.registry.tables import (
    ControllerCredentialRow,
    ControllerRow,
    CredentialRow,
    IdentityRow,
    ModelRow,
)
from jimm.registry.words import GONE, ModelState
from jimm.wire.tags import CredentialId, ModelUUID


@dataclass(frozen=True)
class Credential:
    """A credential. ``attributes_sealed`` is JSON text, sealed for the place
    (``credentials``, ``attributes_sealed``, ``cloud/owner/name``). ``revision`` rises with each
    change of what it holds.
    """

    id: int
    owner: str
    cloud: str
    name: str
    auth_type: str
    attributes_sealed: bytes
    valid: bool | None
    revision: int
    updated_at: datetime

    @property
    def key(self) -> CredentialId:
        """Its name in full."""
        return CredentialId(self.cloud, self.owner, self.name)

    def __repr__(self) -> str:
        return f"Credential({self.key})"


@dataclass(frozen=True)
class CredentialUse:
    """A model that uses a credential."""

    uuid: ModelUUID
    name: str
    owner: str
    controller_id: int | None


async def put(
    session: WriteSession, key: CredentialId, auth_type: str, attributes_sealed: bytes
) -> Credential:
    """Adds or changes a credential; it counts as valid until a controller says otherwise.

    Raises:
        NotFound: no such owner, or no such cloud.
    """
    owner_id = await session.scalar(select(IdentityRow.id).where(IdentityRow.name == key.owner))
    if owner_id is None:
        raise NotFound(f'user "{key.owner}" not found')
    changed = {
        "auth_type": auth_type,
        "attributes_sealed": attributes_sealed,
        "valid": True,
        "updated_at": func.now(),
    }
    statement = upsert(CredentialRow).values(
        owner_id=owner_id, cloud=key.cloud, name=key.name, **changed
    )
    constraint = "uq_credentials_owner_id_cloud_name"
    change = {**changed, "revision": CredentialRow.revision + 1}
    await session.execute(statement.on_conflict_do_update(constraint=constraint, set_=change))
    return await get(session, key)


async def get(session: ReadSession, key: CredentialId) -> Credential:
    """The credential of that name.

    Raises:
        NotFound: there is none.
    """
    found = await find(session, key)
    if found is None:
        raise NotFound(f'credential "{key}" not found')
    return found


async def find(session: ReadSession, key: CredentialId) -> Credential | None:
    """The credential of that name, if there is one."""
    statement = _select().where(
        IdentityRow.name == key.owner,
        CredentialRow.cloud == key.cloud,
        CredentialRow.name == key.name,
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else record(Credential, row)


async def by_id(session: ReadSession, credential_id: int) -> Credential:
    """The credential of that row.

    Raises:
        NotFound: there is none (any more).
    """
    statement = _select().where(CredentialRow.id == credential_id)
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound("credential not found")
    return record(Credential, row)


async def of_owner(session: ReadSession, owner: str, cloud: str = "") -> list[Credential]:
    """Somebody's credentials, for one cloud or for all, by cloud and name."""
    statement = _select().where(IdentityRow.name == owner)
    if cloud:
        statement = statement.where(CredentialRow.cloud == cloud)
    statement = statement.order_by(CredentialRow.cloud, CredentialRow.name)
    return [record(Credential, row) for row in await session.execute(statement)]


async def uses(session: ReadSession, credential_id: int) -> list[CredentialUse]:
    """The models that use it, by name; those that are as good as gone don't."""
    statement = (
        select(
            ModelRow.uuid,
            ModelRow.name,
            IdentityRow.name.label("owner"),
            ModelRow.controller_id,
        )
        .join(IdentityRow, IdentityRow.id == ModelRow.owner_id)
        .where(
            ModelRow.credential_id == credential_id,
            ModelRow.uuid.is_not(None),
            ModelRow.life != GONE,
        )
        .order_by(ModelRow.name)
    )
    return [record(CredentialUse, row) for row in await session.execute(statement)]


async def remove(session: WriteSession, key: CredentialId, *, force: bool = False) -> None:
    """Forgets a credential; with ``force`` models that use it lose the reference.

    Raises:
        NotFound: there is none.
        Conflict: models use it, and it is not forced.
    """
    found = await get(session, key)
    on_it = ModelRow.credential_id == found.id
    unused = on_it if force else on_it & (ModelRow.life == GONE)
    await session.execute(update(ModelRow).where(unused).values(credential_id=None))
    if await session.scalar(select(func.count()).select_from(ModelRow).where(on_it)):
        raise Conflict(f'credential "{key}" is still used by models')
    await session.execute(delete(CredentialRow).where(CredentialRow.id == found.id))


async def pushed_revision(
    session: ReadSession, controller_id: int, credential_id: int
) -> int | None:
    """The revision that a controller was given last, if any."""
    statement = select(ControllerCredentialRow.revision).where(
        ControllerCredentialRow.controller_id == controller_id,
        ControllerCredentialRow.credential_id == credential_id,
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def mark_pushed(
    session: WriteSession, controller_id: int, credential_id: int, revision: int
) -> None:
    """Records that a controller has this revision; a later one that it has stays."""
    statement = upsert(ControllerCredentialRow).values(
        controller_id=controller_id, credential_id=credential_id, revision=revision
    )
    await session.execute(
        statement.on_conflict_do_update(
            constraint="pk_controller_credentials",
            set_={"revision": func.greatest(ControllerCredentialRow.revision, revision)},
        )
    )


async def holders(session: ReadSession, credential_id: int) -> list[Controller]:
    """The controllers that were ever given it."""
    statement = (
        select(*columns(ControllerRow, Controller))
        .join(ControllerCredentialRow, ControllerCredentialRow.controller_id == ControllerRow.id)
        .where(ControllerCredentialRow.credential_id == credential_id)
        .order_by(ControllerRow.name)
    )
    return [record(Controller, row) for row in await session.execute(statement)]


async def lagging(registry: Registry) -> frozenset[int]:
    """The controllers for which :func:`stale` finds any."""
    return frozenset(row["controller_id"] for row in await registry.ask(_lagging()))


async def stale(registry: Registry, controller_id: int) -> list[Credential]:
    """The credentials of which models on a controller use an older revision than there is, or
    one that is not known."""
    rows = await registry.ask(_stale(), controller=controller_id)
    return [Credential(**row) for row in rows]


@cache
def _lagging() -> Question:
    there = ControllerCredentialRow
    of_model = and_(
        there.controller_id == ModelRow.controller_id, there.credential_id == CredentialRow.id
    )
    return Question(
        select(ModelRow.controller_id)
        .join(CredentialRow, CredentialRow.id == ModelRow.credential_id)
        .outerjoin(there, of_model)
        .where(
            ModelRow.state == ModelState.LIVE,
            ModelRow.controller_id.is_not(None),
            func.coalesce(there.revision, 0) < CredentialRow.revision,
        )
        .distinct()
    )


@cache
def _stale() -> Question:
    controller = bindparam("controller", type_=BigInteger)
    there = (
        select(ControllerCredentialRow.revision)
        .where(
            ControllerCredentialRow.controller_id == controller,
            ControllerCredentialRow.credential_id == CredentialRow.id,
        )
        .scalar_subquery()
    )
    used = exists().where(
        ModelRow.credential_id == CredentialRow.id,
        ModelRow.controller_id == controller,
        ModelRow.state == ModelState.LIVE,
    )
    return Question(_select().where(used, func.coalesce(there, 0) < CredentialRow.revision))


def _select() -> Select[Any]:
    return select(
        CredentialRow.id,
        IdentityRow.name.label("owner"),
        CredentialRow.cloud,
        CredentialRow.name,
        CredentialRow.auth_type,
        CredentialRow.attributes_sealed,
        CredentialRow.valid,
        CredentialRow.revision,
        CredentialRow.updated_at,
    ).join(IdentityRow, IdentityRow.id == CredentialRow.owner_id)
