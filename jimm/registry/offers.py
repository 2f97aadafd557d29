"""Offers: which models offer which applications, as their controllers last said."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from jimm.registry.relations import Object, related, remove_object
from jimm.registry.rows import record
from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.tables import (
    ControllerRow,
    ControllerUserRow,
    IdentityRow,
    ModelRow,
    OfferRow,
)
from jimm.registry.words import GONE, ObjectKind, Relation
from jimm.wire.tags import ControllerUUID, ModelUUID

_ADMINISTRATOR = frozenset({Relation.ADMINISTRATOR})
MAY_SEE = frozenset({Relation.ADMINISTRATOR, Relation.CONSUMER, Relation.READER})
"""The relations to an offer with which one may see it."""


@dataclass(frozen=True)
class NewOffer:
    """An offer as a controller tells it. ``endpoints`` are Juju's ``RemoteEndpoint``."""

    uuid: str
    model_id: int
    name: str
    application: str
    description: str
    charm_url: str
    endpoints: tuple[dict[str, object], ...]


@dataclass(frozen=True)
class Offer:
    """An offer, with the model that makes it; ``controller_*`` are ``None`` when that is
    unmanaged."""

    uuid: str
    model_id: int
    model_uuid: ModelUUID
    model_name: str
    owner: str
    controller_id: int | None
    controller_uuid: ControllerUUID | None
    name: str
    application: str
    description: str
    charm_url: str
    endpoints: tuple[dict[str, object], ...]
    created_at: datetime


@dataclass(frozen=True)
class Seen:
    """An offer, and whether the asker administers its model."""

    offer: Offer
    administered: bool


async def put(session: WriteSession, new: NewOffer) -> bool:
    """Stores an offer in place of the model's one of that name; whether it was not there.

    An offer of the same name with another uuid is another offer: who could use the old one
    can't use it.
    """
    before = await _uuid_of(session, new.model_id, new.name)
    values = asdict(new)
    statement = upsert(OfferRow).values(**values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["model_id", "name"], set_=values)
    )
    if before is not None and before != new.uuid:
        await remove_object(session, Object.offer(before))
    return before != new.uuid


async def remove(session: WriteSession, uuids: Collection[str]) -> None:
    """Forgets offers and every relation to them."""
    statement = delete(OfferRow).where(OfferRow.uuid.in_(uuids)).returning(OfferRow.uuid)
    for uuid in list(await session.scalars(statement)):
        await remove_object(session, Object.offer(uuid))


async def remove_of_model(session: WriteSession, model_id: int) -> None:
    """Forgets a model's offers and every relation to them."""
    statement = select(OfferRow.uuid).where(OfferRow.model_id == model_id)
    await remove(session, list(await session.scalars(statement)))


async def of_model(session: ReadSession, model_id: int) -> list[Offer]:
    """A model's offers by name."""
    statement = _select().where(OfferRow.model_id == model_id).order_by(OfferRow.name)
    return [record(Offer, row) for row in await session.execute(statement)]


async def visible(
    session: ReadSession,
    identity: str,
    *,
    admin: bool,
    owner: str = "",
    model: str = "",
    name: str = "",
) -> list[Seen]:
    """The offers that an identity may see (all of them for ``admin``), by owner, model and name.

    Those are the offers it has a relation to, and all of the models that it administers.
    ``owner``, ``model`` and ``name`` narrow it down.
    """
    administered = or_(
        IdentityRow.name == identity,
        related(identity, ObjectKind.MODEL, cast(ModelRow.uuid, Text), _ADMINISTRATOR),
        related(identity, ObjectKind.CONTROLLER, cast(ControllerRow.uuid, Text), _ADMINISTRATOR),
    )
    statement = _select().add_columns(administered.label("administered"))
    if not admin:
        shared = related(identity, ObjectKind.OFFER, cast(OfferRow.uuid, Text), MAY_SEE)
        statement = statement.where(or_(administered, shared))
    for condition in _narrowed(owner, model, name):
        statement = statement.where(condition)
    statement = statement.order_by(IdentityRow.name, ModelRow.name, OfferRow.name)
    found = []
    for row in await session.execute(statement):
        values = dict(row._mapping)
        own = bool(values.pop("administered")) or admin
        found.append(Seen(Offer(**values), own))
    return found


async def identities_of(
    session: ReadSession, controller_id: int, usernames: Collection[str]
) -> dict[str, str]:
    """Whom the local users stand for that JIMM keeps on a controller, by their names there."""
    statement = (
        select(ControllerUserRow.username, IdentityRow.name)
        .join(IdentityRow, IdentityRow.id == ControllerUserRow.identity_id)
        .where(
            ControllerUserRow.controller_id == controller_id,
            ControllerUserRow.username.in_(usernames),
        )
    )
    return {row.username: row.name for row in await session.execute(statement)}


def _narrowed(owner: str, model: str, name: str) -> list[ColumnElement[bool]]:
    wanted = ((IdentityRow.name, owner), (ModelRow.name, model), (OfferRow.name, name))
    return [column == value for column, value in wanted if value]


def _select() -> Select[Any]:
    return (
        select(
            OfferRow.uuid,
            OfferRow.model_id,
            ModelRow.uuid.label("model_uuid"),
            ModelRow.name.label("model_name"),
            IdentityRow.name.label("owner"),
            ModelRow.controller_id,
            ControllerRow.uuid.label("controller_uuid"),
            OfferRow.name,
            OfferRow.application,
            OfferRow.description,
            OfferRow.charm_url,
            OfferRow.endpoints,
            OfferRow.created_at,
        )
        .join(ModelRow, ModelRow.id == OfferRow.model_id)
        .join(IdentityRow, IdentityRow.id == ModelRow.owner_id)
        .outerjoin(ControllerRow, ControllerRow.id == ModelRow.controller_id)
        .where(ModelRow.uuid.is_not(None), ModelRow.life != GONE)
    )


async def _uuid_of(session: ReadSession, model_id: int, name: str) -> str | None:
    statement = select(OfferRow.uuid).where(OfferRow.model_id == model_id, OfferRow.name == name)
    return (await session.execute(statement)).scalar_one_or_none()
