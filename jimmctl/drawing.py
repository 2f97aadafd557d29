"""Progress bars on a terminal. Imported only when something is drawn."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.text import Text

from jimmctl import output, progress, track
from jimmctl.rows import Row
from jimmctl.track import Track

_NAME = 32  # cells at most
_BAR = 20  # cells on a wide terminal
_MARGIN = 2  # lines that the shell's prompt and a sentence may need
_PER_SECOND = 4


class Bars:
    """A bar per migration, and sentences above them."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        self._console = console
        self._clock = clock
        self._tracks: dict[str, Track] = {}

    def expect(self, names: Mapping[str, str]) -> None:
        """These migrations will be watched, each under the name of its model."""
        for migration, name in names.items():
            self._tracks.setdefault(migration, Track(output.plain(name)))

    def take(self, migration: str, kind: str, told: Row) -> None:
        """An event of one of them."""
        self._tracks[migration].take(kind, told, self._clock())

    def say(self, sentence: str) -> None:
        """A sentence above the bars."""
        self._console.print(Text(output.plain(sentence)), soft_wrap=True)

    def picture(self) -> Text:
        """The bars as they are now, within the terminal's size."""
        tracks = list(self._tracks.values())
        width, height = self._console.size
        room, now = max(1, height - _MARGIN), self._clock()
        if 2 * len(tracks) <= room:
            frame = Frame.around(tracks, now, width, self._is_unicode)
            lines = [line for one in tracks for line in (frame.bar(one), frame.message(one))]
        else:
            shown, rest = track.chosen(tracks, room)
            frame = Frame.around(shown, now, width, self._is_unicode)
            lines = [frame.bar(one, with_message=True) for one in shown]
            lines += [frame.fitted(Text(track.summary(rest), style="dim"))] if rest else []
        return Text("\n", no_wrap=True).join(lines)

    @property
    def _is_unicode(self) -> bool:
        return self._console.encoding.startswith("utf")


@dataclass(frozen=True, slots=True)
class Frame:
    """How wide everything is on a terminal ``width`` cells wide, at a moment."""

    now: float
    width: int
    name: int
    stage: int
    spent: int
    outlook: int
    done: str
    left: str

    @classmethod
    def around(cls, tracks: Sequence[Track], now: float, width: int, is_unicode: bool) -> "Frame":
        """The frame that these fit in; columns are as wide as what is in them."""
        done, left = "━┄" if is_unicode else "#-"
        return cls(
            now=now,
            width=width,
            name=min(_NAME, width // 3, _longest(one.name for one in tracks)),
            stage=_longest(one.stage for one in tracks),
            spent=_longest(_spent(one, now) for one in tracks),
            outlook=_longest(track.outlook(one, now) for one in tracks),
            done=done,
            left=left,
        )

    def bar(self, one: Track, *, with_message: bool = False) -> Text:
        """Name, bar, stage, time in it, and what is expected; the message where it fits."""
        style = _style(one)
        cells = max(4, min(_BAR, self.width // 5))
        full = round(cells * one.share(self.now))
        bar = Text(self.done * full, style=style).append(self.left * (cells - full), style="dim")
        parts = [
            _cell(one.name, self.name),
            bar,
            _cell(one.stage, self.stage, style),
            Text(_spent(one, self.now).rjust(self.spent)),
            _cell(track.outlook(one, self.now), self.outlook),
            *([_plain(one.message)] if with_message else []),
        ]
        return self.fitted(Text("  ").join(parts))

    def message(self, one: Track) -> Text:
        """What was said last, on a line of its own."""
        return self.fitted(Text("  ").append(_plain(one.message)))

    def fitted(self, line: Text) -> Text:
        """No longer than the terminal is wide."""
        line.rstrip()
        line.truncate(self.width, overflow="ellipsis")
        return line


@contextmanager
def bars(clock: Callable[[], float] = time.monotonic) -> Iterator[Bars]:
    """Bars on stderr for the length of a block; they stay as they were at its end."""
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    drawn = Bars(console, clock)
    with Live(
        console=console,
        get_renderable=drawn.picture,
        refresh_per_second=_PER_SECOND,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield drawn


def _spent(one: Track, now: float) -> str:
    seconds = one.in_phase(now)
    return "" if seconds is None else track.clock(seconds)


def _style(one: Track) -> str:
    if one.over:
        return "green" if one.state == progress.MOVED else "red"
    return "yellow" if one.slow or one.state == track.STUCK else "cyan"


def _plain(text: str) -> Text:
    return Text(output.plain(text))


def _cell(text: str, width: int, style: str = "") -> Text:
    cell = Text(text, style=style)
    cell.truncate(width, overflow="ellipsis", pad=True)
    return cell


def _longest(texts: Iterable[str]) -> int:
    return max(map(cell_len, texts), default=0)
