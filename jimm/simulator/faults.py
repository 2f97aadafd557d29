"""Things that go wrong on demand.

A fault waits at a *point* of the simulator, a name such as ``ModelManager.CreateModel`` for a
call or ``phase.source.IMPORT`` for a step of a migration, and does its *action* to what passes:

``refuse``        the call is answered with ``message`` and ``code`` and not carried out
``stall``         the call waits until the fault is cleared (or for ``seconds``)
``delay``         the call waits ``seconds``
``drop-before``   the connection is cut, without a close frame, before the call is carried out
``drop-after``    the same after it was carried out, in place of the answer
``crash``         the controller dies as by SIGKILL
"""

import asyncio
import fnmatch
from typing import Literal

import msgspec
from msgspec import Struct

from jimm.errors import RemoteError

Action = Literal["refuse", "stall", "delay", "drop-before", "drop-after", "crash"]


class Fault(Struct, frozen=True, kw_only=True, rename="kebab", omit_defaults=True):
    """One rule. ``point`` may hold wildcards; ``times`` 0 is for ever."""

    point: str
    action: Action
    message: str = "simulated fault"
    code: str = ""
    seconds: float = 0.0
    times: int = 1
    id: int = 0

    @property
    def error(self) -> RemoteError:
        """What a refused call answers."""
        return RemoteError(self.message, self.code)


class Faults:
    """The faults that wait, oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[int, Fault] = {}
        self._cleared: dict[int, asyncio.Event] = {}
        self._last = 0

    def add(self, fault: Fault) -> Fault:
        """Puts a fault in and gives it its id."""
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

    def take(self, point: str) -> Fault | None:
        """The first fault that waits at this point; one use of it is gone."""
        for fault in self._waiting.values():
            if fnmatch.fnmatchcase(point, fault.point):
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
            await asyncio.wait_for(event.wait(), fault.seconds or None)
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
