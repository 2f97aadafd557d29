"""What is recorded and not yet written: lines in batches, within a bound. Pure.

The way of a call into the list is the proxy's own, so it is kept short: no await, no parsing,
and the text is put together from parts that are made once.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from jimm.audit import kept, lines
from jimm.audit.kept import Shape

LARGEST_BATCH: Final = 1024 * 1024
"""Bytes of parameters and texts in one batch, beside its lines."""

_KNOWN_METHODS: Final = 4096
_TICK: Final = 0.001
_LONG: Final = 128
_NOTHING: Final = frozenset({b"{}", b"null"})
_PLAIN: Final = lines.end("{}")
_WITHHELD: Final = lines.end(lines.WITHHELD)


class Detail(NamedTuple):
    """A line that is finished only when it is written: its beginning, and what gives its end."""

    head: str
    ending: Callable[[], str]


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
    first record, at each whole batch, and when ``full`` has changed.
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
    ) -> None:
        self.full = False
        self.now = now
        self.known: dict[tuple[str, int, str], str] = {}
        self.lines: list[str] = []
        self.mark = 1
        self.at = ""
        self.since = 0.0
        self.until = 0.0
        self._size = batch
        self._limit = batches
        self._drop = drop
        self._skip = frozenset(skip)
        self._stirred = stirred
        self._filling = Batch(self.lines)
        self._waiting: deque[Batch] = deque()
        self._dropped = 0

    def __len__(self) -> int:
        """How many records wait."""
        return sum(len(batch) for batch in self._waiting) + len(self._filling)

    @property
    def whole(self) -> bool:
        """Whether a batch waits that takes no more."""
        return bool(self._waiting)

    def learn(self, facade: str, version: int, method: str) -> str:
        """A method's part of a line; empty for one that leaves no record."""
        if len(self.known) >= _KNOWN_METHODS:
            self.known.clear()
        skipped = not self._skip.isdisjoint({f"{facade}.{method}", f"*.{method}"})
        part = "" if skipped else lines.names(facade, version, method)
        if len(part) < _LONG:
            self.known[facade, version, method] = part
        return part

    def tick(self, moment: float) -> None:
        """It is another millisecond."""
        self.since, self.until = moment, moment + _TICK
        self.at = lines.time_text(moment)

    def reached(self) -> None:
        """The lines are as many as the mark says."""
        if len(self._filling) >= self._size or self._filling.size >= LARGEST_BATCH:
            self._close()
        else:
            self.mark = self._size
        self._stirred()

    def add(self, head: str, ending: Callable[[], str], size: int) -> None:
        """A record that is to be finished when it is written; ``size`` is what it holds."""
        filling = self._filling
        filling.details.append(Detail(head, ending))
        filling.size += size
        if len(filling) >= self.mark or filling.size >= LARGEST_BATCH:
            self.reached()

    def cut(self) -> None:
        """Makes a batch of what there is."""
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
        if self._waiting or self._filling:
            return False
        self.mark = 1
        return True

    def dropped(self) -> int:
        """How many records were dropped since this was last asked."""
        found, self._dropped = self._dropped, 0
        return found

    def lost(self, count: int) -> None:
        """So many can't be written."""
        self._dropped += count

    def _close(self) -> None:
        if self._drop and len(self._waiting) >= self._limit:
            self._dropped += len(self._filling)
        else:
            self._waiting.append(self._filling)
            self.full = not self._drop and len(self._waiting) >= self._limit
        self._begin()

    def _begin(self) -> None:
        self._filling = Batch()
        self.lines = self._filling.lines
        self.mark = self._size


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

    def called(
        self,
        request_id: int,
        facade: str,
        version: int,
        method: str,
        object_id: str,
        params: bytes,
        sure: bool,
    ) -> None:
        """The client asks for a method. ``params`` are the bytes of the JSON value that came
        with it, or empty; ``sure`` is false where the names are a guess."""
        backlog = self._backlog
        part = backlog.known.get((facade, version, method))
        if part is None:
            part = backlog.learn(facade, version, method)
        moment = backlog.now()
        if not backlog.since <= moment < backlog.until:
            backlog.tick(moment)
        if object_id or not sure or not 0 <= request_id <= lines.LARGEST_NUMBER:
            self._detailed(request_id, (facade, version, method), object_id, params, sure)
            return
        if not part:
            return
        end = _PLAIN
        if params and (len(params) > 4 or params not in _NOTHING):  # a hash of a long one is dear
            if (facade, method) in kept.KEPT:
                self._detailed(request_id, (facade, version, method), object_id, params, sure)
                return
            end = _WITHHELD
        backlog.lines.append(f"{self._prefix}{part}{backlog.at}\t{request_id}{end}")
        if len(backlog.lines) >= backlog.mark:
            backlog.reached()

    def failed(self, request_id: int, error: str, code: str) -> None:
        """The answer was an error. Its text is hidden and cut when it is written."""
        backlog = self._backlog
        self._tick()
        number = lines.number(request_id)
        text = error[: 4 * lines.LONGEST_ERROR]
        backlog.add(
            f"{self._prefix}{lines.names('', 0, '')}{backlog.at}\t{number}",
            partial(self._failed_end, text, code[: lines.LONGEST_NAME]),
            len(text),
        )

    def noted(self, action: str, params: str) -> None:
        """JIMM itself did something; ``params`` is JSON."""
        self._tick()
        head = f"{self._prefix}{lines.names('', 0, '')}{self._backlog.at}\t0"
        self._backlog.add(head, partial(lines.noted_end, action, params), len(params))

    def _detailed(
        self,
        request_id: int,
        method: tuple[str, int, str],
        object_id: str,
        params: bytes,
        sure: bool,
    ) -> None:
        backlog = self._backlog
        part = backlog.known.get(method) or (
            lines.names(*method) if not sure else backlog.learn(*method)
        )
        if not part:
            return
        shape = kept.KEPT.get((method[0], method[2])) if sure else None
        cut = object_id[: lines.LONGEST_NAME]
        ending, size = _ending(cut, params, shape, sure)
        number = lines.number(request_id)
        backlog.add(f"{self._prefix}{part}{backlog.at}\t{number}", ending, len(cut) + size)

    def _failed_end(self, error: str, code: str) -> str:
        return lines.failed_end(self._hide(error), code)

    def _tick(self) -> None:
        moment = self._backlog.now()
        if not self._backlog.since <= moment < self._backlog.until:
            self._backlog.tick(moment)


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
