"""Reading the record of who did what, and who may.

JIMM's administrators read it, and whom they let. Reading a page leaves no trace; taking it away
(an export, a purge) does.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from jimm import audit
from jimm.access import rules
from jimm.access.names import qualify, require_identity
from jimm.access.subjects import existing, known
from jimm.errors import ModelNotFound, NotValid, Unauthorized
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.registry import audit as audit_rows
from jimm.registry import audit_search, relations
from jimm.registry.audit_common import CALL, WENT_WELL
from jimm.registry.audit_search import Event, Key, Named, Search
from jimm.registry.relations import Object
from jimm.registry.session import ReadSession
from jimm.registry.words import Relation
from jimm.wire import tags
from jimm.wire.tags import ModelUUID

SETTLED: Final = 10.0
"""Seconds after which a record is surely written, as long as the database keeps up."""

_AT_ONCE: Final = 100
"""Events of an export that are read, and turned into text, before others have their turn."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; whatever is empty may be anything.

    ``after`` is included and ``before`` is not. ``user`` may be the bare name of a local user.
    ``model`` is a uuid, ``controller/name``, ``owner/name``, or just a name; a model that is
    gone is found by its uuid only. ``method`` is a call's, or an action of JIMM's own.
    """

    after: datetime | None = None
    before: datetime | None = None
    user: str = ""
    model: str = ""
    facade: str = ""
    method: str = ""
    action: str = ""
    door: str = ""
    outcome: str = ""
    failed: bool = False

    def as_params(self) -> dict[str, object]:
        """What an export's own record says that was looked for."""
        times = {"after": self.after, "before": self.before}
        told: dict[str, object] = {
            name: time.isoformat() for name, time in times.items() if time is not None
        }
        words = ("user", "model", "facade", "method", "action", "door", "outcome", "failed")
        return told | {name: word for name in words if (word := getattr(self, name))}


@dataclass(frozen=True, slots=True)
class Seen:
    """An event; ``model`` is ``controller/name`` as it is now, the uuid of one that is gone, or
    empty."""

    event: Event
    model: str

    @property
    def own_action(self) -> str:
        """What JIMM itself did; empty for a call."""
        return "" if self.event.action == CALL else self.event.action

    @property
    def failed(self) -> bool:
        """Whether it was refused, or went wrong."""
        return bool(self.event.error or self.event.error_code) or (
            self.event.outcome not in WENT_WELL
        )


@dataclass(frozen=True, slots=True)
class Export:
    """Events that are to be taken away, up to the time ``before``."""

    search: Search
    before: datetime


async def find(
    fleet: Fleet,
    caller: Caller,
    wanted: Wanted,
    *,
    newest_first: bool = False,
    beyond: Key | None = None,
    offset: int = 0,
    limit: int = 100,
    anywhere: bool = False,
) -> list[Seen]:
    """A page of the record.

    With ``anywhere`` the first controller's name stands for all of them: the Dashboard asks for
    each model as if it lived there.

    Raises:
        Unauthorized: the caller may not read it.
        NotValid: the user's name can't be one, or it takes too long; it names the field.
        ModelNotFound: no model of that name.
    """
    async with fleet.registry.read() as session:
        await _require_viewer(session, caller)
        search = await _search(session, fleet, wanted, anywhere=anywhere)
        events = await audit_search.page(
            session,
            search,
            newest_first=newest_first,
            beyond=beyond,
            offset=offset,
            limit=limit,
        )
        return await _seen(session, events)


async def begin_export(fleet: Fleet, caller: Caller, wanted: Wanted) -> Export:
    """What an export will hold; that it was begun is on record then.

    Without ``before`` it ends a moment ago, so that nothing comes in behind it later.

    Raises:
        Unauthorized, NotValid, ModelNotFound: as :func:`find`.
    """
    before = wanted.before or fleet.now() - timedelta(seconds=SETTLED)
    async with fleet.registry.write() as session:
        await _require_viewer(session, caller)
        search = await _search(session, fleet, wanted, anywhere=False)
        await audit.record(
            session,
            caller.did(
                "export-audit-events",
                params={**wanted.as_params(), "before": before.isoformat()},
            ),
        )
    return Export(replace(search, before=before), before)


async def export(
    fleet: Fleet, recheck: Callable[[], Awaitable[Caller]], begun: Export
) -> AsyncIterator[Sequence[Seen]]:
    """The events, the oldest first, some at a time; nothing is held while whoever takes them is
    slow.

    Raises:
        Unauthorized: the caller, as ``recheck`` tells it, may not read it any more.
    """
    last: Key | None = None
    while True:
        caller = await recheck()
        async with fleet.registry.read() as session:
            await _require_viewer(session, caller)
            events = await audit_search.page(session, begun.search, beyond=last, limit=_AT_ONCE)
            seen = await _seen(session, events)
        if seen:
            yield seen
        if len(events) < _AT_ONCE:
            return
        last = events[-1].key


async def purge(fleet: Fleet, caller: Caller, before: datetime) -> int:
    """Removes what is older, for administrators; how much that was. That it was done stays.

    Raises:
        Unauthorized: the caller does not administer JIMM.
    """
    _require_administrator(caller)
    async with fleet.registry.write() as session:
        removed = await audit_rows.purge(session, before)
        await audit.record(
            session,
            caller.did(
                "purge-audit-log", params={"before": before.isoformat(), "removed": removed}
            ),
        )
    return removed


async def grant(fleet: Fleet, caller: Caller, user: str) -> None:
    """Lets somebody read the record, for administrators; whoever may already still may.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotValid: the name can't be one.
        UserNotFound: no such local user.
        NotSupported: everyone.
    """
    _require_administrator(caller)
    async with fleet.registry.write() as session:
        identity = await known(session, user, fleet.local_domain)
        await relations.add(session, identity, Relation.AUDIT_LOG_VIEWER, Object.jimm())
        await audit.record(session, caller.did("grant-audit-log", params={"user": identity}))


async def revoke(fleet: Fleet, caller: Caller, user: str) -> None:
    """Takes it back, from the next page on. Administrators read it all the same.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotValid: the name can't be one.
        UserNotFound: there is no such user.
    """
    _require_administrator(caller)
    async with fleet.registry.write() as session:
        identity = require_identity(user, fleet.local_domain)
        await existing(session, identity, fleet.local_domain)
        await relations.remove(session, identity, Relation.AUDIT_LOG_VIEWER, Object.jimm())
        await audit.record(session, caller.did("revoke-audit-log", params={"user": identity}))


async def _require_viewer(session: ReadSession, caller: Caller) -> None:
    if caller.admin:
        return
    held = await relations.held_by(session, caller.identity, [])
    if not rules.views_audit_log(caller.identity, held):
        raise _unauthorized()


def _require_administrator(caller: Caller) -> None:
    if not caller.admin:
        raise _unauthorized()


def _unauthorized() -> Unauthorized:
    """In Go JIMM's words."""
    return Unauthorized("unauthorized")


async def _search(session: ReadSession, fleet: Fleet, wanted: Wanted, *, anywhere: bool) -> Search:
    models = None
    if wanted.model:
        models = await _models(session, fleet, wanted.model, anywhere=anywhere)
    return Search(
        after=wanted.after,
        before=wanted.before,
        identity=_identity(wanted.user, fleet.local_domain),
        models=models,
        facade=wanted.facade,
        method=wanted.method,
        action=wanted.action,
        door=wanted.door,
        outcome=wanted.outcome,
        failed=wanted.failed,
    )


def _identity(user: str, local_domain: str) -> str:
    if not user:
        return ""
    try:
        return require_identity(user, local_domain)
    except NotValid as error:
        raise NotValid(str(error), field="user") from error


async def _models(
    session: ReadSession, fleet: Fleet, text: str, *, anywhere: bool
) -> tuple[ModelUUID, ...]:
    """The models that a text may mean."""
    uuid = text.removeprefix("model-").lower()
    if tags.is_uuid(uuid):
        return (ModelUUID(uuid),)
    place, _, name = text.rpartition("/")
    found = await audit_search.models_named(session, name)
    if place and found:
        found = await _at(session, fleet, place, found, anywhere=anywhere)
    if not found:
        raise ModelNotFound(
            f'no model "{text}" is known: one that is gone is found by its uuid', field="model"
        )
    return tuple(each.uuid for each in found)


async def _at(
    session: ReadSession, fleet: Fleet, place: str, found: Sequence[Named], *, anywhere: bool
) -> Sequence[Named]:
    """Those of an owner or a controller; where a controller has none of them now, one of them
    may have been there once, so all."""
    controllers = await audit_search.controllers_from_first(session)
    if anywhere and place in controllers[:1]:
        return found
    owner = qualify(place, fleet.local_domain)
    there = [each for each in found if each.owner == owner or each.controller == place]
    return there if there or place not in controllers else found


async def _seen(session: ReadSession, events: Sequence[Event]) -> list[Seen]:
    uuids = {each.model_uuid for each in events if each.model_uuid is not None}
    names = await audit_search.names(session, uuids)
    return [Seen(each, _shown(each.model_uuid, names)) for each in events]


def _shown(uuid: ModelUUID | None, names: Mapping[ModelUUID, str]) -> str:
    return "" if uuid is None else names.get(uuid, uuid)
