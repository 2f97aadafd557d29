"""Lists of models, from the registry alone: no controller is asked, however many there are.

What controllers last said is kept fresh in the background (:mod:`jimm.fleet.watch`).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from jimm.access import rules
from jimm.fleet import levels
from jimm.fleet.absence import Absence, of_controller
from jimm.fleet.caller import Caller
from jimm.fleet.facts import lost
from jimm.fleet.fleet import Fleet
from jimm.registry import listings
from jimm.registry.listings import Listed
from jimm.registry.words import ModelState, ObjectKind, Relation

UNAVAILABLE: Final = "unavailable"
"""The status of a model whose controller is away, or that its controller lost."""


async def every(
    fleet: Fleet,
    caller: Caller,
    *,
    everybody: bool = True,
    after: tuple[str, str] = ("", ""),
    limit: int | None = None,
    controller: str = "",
) -> Sequence[Listed]:
    """The models that the caller may see, by owner and name; all of them for an administrator
    unless ``everybody`` is false. One statement."""
    async with fleet.registry.read() as session:
        return await listings.every(
            session,
            caller.identity,
            admin=caller.admin and everybody,
            after=after,
            limit=limit,
            controller=controller,
        )


def level(listed: Listed, caller: Caller) -> str:
    """What the caller may do with a model in their list, in Juju's levels."""
    if caller.admin or listed.owner == caller.identity:
        return levels.ADMIN
    return _level(listed.held or "")


def status(listed: Listed) -> str:
    """One word for how a model is."""
    if listed.state in _ABNORMAL:
        return listed.state
    return UNAVAILABLE if listed.away_since is not None else listed.status or "available"


def absence(listed: Listed) -> Absence | None:
    """Why nobody can be asked of a model; ``None`` where somebody can."""
    if why := lost(listed.state):
        return Absence(why, listed.missing_since)
    if listed.away_since is not None:
        return of_controller(listed.controller_name or "", listed.away_since)
    return None


_ABNORMAL: Final = frozenset({ModelState.MISSING, ModelState.UNMANAGED, ModelState.DESTROYING})


@lru_cache(maxsize=256)
def _level(held: str) -> str:
    return rules.level(ObjectKind.MODEL, [Relation(each) for each in held.split()])
