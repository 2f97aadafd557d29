"""The record of who did what, read: pages in the order of time, and the models in it by name.

Every page comes from an index: no search reads more of the table than it has to, however old it
is (:class:`jimm.registry.tables.AuditEventRow` says which there are).
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    and_,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute

from jimm.errors import NotValid
from jimm.registry.audit import AuditEvent
from jimm.registry.audit_common import (
    A_CALL,
    CALL,
    CALL_DOORS,
    COMMON_FACADES,
    COMMON_METHODS,
    OWN_ACTION,
    SELDOM_FACADE,
    SELDOM_METHOD,
    WENT_WELL,
    WENT_WRONG,
)
from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession
from jimm.registry.tables import AuditEventRow, ControllerRow, IdentityRow, ModelRow
from jimm.wire.tags import ModelUUID

_MANY: Final = 20
"""Models that are each looked up by themselves; among more, one reads along the time."""


class Key(NamedTuple):
    """An event's place in the order of time; the id decides where times are equal."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; whatever is empty may be anything.

    ``after`` is included and ``before`` is not, so that searches of one time after the other
    neither repeat an event nor leave one out. ``models`` is ``None`` for any, and finds nothing
    when it is empty. A ``method`` is a call's, or what JIMM calls an action of its own. ``failed``
    is for whatever was refused or went wrong.
    """

    after: datetime | None = None
    before: datetime | None = None
    identity: str = ""
    models: tuple[ModelUUID, ...] | None = None
    facade: str = ""
    method: str = ""
    action: str = ""
    door: str = ""
    outcome: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Event(AuditEvent):
    """One line of the record: a call (``action`` is then ``call``), how it failed
    (``is_response``), or something that JIMM did for somebody."""

    conversation: str
    message_id: int
    facade: str
    facade_version: int
    method: str
    object_id: str
    is_response: bool
    error: str
    client: str

    @property
    def key(self) -> Key:
        """Where it stands."""
        return Key(self.at, self.id)


@dataclass(frozen=True)
class Named:
    """A model of some name."""

    uuid: ModelUUID
    owner: str
    controller: str | None


async def page(
    session: ReadSession,
    search: Search,
    *,
    newest_first: bool = False,
    beyond: Key | None = None,
    offset: int = 0,
    limit: int = 100,
) -> list[Event]:
    """Events in the order of time, those that come after ``beyond`` in that order.

    Raises:
        NotValid: it took too long; the field is ``after``.
    """
    if search.models is not None and not search.models:
        return []
    ordered = statement(search, newest_first, beyond, offset + limit)
    async with _bounded_time():
        rows = await session.execute(ordered.offset(offset).limit(limit))
        return [Event(*row) for row in rows]  # the columns are the fields, in their order


def statement(search: Search, newest_first: bool, beyond: Key | None, most: int) -> Select[Any]:
    """All events of a search, in order; of each model ``most`` at most."""
    models = list(search.models or ())
    if not 1 < len(models) <= _MANY:
        return _sorted(_conditions(search, beyond, newest_first, models), newest_first)
    each = (_conditions(search, beyond, newest_first, [one]) for one in models)
    first_ones = (_sorted(one, newest_first).limit(most).subquery() for one in each)
    # Each comes sorted from the models' index, and the first ones of all are merged.
    merged = union_all(*(select(one) for one in first_ones)).subquery()
    return select(merged).order_by(*_order(merged.c.at, merged.c.id, newest_first))


async def names(session: ReadSession, uuids: Collection[ModelUUID]) -> dict[ModelUUID, str]:
    """``controller/model`` of those that JIMM still has, by uuid."""
    if not uuids:
        return {}
    query = (
        select(ModelRow.uuid, ControllerRow.name, ModelRow.name)
        .join(ControllerRow, ControllerRow.id == ModelRow.controller_id)
        .where(ModelRow.uuid.in_(sorted(uuids)))
    )
    rows = await session.execute(query)
    return {ModelUUID(str(uuid)): f"{host}/{name}" for uuid, host, name in rows}


async def models_named(session: ReadSession, name: str) -> Sequence[Named]:
    """The models of that name, whoever owns them and wherever they live."""
    query = (
        select(
            ModelRow.uuid, IdentityRow.name.label("owner"), ControllerRow.name.label("controller")
        )
        .join(IdentityRow, IdentityRow.id == ModelRow.owner_id)
        .join(ControllerRow, ControllerRow.id == ModelRow.controller_id, isouter=True)
        .where(ModelRow.name == name, ModelRow.uuid.is_not(None))
        .order_by(ModelRow.id)
    )
    return [record(Named, row) for row in await session.execute(query)]


async def controllers_from_first(session: ReadSession) -> list[str]:
    """The controllers' names in the order in which they are listed."""
    return list(await session.scalars(select(ControllerRow.name).order_by(ControllerRow.name)))


def _sorted(conditions: list[ColumnElement[bool]], newest_first: bool) -> Select[Any]:
    ordered = _order(AuditEventRow.at, AuditEventRow.id, newest_first)
    return select(*columns(AuditEventRow, Event)).where(*conditions).order_by(*ordered)


def _order(
    at: InstrumentedAttribute[datetime] | ColumnElement[datetime],
    number: InstrumentedAttribute[int] | ColumnElement[int],
    newest_first: bool,
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return (at.desc(), number.desc()) if newest_first else (at.asc(), number.asc())


def _conditions(
    search: Search, beyond: Key | None, newest_first: bool, models: Sequence[ModelUUID]
) -> list[ColumnElement[bool]]:
    row = AuditEventRow
    found = _in_time(search, beyond, newest_first)
    if search.identity:
        found.append(row.identity == search.identity)
    if models:
        found.append(row.model_uuid.in_(models) if models[1:] else row.model_uuid == models[0])
    if search.action:
        found.append(_of_action(search.action))
    if search.method:
        found.append(_of_method(search.method))
    if search.facade:
        found.append(_of_facade(search.facade))
    if search.door:
        found.append(_of_door(search.door))
    if search.outcome:
        found.append(_of_outcome(search.outcome))
    if search.failed:
        found.append(_condition(WENT_WRONG))
    return found


def _in_time(search: Search, beyond: Key | None, newest_first: bool) -> list[ColumnElement[bool]]:
    """Times by themselves choose the partitions; that of a row with its id does not."""
    at, key = AuditEventRow.at, tuple_(AuditEventRow.at, AuditEventRow.id)
    found: list[ColumnElement[bool]] = []
    if search.after is not None:
        found.append(at >= search.after)
    if search.before is not None:
        found.append(at < search.before)
    if beyond is not None:
        last = tuple_(literal(beyond.at), literal(beyond.id))
        found += [at <= beyond.at, key < last] if newest_first else [at >= beyond.at, key > last]
    return found


def _condition(of_an_index: str) -> ColumnElement[bool]:
    """Postgres takes an index with a condition where the search has it in the same words."""
    return literal_column(of_an_index, Boolean)


def _of_action(name: str) -> ColumnElement[bool]:
    return AuditEventRow.action == name if name == CALL else _of_own_action(name)


def _of_own_action(name: str) -> ColumnElement[bool]:
    return and_(AuditEventRow.action == name, _condition(OWN_ACTION))


def _of_method(name: str) -> ColumnElement[bool]:
    """Methods begin with a capital letter, and actions don't; a client may call anything."""
    seldom = name not in COMMON_METHODS
    called = and_(AuditEventRow.method == name, _condition(SELDOM_METHOD if seldom else A_CALL))
    return called if name[0].isupper() else or_(called, _of_own_action(name))


def _of_facade(name: str) -> ColumnElement[bool]:
    facade = AuditEventRow.facade == name
    return facade if name in COMMON_FACADES else and_(facade, _condition(SELDOM_FACADE))


def _of_door(name: str) -> ColumnElement[bool]:
    door = AuditEventRow.door == name
    return door if name in CALL_DOORS else and_(door, _condition(OWN_ACTION))


def _of_outcome(word: str) -> ColumnElement[bool]:
    outcome = AuditEventRow.outcome == word
    return outcome if word in WENT_WELL else and_(outcome, _condition(WENT_WRONG))


@asynccontextmanager
async def _bounded_time() -> AsyncIterator[None]:
    try:
        yield
    except DBAPIError as error:
        if not isinstance(error.orig, psycopg.errors.QueryCanceled):
            raise
        raise NotValid("this search takes too long: name a shorter time", field="after") from error
