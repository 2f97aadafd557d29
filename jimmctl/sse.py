"""Server-sent events: bytes in, events out, no I/O (WHATWG HTML, section 9.2)."""

from dataclasses import dataclass

from jimmctl.errors import BadAnswer

LONGEST_LINE = 1 << 20  # bytes; a migration's event has a few hundred


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its id ("" for none), its name (``message`` by default) and its data."""

    id: str
    name: str
    data: str


class Parser:
    """Feed it what arrives, cut anywhere; it gives the events that are complete.

    Comments and unknown fields are skipped, as the standard wants.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._after_return = False
        self._id = ""
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that ``chunk`` completes.

        Raises:
            BadAnswer: a line is longer than ``LONGEST_LINE``.
        """
        events = []
        for part in chunk.splitlines(keepends=True):
            if self._after_return and part == b"\n":
                self._after_return = False
                continue
            self._after_return = part.endswith(b"\r")
            self._line += part.rstrip(b"\r\n")
            if len(self._line) > LONGEST_LINE:
                raise BadAnswer("the stream of events holds a line without an end")
            if not part.endswith((b"\r", b"\n")):
                continue
            line = self._line.decode(errors="replace")
            self._line.clear()
            event = self._take(line)
            if event is not None:
                events.append(event)
        return events

    def _take(self, line: str) -> Event | None:
        if not line:
            return self._complete()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
        elif field == "id" and "\0" not in value:
            self._id = value
        return None

    def _complete(self) -> Event | None:
        event = Event(self._id, self._name or "message", "\n".join(self._data))
        anything = bool(self._data)
        self._name = ""
        self._data = []
        return event if anything else None
