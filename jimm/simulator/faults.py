"""Things that go wrong on demand.

A fault waits at a *point* of the simulator, a name such as ``ModelManager.CreateModel`` for a
call or ``phase.source.IMPORT`` for a step of a migration, and does its *action* to what passes:

``refuse``        the call is answered with ``message`` and ``code`` and not carried out
``stall``         the call waits until the fault is cleared (or for ``seconds``)
``stall-after``   it is carried out, and its answer waits
``delay``         the call waits ``seconds``
``drop-before``   the connection is cut, without a close frame, before the call is carried out
``drop-after``    the same after it was carried out, in place of the answer
``lie``           it is not carried out and answered with ``answer`` as if it were
``lie-after``     it is carried out and answered with ``answer``, or refused with ``message`` and
                  ``code`` where there is none
``crash``         the controller dies as by SIGKILL
``crash-after``   the same after it was carried out, in place of the answer

With ``model`` it waits for what is about that model alone.
"""

import asyncio
import base64
import binascii
import fnmatch
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct

from jimm.errors import RemoteError

Action = Literal[
    "refuse",
    "stall",
    "stall-after",
    "delay",
    "drop-before",
    "drop-after",
    "lie",
    "lie-after",
    "crash",
    "crash-after",
]

UNANSWERED: Final = (
    "phase.source.*",
    "fail.*",
    "message.*",
    "minion.*",
    "instance.*",
    "initiate",
    "initiate.after",
)
"""Points at which nobody waits for an answer, so that nothing can be lied."""


class Fault(Struct, frozen=True, kw_only=True, rename="kebab", omit_defaults=True):
    """One rule. ``point`` may hold wildcards; ``times`` 0 is for ever.

    ``answer`` is any value of JSON. A text that holds an object or a list is read as that.
    ``model`` is a uuid, empty for whatever passes.
    """

    point: str
    action: Action
    message: str = "simulated fault"
    code: str = ""
    answer: Any = UNSET
    model: str = ""
    seconds: float = 0.0
    times: int = 1
    id: int = 0

    @property
    def error(self) -> RemoteError:
        """What a refused call answers."""
        return RemoteError(self.message, self.code)

    @property
    def lied(self) -> object:
        """What a lie answers, nothing in particular by default.

        Raises:
            RemoteError: the lie is a refusal.
        """
        if self.answer is UNSET and self.action == "lie-after":
            raise self.error
        if self.answer is UNSET:
            return {}
        if isinstance(self.answer, str) and self.answer.startswith(("{", "[")):
            return msgspec.json.decode(self.answer)
        return self.answer

    @property
    def is_cut(self) -> bool:
        """Whether it leaves the caller without an answer."""
        return self.action in ("drop-before", "drop-after")


class Faults:
    """The faults that wait, oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[int, Fault] = {}
        self._cleared: dict[int, asyncio.Event] = {}
        self._last = 0

    def add(self, fault: Fault) -> Fault:
        """Puts a fault in and gives it its id.

        Raises:
            ValueError: a lie where nobody asks.
        """
        if fault.action in ("lie", "lie-after") and _fits(fault.point, UNANSWERED):
            raise ValueError(f"nobody waits for an answer at {fault.point}")
        self._last += 1
        fault = msgspec.structs.replace(fault, id=self._last)
        self._waiting[fault.id] = fault
        self._cleared[fault.id] = asyncio.Event()
        return fault

    def list(self) -> list[Fault]:
        """What waits, with what is left of ``times``."""
        return list(self._waiting.values())

    def clear(self, fault_id: int = 0) -> None:
        """Takes out one fault, or all with 0; whatever a stall holds goes on."""
        for each in [fault_id] if fault_id else list(self._cleared):
            self._waiting.pop(each, None)
            event = self._cleared.pop(each, None)
            if event is not None:
                event.set()

    def take(self, *points: str, about: Callable[[str], bool] | None = None) -> Fault | None:
        """The first fault that waits at one of the points; one use of it is gone.

        ``about`` says whether what passes is about a model.
        """
        for fault in self._waiting.values():
            if not any(fnmatch.fnmatchcase(point, fault.point) for point in points):
                continue
            if fault.model and (about is None or not about(fault.model)):
                continue
            self._use(fault)
            return fault
        return None

    async def hold(self, fault: Fault) -> None:
        """Waits for as long as a ``stall`` or a ``delay`` asks (in real seconds)."""
        if fault.action == "delay":
            await asyncio.sleep(fault.seconds)
            return
        event = self._cleared.get(fault.id)
        if event is None:
            return
        try:
            async with asyncio.timeout(fault.seconds or None):
                await event.wait()
        except TimeoutError:
            return

    def _use(self, fault: Fault) -> None:
        if fault.times == 0:
            return
        if fault.times == 1:
            # A stall that is used up still holds what it caught, until it is cleared.
            del self._waiting[fault.id]
            return
        self._waiting[fault.id] = msgspec.structs.replace(fault, times=fault.times - 1)


def mentions(value: object, uuid: str) -> bool:
    """Whether parameters are about a model: its uuid stands in one of their texts, or in the
    description of a model that one of them is in base64."""
    if isinstance(value, str):
        return uuid in value or uuid in _decoded(value)
    if isinstance(value, Mapping):
        return any(mentions(each, uuid) for each in value.values())
    if isinstance(value, list):
        return any(mentions(each, uuid) for each in value)
    return False


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _fits(point: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(point, pattern) for pattern in patterns)
