"""All that a login on a model needs, from one query."""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from jimm.errors import ModelNotFound
from jimm.registry.controllers import Controller
from jimm.registry.models import Model, select_models
from jimm.registry.relations import Held, concerns
from jimm.registry.session import ReadSession
from jimm.registry.tables import (
    ControllerRegionRow,
    ControllerRow,
    MigrationRow,
    ModelRow,
    OfferRow,
    RelationRow,
)
from jimm.registry.words import EVERYONE, MigrationState, ObjectKind
from jimm.wire.tags import is_uuid

_HOST: Final = "host_"
"""In front of the columns of the model's controller."""


@dataclass(frozen=True)
class Entry:
    """What is to be known of a model when somebody comes to it.

    ``host`` is its controller, ``None`` when it is unmanaged; ``moving`` is how far JIMM's own
    migration of it is, while one is under way. ``held`` are the relations of the identity, and
    of everyone, to JIMM, to the model's controller, to the clouds that it offers, to the model,
    and to what the model offers. ``clouds`` are those clouds.
    """

    model: Model
    host: Controller | None
    moving: MigrationState | None
    held: frozenset[Held]
    clouds: tuple[str, ...]


async def find(session: ReadSession, uuid: str, identity: str) -> Entry:
    """The model with that uuid, as ``identity`` comes to it.

    Raises:
        ModelNotFound: there is no such model.
    """
    unknown = ModelNotFound(f'model "{uuid}" not found')
    if not is_uuid(uuid):
        raise unknown
    row = (await session.execute(_statement(), {"model": uuid, "who": identity})).one_or_none()
    if row is None:
        raise unknown
    values = dict(row._mapping)
    moving = values.pop("moving")
    host = {name: values.pop(f"{_HOST}{name}") for name in _host_columns()}
    return Entry(
        moving=None if moving is None else MigrationState(moving),
        held=frozenset(Held(*each) for each in values.pop("held") or ()),
        clouds=tuple(values.pop("clouds") or ()),
        host=None if host["id"] is None else Controller(**host),
        model=Model(**values),
    )


@cache
def _statement() -> Select[Any]:
    """Built once: that takes longer than to run it."""
    host = [column.label(f"{_HOST}{name}") for name, column in _host_columns().items()]
    moving = select(MigrationRow.state).where(
        MigrationRow.model_uuid == ModelRow.uuid, MigrationRow.ended.is_(None)
    )
    return (
        select_models()
        .add_columns(
            *host,
            moving.correlate(ModelRow).scalar_subquery().label("moving"),
            _held().label("held"),
            _clouds().label("clouds"),
        )
        .where(ModelRow.uuid == bindparam("model"))
    )


def _host_columns() -> dict[str, Any]:
    return {each.name: getattr(ControllerRow, each.name) for each in fields(Controller)}


def _held() -> ScalarSelect[Any]:
    one = func.jsonb_build_array(
        RelationRow.subject,
        RelationRow.relation,
        RelationRow.object_kind,
        RelationRow.object_key,
    )
    clouds = select(ControllerRegionRow.cloud).where(_offered()).correlate(ModelRow)
    offers = select(cast(OfferRow.uuid, Text)).where(OfferRow.model_id == ModelRow.id)
    about = or_(
        RelationRow.object_kind == ObjectKind.JIMM,
        concerns(ObjectKind.MODEL, cast(ModelRow.uuid, Text)),
        concerns(ObjectKind.CONTROLLER, cast(ControllerRow.uuid, Text)),
        and_(RelationRow.object_kind == ObjectKind.CLOUD, RelationRow.object_key.in_(clouds)),
        and_(
            RelationRow.object_kind == ObjectKind.OFFER,
            RelationRow.object_key.in_(offers.correlate(ModelRow)),
        ),
    )
    return (
        select(func.jsonb_agg(one, type_=JSONB))
        .where(RelationRow.subject.in_((bindparam("who"), EVERYONE)), about)
        .correlate(ModelRow, ControllerRow)
        .scalar_subquery()
    )


def _clouds() -> ScalarSelect[Any]:
    return (
        select(func.array_agg(ControllerRegionRow.cloud.distinct()))
        .where(_offered())
        .correlate(ModelRow)
        .scalar_subquery()
    )


def _offered() -> ColumnElement[bool]:
    return ControllerRegionRow.controller_id == ModelRow.controller_id
