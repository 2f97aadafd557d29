"""The record of who did what, read: pages in the order of time, and the models in it by name.

Every page comes from an index: no search reads much more of the table than it has to, however old
it is (:class:`jimm.registry.tables.AuditEventRow` says which there are). What a person did, or
what was done to a model, is looked for by :mod:`jimm.registry.audit_windows`.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
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
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
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
from jimm.registry.audit_windows import FIRST, Window, windows
from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession
from jimm.registry.tables import AuditEventRow, ControllerRow, IdentityRow, ModelRow
from jimm.wire.tags import ModelUUID

_MANY: Final = 20
"""Models that are looked up; among more, one reads along the time."""


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
    first: int = FIRST,
) -> list[Event]:
    """Events in the order of time, those that come after ``beyond`` in that order.

    ``first`` is how many records are read along the time before others are looked up.

    Raises:
        NotValid: it took too long; the field is ``after``.
    """
    if search.models is not None and not search.models:
        return []
    async with _bounded_time():
        if not _is_of_few(search):
            every = statement(search, newest_first, beyond).offset(offset).limit(limit)
            return await _events(session, every)
        stretches = await _windows(session, search, newest_first, beyond, first)
        found = (statement(search, newest_first, beyond, each) for each in stretches)
        return await _found(session, found, offset, limit)


def statement(
    search: Search, newest_first: bool, beyond: Key | None, window: Window | None = None
) -> Select[Any]:
    """All events of a search, in order; or those of a stretch of time.

    Any stretch but the first one is looked up before it is put in order: reading it along the
    time, until there is enough, Postgres would take to be cheaper than it is.
    """
    wanted = _conditions(search, beyond, newest_first, window)
    found = select(*columns(AuditEventRow, Event)).where(*wanted)
    if window is None or window.begin is None:
        return found.order_by(*_order(AuditEventRow.at, AuditEventRow.id, newest_first))
    looked_up = found.offset(0).subquery()  # the offset keeps it from being planned as one
    return select(looked_up).order_by(*_order(looked_up.c.at, looked_up.c.id, newest_first))


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


def _is_of_few(search: Search) -> bool:
    return bool(search.identity) or 0 < len(search.models or ()) <= _MANY


async def _found(
    session: ReadSession, statements: Iterable[Select[Any]], offset: int, limit: int
) -> list[Event]:
    """A page of what these find, one after the other."""
    found: list[Event] = []
    skipped = 0
    for each in statements:
        skip = max(offset - skipped, 0)
        events = await _events(session, each.offset(skip).limit(limit - len(found)))
        found += events
        if len(found) == limit:
            break
        if skip:
            skipped = offset if events else skipped + await _count(session, each)
    return found


async def _events(session: ReadSession, those: Select[Any]) -> list[Event]:
    return [Event(*row) for row in await session.execute(those)]  # the fields, in their order


async def _count(session: ReadSession, those: Select[Any]) -> int:
    return await session.scalar(select(func.count()).select_from(those.subquery())) or 0


async def _windows(
    session: ReadSession, search: Search, newest_first: bool, beyond: Key | None, most: int
) -> Iterable[Window]:
    """The stretches of time that a search may have to go through."""
    ordered, backwards = (
        select(AuditEventRow.at)
        .where(*_in_time(search, beyond, newest_first))
        .order_by(*_order(AuditEventRow.at, AuditEventRow.id, order))
        .limit(1)
        for order in (newest_first, not newest_first)
    )
    ends = (ordered, ordered.offset(most), backwards)
    query = select(*(each.scalar_subquery() for each in ends))
    begin, first, end = (await session.execute(query)).one()
    return [] if begin is None else windows(begin, first, end)


def _order(
    at: InstrumentedAttribute[datetime] | ColumnElement[datetime],
    number: InstrumentedAttribute[int] | ColumnElement[int],
    newest_first: bool,
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return (at.desc(), number.desc()) if newest_first else (at.asc(), number.asc())


def _conditions(
    search: Search, beyond: Key | None, newest_first: bool, window: Window | None
) -> list[ColumnElement[bool]]:
    row = AuditEventRow
    found = _in_time(search, beyond, newest_first)
    if window is not None:
        found += _in_window(window, newest_first)
    if search.identity:
        found.append(row.identity == search.identity)
    if models := search.models:
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


def _in_window(window: Window, newest_first: bool) -> list[ColumnElement[bool]]:
    at, (begin, end) = AuditEventRow.at, window
    found: list[ColumnElement[bool]] = []
    if begin is not None:
        found.append(at < begin if newest_first else at > begin)
    if end is not None:
        found.append(at >= end if newest_first else at <= end)
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
