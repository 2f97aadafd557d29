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
    any_,
    bindparam,
    cast,
    exists,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql.selectable import LateralFromClause

from jimm.errors import ModelNotFound
from jimm.registry import tokens
from jimm.registry.controllers import Controller
from jimm.registry.models import Model, select_models
from jimm.registry.prepared import Question
from jimm.registry.relations import Held
from jimm.registry.session import ReadSession, Registry
from jimm.registry.tables import (
    ControllerRegionRow,
    ControllerRow,
    IdentityRow,
    MigrationRow,
    ModelRow,
    OfferRow,
    RelationRow,
    TokenRow,
)
from jimm.registry.tokens import TokenLogin
from jimm.registry.words import EVERYONE, JIMM_KEY, MigrationState, ObjectKind, Relation
from jimm.wire.tags import is_uuid

_HOST: Final = "host_"
"""In front of the columns of the model's controller."""


_NO_UUID: Final = "00000000-0000-0000-0000-000000000000"
"""Of no model: in place of a text that is no uuid."""

_ENTRY: Final = "entry_"
"""In front of the columns of an entry, beside those of a token."""


@dataclass(frozen=True)
class Entry:
    """What is to be known of a model when somebody comes to it.

    ``host`` is its controller, ``None`` when it is unmanaged; ``moving`` is how far JIMM's own
    migration of it is, while one is under way. ``held`` are the relations of the identity, and
    of everyone, to JIMM, to the model's controller, to the clouds that it offers, to the model,
    and to what the model offers. ``clouds`` are those clouds. ``welcome`` says that there is
    such an identity, it may log in, and the token that was asked about is not revoked.
    """

    model: Model
    host: Controller | None
    moving: MigrationState | None
    held: frozenset[Held]
    clouds: tuple[str, ...]
    welcome: bool


async def find(session: ReadSession, uuid: str, identity: str) -> Entry:
    """The model with that uuid, as ``identity`` comes to it.

    Raises:
        ModelNotFound: there is no such model.
    """
    if not is_uuid(uuid):
        raise _unknown(uuid)
    row = (await session.execute(_statement(), {"model": uuid, "who": identity})).one_or_none()
    if row is None:
        raise _unknown(uuid)
    return _entry(dict(row._mapping))


async def come(
    registry: Registry, uuid: str, identity: str, *, token_id: str | None = None
) -> Entry:
    """As :func:`find`, as quickly as it can be done; they came by that token, if by any.

    Raises:
        ModelNotFound: there is no such model.
    """
    if not is_uuid(uuid):
        raise _unknown(uuid)
    rows = await registry.ask(_question(), model=uuid, who=identity, token=token_id)
    if not rows:
        raise _unknown(uuid)
    return _entry(rows[0])


async def come_by_token(
    registry: Registry, uuid: str, digest: bytes
) -> tuple[TokenLogin, Entry | None] | None:
    """Whose token has that hash, and the model with that uuid as they come to it: who it is,
    what they may and where it is, in one query. ``None`` for no such token, and for no such
    model in its place."""
    known = is_uuid(uuid)
    rows = await registry.ask(
        _question_by_token(), model=uuid if known else _NO_UUID, digest=digest
    )
    if not rows:
        return None
    entry = {name: rows[0][f"{_ENTRY}{name}"] for name in _entry_names()}
    found = known and entry["id"] is not None
    return tokens.login(rows[0]), _entry(entry) if found else None


def _entry(values: dict[str, Any]) -> Entry:
    moving = values.pop("moving")
    host = {name: values.pop(f"{_HOST}{name}") for name in _host_names()}
    return Entry(
        moving=None if moving is None else MigrationState(moving),
        held=frozenset(Held(*each) for each in values.pop("held") or ()),
        clouds=tuple(values.pop("clouds") or ()),
        welcome=values.pop("welcome"),
        host=None if host["id"] is None else Controller(**host),
        model=Model(**values),
    )


@cache
def _question() -> Question:
    return Question(_statement())


@cache
def _question_by_token() -> Question:
    """The token and its identity, and beside them the model, if there is one."""
    holder = aliased(IdentityRow)
    entry = _select(holder.name).correlate(holder).lateral("entry")
    token = tokens.select_login(holder).where(TokenRow.hash == bindparam("digest"))
    columns = [column.label(f"{_ENTRY}{column.key}") for column in entry.columns]
    return Question(token.add_columns(*columns).outerjoin(entry, true()))


@cache
def _entry_names() -> tuple[str, ...]:
    return tuple(str(column.key) for column in _statement().selected_columns)


@cache
def _statement() -> Select[Any]:
    """Built once: that takes longer than to run it."""
    return _select(bindparam("who", type_=Text))


def _select(who: ColumnElement[str] | InstrumentedAttribute[str]) -> Select[Any]:
    host = [column.label(f"{_HOST}{name}") for name, column in _host_columns().items()]
    moving = select(MigrationRow.state).where(
        MigrationRow.model_uuid == ModelRow.uuid, MigrationRow.ended.is_(None)
    )
    somebody = aliased(IdentityRow)
    revoked = exists(TokenRow.id).where(
        TokenRow.id == bindparam("token", None), TokenRow.revoked_at.is_not(None)
    )
    enabled = exists(somebody.id).where(somebody.name == who, somebody.disabled_at.is_(None))
    return (
        select_models()
        .add_columns(
            *host,
            moving.correlate(ModelRow).scalar_subquery().label("moving"),
            _held(who).label("held"),
            _clouds().label("clouds"),
            and_(enabled.correlate_except(somebody), ~revoked.correlate_except(TokenRow)).label(
                "welcome"
            ),
        )
        .where(ModelRow.uuid == bindparam("model"))
    )


def _host_columns() -> dict[str, Any]:
    return {name: getattr(ControllerRow, name) for name in _host_names()}


@cache
def _host_names() -> tuple[str, ...]:
    return tuple(each.name for each in fields(Controller))


def _held(who: ColumnElement[str] | InstrumentedAttribute[str]) -> ScalarSelect[Any]:
    """Looked up object by object, so that it takes no longer for somebody who is much to much,
    nor for what many are something to."""
    one = func.jsonb_build_array(
        RelationRow.subject,
        RelationRow.relation,
        RelationRow.object_kind,
        RelationRow.object_key,
    )
    about = _objects()
    return (
        select(func.jsonb_agg(one, type_=JSONB))
        .join(
            about,
            and_(
                RelationRow.object_kind == about.c.kind,
                RelationRow.object_key == about.c.key,
                RelationRow.subject.in_((who, EVERYONE)),
                RelationRow.relation
                == any_(literal([str(each) for each in Relation], ARRAY(Text))),
            ),
        )
        .correlate_except(RelationRow, about)
        .scalar_subquery()
    )


def _objects() -> LateralFromClause:
    def key(column: Any) -> ColumnElement[str]:
        return cast(column, Text).label("key")

    def kind(of: ObjectKind) -> ColumnElement[str]:
        return literal(of, Text).label("kind")

    clouds = select(kind(ObjectKind.CLOUD), ControllerRegionRow.cloud.label("key"))
    offers = select(kind(ObjectKind.OFFER), key(OfferRow.uuid)).where(
        OfferRow.model_id == ModelRow.id
    )
    return union_all(
        select(kind(ObjectKind.JIMM), literal(JIMM_KEY, Text).label("key")),
        select(kind(ObjectKind.MODEL), key(ModelRow.uuid)).correlate(ModelRow),
        select(kind(ObjectKind.CONTROLLER), key(ControllerRow.uuid)).correlate(ControllerRow),
        clouds.where(_offered()).distinct().correlate(ModelRow),
        offers.correlate(ModelRow),
    ).lateral("about")


def _clouds() -> ScalarSelect[Any]:
    return (
        select(func.array_agg(ControllerRegionRow.cloud.distinct()))
        .where(_offered())
        .correlate(ModelRow)
        .scalar_subquery()
    )


def _offered() -> ColumnElement[bool]:
    return ControllerRegionRow.controller_id == ModelRow.controller_id


def _unknown(uuid: str) -> ModelNotFound:
    return ModelNotFound(f'model "{uuid}" not found')
