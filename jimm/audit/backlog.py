"""What is recorded and not yet written: lines in batches, within a bound. Pure.

The way of a call into the list is the proxy's own, so it is kept short: no await, no parsing,
and the text is put together from parts that are made once.
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from msgspec import Raw

from jimm.audit import kept, lines
from jimm.audit.call import LONGEST_PARAMS, Asked
from jimm.audit.kept import Shape

LARGEST_BATCH: Final = 1024 * 1024
"""Bytes of parameters and texts in one batch, beside its lines."""

PENDING: Final = 256
"""Calls that are put down together, at most: one at a time each of them would cost three times as
much, for by then the processor has forgotten how."""

FEW: Final = 32
"""Calls that are put down together, at least; it takes less time than a controller to answer."""

BRISK: Final = 0.02
"""Seconds in which calls come fast: of them more are put down together, of others fewer."""

LONG_PARAMS: Final = 16 * 1024
"""Bytes of parameters that don't wait for others."""

_KNOWN_METHODS: Final = 4096
_TICK: Final = 0.001
_LONG: Final = 128
_NOTHING: Final = frozenset({b"{}", b"null"})
_LONGEST_NOTHING: Final = 4
_PLAIN: Final = lines.end("{}")
_WITHHELD: Final = lines.end(lines.WITHHELD)


class Detail(NamedTuple):
    """A line that is finished only when it is written: its beginning, and what gives its end."""

    head: str
    ending: Callable[[], str]


class _Method(NamedTuple):
    """What the records of one method have in common: a part of their lines, empty for one that
    leaves none, and what is kept of their parameters."""

    part: str
    shape: Shape | None


@dataclass(slots=True)
class Batch:
    """Plain lines, and others, in the order of their making."""

    lines: list[str] = field(default_factory=list)
    details: list[Detail] = field(default_factory=list)
    size: int = 0

    def __len__(self) -> int:
        return len(self.lines) + len(self.details)


class Backlog:
    """Batches that wait.

    ``batch`` is in records, ``batches`` how many of them may wait before it is ``full``. With
    ``drop`` it is never full: what does not fit is dropped and counted. ``skip`` names calls
    that leave no record, as ``Facade.Method`` or ``*.Method``. ``stirred`` is called at the
    first record, at each whole batch, and when ``full`` has changed. ``soon`` calls what it is
    given once the calls have been passed on that are being passed on just now.
    """

    def __init__(
        self,
        *,
        batch: int,
        batches: int,
        drop: bool,
        skip: Iterable[str],
        now: Callable[[], float],
        stirred: Callable[[], None],
        soon: Callable[[Callable[[], None]], object],
    ) -> None:
        self.full = False
        self.now = now
        self.pending: list[tuple[str, float, Asked]] = []
        self.patience = 1
        self.known: dict[tuple[str, int, str], _Method] = {}
        self._at = ""
        self._since = 0.0
        self._until = 0.0
        self._size = batch
        self._limit = batches
        self._drop = drop
        self._skip = frozenset(skip)
        self._stirred = stirred
        self._soon = soon
        self._filling = Batch()
        self._mark = 1
        self._waiting: deque[Batch] = deque()
        self._dropped = 0

    def __len__(self) -> int:
        """How many records wait."""
        waiting = sum(len(batch) for batch in self._waiting)
        return waiting + len(self._filling) + len(self.pending)

    @property
    def whole(self) -> bool:
        """Whether a batch waits that takes no more."""
        return bool(self._waiting)

    def time(self, moment: float) -> str:
        """A moment as lines have it; most come within the millisecond of the last one."""
        if not self._since <= moment < self._until:
            self._since, self._until = moment, moment + _TICK
            self._at = lines.time_text(moment)
        return self._at

    def settle_soon(self) -> None:
        """Has the calls that are pending put down while their controllers work on them."""
        self.patience = sys.maxsize
        self._soon(self.settle)

    def settle(self) -> None:
        """Puts down the calls that are pending."""
        if not self.pending:  # they were, with others
            return
        pending, self.pending = self.pending, []
        for prefix, moment, call in pending:
            self._put_down(prefix, moment, call)
        # Until somebody has been stirred, nobody would come for what is pending.
        self.patience = 1 if self._mark == 1 else min(_as_many(pending), self._size)

    def add(self, head: str, ending: Callable[[], str], size: int) -> None:
        """A record that is to be finished when it is written; ``size`` is what it holds."""
        filling = self._filling
        filling.details.append(Detail(head, ending))
        filling.size += size
        if len(filling) >= self._mark or filling.size >= LARGEST_BATCH:
            self._reached()

    def cut(self) -> None:
        """Makes a batch of what there is."""
        self.settle()
        if self._filling:
            self._waiting.append(self._filling)
            self._begin()

    def take(self) -> Batch | None:
        """The oldest batch."""
        batch = self._waiting.popleft() if self._waiting else None
        if self.full and len(self._waiting) <= self._limit // 2:
            self.full = False
            self._stirred()
        return batch

    def rest(self) -> bool:
        """Whether nothing waits; then the next record stirs."""
        if self._waiting or self._filling or self.pending:
            return False
        self._mark = self.patience = 1
        return True

    def dropped(self) -> int:
        """How many records were dropped since this was last asked."""
        found, self._dropped = self._dropped, 0
        return found

    def lost(self, count: int) -> None:
        """So many can't be written."""
        self._dropped += count

    def _put_down(self, prefix: str, moment: float, call: Asked) -> None:
        names = (call.type, call.version, call.request)
        method = self.known.get(names)
        if method is None or not (method.part or call.sure):
            method = self._learn(names, sure=call.sure)
        if not method.part:
            return
        number, given = call.request_id, _given(call.params)
        head = f"{prefix}{method.part}{self.time(moment)}"
        is_odd = call.id or not call.sure or not 0 <= number <= lines.LARGEST_NUMBER
        if is_odd or (given and method.shape is not None):
            self._put_down_apart(head, call, method.shape)
            return
        self._filling.lines.append(f"{head}\t{number}{_WITHHELD if given else _PLAIN}")
        if len(self._filling.lines) >= self._mark:
            self._reached()

    def _put_down_apart(self, head: str, call: Asked, shape: Shape | None) -> None:
        params = bytes(memoryview(call.params)[:LONGEST_PARAMS])
        cut = call.id[: lines.LONGEST_NAME]
        ending, size = _ending(cut, params, shape, call.sure)
        self.add(f"{head}\t{lines.number(call.request_id)}", ending, len(cut) + size)

    def _learn(self, names: tuple[str, int, str], *, sure: bool) -> _Method:
        """What a method's records have in common. A guess is no reason to leave one out, nor
        worth to be remembered."""
        facade, _, name = names
        if not sure:
            return _Method(lines.names(*names), None)
        if len(self.known) >= _KNOWN_METHODS:
            self.known.clear()
        skipped = not self._skip.isdisjoint({f"{facade}.{name}", f"*.{name}"})
        method = _Method("" if skipped else lines.names(*names), kept.KEPT.get((facade, name)))
        if len(method.part) < _LONG:
            self.known[names] = method
        return method

    def _reached(self) -> None:
        """The records are as many as the mark says."""
        if len(self._filling) >= self._size or self._filling.size >= LARGEST_BATCH:
            self._close()
        else:
            self._mark = self._size
        self._stirred()

    def _close(self) -> None:
        if self._drop and len(self._waiting) >= self._limit:
            self._dropped += len(self._filling)
        else:
            self._waiting.append(self._filling)
            self.full = not self._drop and len(self._waiting) >= self._limit
        self._begin()

    def _begin(self) -> None:
        self._filling = Batch()
        self._mark = self._size


class Conversation:
    """One connection: whoever is at its other end, and what it asks for.

    ``id`` is 16 hexadecimal digits.
    """

    def __init__(self, backlog: Backlog, hide: Callable[[str], str], id: str) -> None:  # noqa: A002
        self.id = id
        self._backlog = backlog
        self._hide = hide
        self._prefix = ""

    def is_of(
        self,
        *,
        identity: str,
        door: str,
        model_uuid: str = "",
        controller: str = "",
        client: str = "",
    ) -> None:
        """Says who is at its other end, from the next record on."""
        self._prefix = lines.prefix(
            identity=identity,
            door=door,
            model_uuid=model_uuid,
            controller=controller,
            conversation=self.id,
            client=client,
        )

    def called(self, call: Asked) -> None:
        """The client asks for something. This is the proxy's own way: the record is made later,
        with others."""
        backlog = self._backlog
        pending = backlog.pending
        pending.append((self._prefix, backlog.now(), call))
        if len(pending) >= backlog.patience or len(call.params) > LONG_PARAMS:
            backlog.settle_soon()

    def failed(self, request_id: int, error: str, code: str) -> None:
        """The answer was an error. Its text is hidden and cut when it is written."""
        number = lines.number(request_id)
        text = error[: 4 * lines.LONGEST_ERROR]
        self._backlog.add(
            f"{self._head()}\t{number}",
            partial(self._failed_end, text, code[: lines.LONGEST_NAME]),
            len(text),
        )

    def noted(self, action: str, params: str) -> None:
        """JIMM itself did something; ``params`` is JSON."""
        ending = partial(lines.noted_end, action, params)
        self._backlog.add(f"{self._head()}\t0", ending, len(params))

    def _head(self) -> str:
        backlog = self._backlog
        return f"{self._prefix}{lines.names('', 0, '')}{backlog.time(backlog.now())}"

    def _failed_end(self, error: str, code: str) -> str:
        return lines.failed_end(self._hide(error), code)


def _as_many(pending: list[tuple[str, float, Asked]]) -> int:
    """How many calls are to be put down together, after these."""
    brisk = pending[-1][1] - pending[0][1] < BRISK
    count = len(pending)
    return min(max(FEW, 2 * count if brisk else count // 2), PENDING)


def _given(params: bytes | Raw) -> bool:
    size = len(params)  # to compare a long one is dear
    return size > _LONGEST_NOTHING or (size > 0 and bytes(memoryview(params)) not in _NOTHING)


def _ending(
    object_id: str, params: bytes, shape: Shape | None, sure: bool
) -> tuple[Callable[[], str], int]:
    """What gives the end of a call's line, and how many bytes it holds until then."""
    if not sure:
        return partial(lines.called_end, object_id, lines.GUESSED), 0
    if not params or params in _NOTHING:
        return partial(lines.called_end, object_id, "{}"), 0
    if shape is None or len(params) > kept.LARGEST:
        return partial(lines.called_end, object_id, lines.WITHHELD), 0
    return partial(_kept_end, object_id, params, shape), len(params)


def _kept_end(object_id: str, params: bytes, shape: Shape) -> str:
    return lines.called_end(object_id, kept.keep(params, shape))
