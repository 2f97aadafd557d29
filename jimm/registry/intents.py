"""What was to be done on a controller, until it is known what came of it.

An intent is written before anything is sent. Whoever works on it holds its lease: first the
request itself, then, if that dies or gets no answer, any reconciler.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from jimm.errors import Conflict, NotFound
from jimm.registry import leases
from jimm.registry.held import Held
from jimm.registry.listen import INTENTS
from jimm.registry.prepared import Question
from jimm.registry.rows import columns, record, violations
from jimm.registry.session import ReadSession, Registry, WriteSession, notify
from jimm.registry.tables import IntentRow
from jimm.registry.words import IntentKind, IntentState


@dataclass(frozen=True)
class Intent:
    """One thing to be done. ``request`` holds no secrets.

    ``controller_id`` is where it was sent, or is about to be. ``absent_before`` says that no
    model of this owner and name was there just before it was sent; ``sent_at`` is set before
    the request leaves, and until ``deadline_at`` no answer means nothing.
    """

    id: str
    kind: IntentKind
    model_id: int | None
    controller_id: int | None
    request: dict[str, object]
    sent_at: datetime | None
    deadline_at: datetime | None
    look_at: datetime
    state: IntentState
    outcome: str
    absent_before: bool
    fence: int
    created_at: datetime

    @property
    def held(self) -> Held:
        """The lease of the claim that gave this record."""
        return Held(self.id, self.fence)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", IntentKind(self.kind))
        object.__setattr__(self, "state", IntentState(self.state))


async def open_(
    session: WriteSession,
    intent_id: str,
    kind: IntentKind,
    model_id: int,
    request: Mapping[str, object],
    *,
    owner: str,
    lease: float,
    controller_id: int | None = None,
) -> Intent:
    """Writes an intent, held by ``owner`` for ``lease`` seconds.

    Raises:
        Conflict: another intent for this model is still open.
    """
    busy = Conflict("something else is being done with this model; try again in a moment")
    statement = (
        insert(IntentRow)
        .values(
            id=intent_id,
            kind=kind,
            model_id=model_id,
            controller_id=controller_id,
            request=dict(request),
            lease_owner=owner,
            lease_expires=func.clock_timestamp() + leases.seconds(lease),
            fence=1,
        )
        .returning(*_columns())
    )
    async with violations(session, {"uq_intents_one_pending": busy}):
        return record(Intent, (await session.execute(statement)).one())


async def by_id(session: ReadSession, intent_id: str) -> Intent:
    """The intent with that id.

    Raises:
        NotFound: there is none.
    """
    statement = select(*_columns()).where(IntentRow.id == intent_id)
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound(f'intent "{intent_id}" not found')
    return record(Intent, row)


async def of_model(session: ReadSession, model_id: int) -> Intent | None:
    """The open intent for a model, if there is one."""
    statement = select(*_columns()).where(
        IntentRow.model_id == model_id, IntentRow.state == IntentState.PENDING
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else record(Intent, row)


async def being_made(session: ReadSession, controller_id: int) -> set[tuple[str, str]]:
    """The models that may still come to be on a controller on JIMM's word, each by its owner's
    name there and its own."""
    statement = select(IntentRow.request).where(
        IntentRow.kind == IntentKind.CREATE,
        IntentRow.state == IntentState.PENDING,
        IntentRow.controller_id == controller_id,
    )
    requests = list(await session.scalars(statement))
    return {
        (str(each.get("user") or each.get("owner")), str(each.get("name"))) for each in requests
    }


async def are_due(registry: Registry) -> bool:
    """Whether there is one to claim."""
    return await leases.is_any(registry, _whether_due())


async def claim(session: WriteSession, owner: str, lease: float) -> Intent | None:
    """Takes the lease of an open intent that is due and that nobody works on, if there is one."""
    statement = leases.claimed(IntentRow, owner, lease, IntentRow.look_at, _is_open())
    row = (await session.execute(statement.returning(*_columns()))).one_or_none()
    return None if row is None else record(Intent, row)


async def aim(
    session: WriteSession,
    held: Held,
    controller_id: int,
    *,
    absent_before: bool,
    deadline: float,
    request: Mapping[str, object] | None = None,
) -> bool:
    """Records where it is about to be sent; an answer may take ``deadline`` seconds.

    Returns ``False`` when the lease was lost: then nothing must be sent.
    """
    values: dict[str, Any] = {
        "controller_id": controller_id,
        "absent_before": absent_before,
        "sent_at": func.clock_timestamp(),
        "deadline_at": func.clock_timestamp() + leases.seconds(deadline),
    }
    if request is not None:
        values["request"] = dict(request)
    return await _apply(session, held, values)


async def unsent(session: WriteSession, held: Held) -> bool:
    """Records that it was refused or never left; ``False`` when the lease was lost."""
    values = {"sent_at": None, "deadline_at": None, "absent_before": False}
    return await _apply(session, held, values)


async def put_off(session: WriteSession, held: Held, delay: float, outcome: str = "") -> bool:
    """Hands it back, to be looked at again in ``delay`` seconds; ``False`` if it was lost."""
    values = {
        "look_at": func.clock_timestamp() + leases.seconds(delay),
        "outcome": outcome,
        "lease_owner": None,
        "lease_expires": None,
    }
    done = await _apply(session, held, values)
    if done and delay <= 0:
        await notify(session, INTENTS, held.id)
    return done


async def detach(session: WriteSession, held: Held, delay: float) -> bool:
    """Hands it back without its model, which is tried elsewhere: only a late arrival is still
    looked for, in ``delay`` seconds. ``False`` when the lease was lost."""
    values = {
        "model_id": None,
        "look_at": func.clock_timestamp() + leases.seconds(delay),
        "lease_owner": None,
        "lease_expires": None,
    }
    return await _apply(session, held, values)


async def settle(session: WriteSession, held: Held, state: IntentState, outcome: str) -> bool:
    """Closes it; ``False`` when the lease was lost, and then nothing else must be written."""
    values = {"state": state, "outcome": outcome, "lease_owner": None, "lease_expires": None}
    return await _apply(session, held, values)


async def renew(session: WriteSession, held: Held, lease: float) -> bool:
    """Holds it for ``lease`` seconds from now; ``False`` if it was lost."""
    return await leases.renew(session, IntentRow, held, lease) is not None


async def release_all(session: WriteSession, owner: str) -> int:
    """Hands back all that ``owner`` holds; how many there were."""
    return await leases.release_all(session, IntentRow, owner)


async def _apply(session: WriteSession, held: Held, values: Mapping[str, Any]) -> bool:
    statement = (
        update(IntentRow)
        .where(leases.guard(IntentRow, held), IntentRow.state == IntentState.PENDING)
        .values(dict(values))
        .returning(IntentRow.id)
    )
    return (await session.execute(statement)).first() is not None


def _is_open() -> ColumnElement[bool]:
    return IntentRow.state == IntentState.PENDING


@cache
def _whether_due() -> Question:
    return leases.whether_any(IntentRow, IntentRow.look_at, _is_open())


def _columns() -> list[InstrumentedAttribute[Any]]:
    return columns(IntentRow, Intent)
