"""The bars as they look on a terminal of a given size."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len
from rich.console import Console

from jimmctl.drawing import Bars
from jimmctl.rows import Row

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
BAR = "━"
LONG = "uploading model binaries into target controller, which takes its time with many charms"


class Terminal:
    """A console of a size, and a clock that stands still."""

    def __init__(self, width: int, height: int) -> None:
        self._file = io.StringIO()
        self._console = Console(file=self._file, width=width, height=height, _environ={})
        self.bars = Bars(self._console, lambda: 50.0)

    def lines(self) -> list[str]:
        """The picture, line by line, without its colours."""
        self._file.seek(0)
        self._file.truncate()
        self._console.print(self.bars.picture())
        return [line.rstrip() for line in self._file.getvalue().splitlines()]

    def show(self, migrations: Iterable[tuple[str, str, str, str]]) -> None:
        """Name, state, phase and message of each; those with a phase have 90 s to go."""
        for name, state, phase, message in migrations:
            self.bars.expect({name: name})
            self.bars.take(name, "progress", told(30, state, phase, message))
            if phase:
                self.bars.take(name, "outlook", outlook(60, state, phase))


def at(seconds: float) -> str:
    return (BEGAN + timedelta(seconds=seconds)).isoformat()


def told(seconds: float, state: str, phase: str, message: str) -> Row:
    return {"at": at(seconds), "state": state, "phase": phase, "message": message}


def outlook(seconds: float, state: str, phase: str) -> Row:
    return {**told(seconds, state, phase, ""), "phase-since": at(30), "expected-rest": 90.0}


def test_one_migration_has_a_bar_and_its_message_in_full() -> None:
    terminal = Terminal(80, 24)
    terminal.show([("alice/m1", "running", "IMPORT", "importing model into target controller")])
    bar, message = terminal.lines()
    assert bar.split() == [
        "alice/m1",
        BAR * 4 + "┄" * 12,
        "IMPORT",
        "0:30",
        "about",
        "1:30",
        "left",
    ]
    assert message == "  importing model into target controller"


def test_waiting_stuck_and_ended_ones_say_so() -> None:
    terminal = Terminal(100, 24)
    terminal.show(
        [
            ("alice/m1", "requested", "", ""),
            ("alice/m2", "stuck", "VALIDATION", "controller-2 does not answer"),
            ("alice/m3", "done", "DONE", "the model has arrived"),
            ("alice/m4", "failed", "ABORTDONE", "no room"),
        ]
    )
    lines = terminal.lines()
    assert "waits for its turn" in lines[0]
    assert "stuck" in lines[2]
    assert lines[4].split() == ["alice/m3", BAR * 20, "done"]
    assert "failed" in lines[6]
    assert [line.strip() for line in lines[3::2]] == [
        "controller-2 does not answer",
        "the model has arrived",
        "no room",
    ]


def test_many_have_a_line_each_up_to_the_height_and_the_rest_are_summed_up() -> None:
    terminal = Terminal(100, 12)
    terminal.show((f"alice/m{n}", "running", "IMPORT", LONG) for n in range(8))
    lines = terminal.lines()
    assert len(lines) == 8
    assert all("IMPORT" in line and "about 1:30 left" in line and "upl" in line for line in lines)
    terminal.show((f"alice/w{n}", "requested", "", "") for n in range(40))
    lines = terminal.lines()
    assert len(lines) == 10
    assert lines[-1] == "and 39 more: 39 waiting"
    assert [line.split()[0] for line in lines[:8]] == [f"alice/m{n}" for n in range(8)]


@pytest.mark.parametrize(("width", "height"), [(20, 3), (40, 5), (80, 24), (200, 60), (10, 1)])
def test_it_fits_on_any_terminal(width: int, height: int) -> None:
    terminal = Terminal(width, height)
    name = "somebody-with-a-long-name@example.com/a-model-with-a-long-name"
    for count in (1, 3, 30):
        terminal.show((f"{name}-{n}", "running", "LOGTRANSFER", LONG) for n in range(count))
        lines = terminal.lines()
        assert len(lines) <= max(1, height - 2)
        assert max(cell_len(line) for line in lines) <= width


def test_what_a_server_says_steers_no_terminal() -> None:
    terminal = Terminal(80, 24)
    terminal.show([("m\x1b[2J", "running", "IMPORT", "[red]\x1b]0;title\x07\nnext line")])
    lines = terminal.lines()
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert "[red]" in lines[1]


def test_sentences_are_said_above_the_bars() -> None:
    file = io.StringIO()
    bars = Bars(Console(file=file, width=20, height=5, _environ={}), lambda: 0.0)
    bars.say("nothing answers at 127.0.0.1:1; trying again")
    assert file.getvalue() == "nothing answers at 127.0.0.1:1; trying again\n"


def test_a_terminal_without_unicode_gets_plain_signs() -> None:
    written = io.BytesIO()
    file = io.TextIOWrapper(written, encoding="ascii")
    console = Console(file=file, width=60, height=9, _environ={})
    bars = Bars(console, lambda: 0.0)
    bars.expect({"m1": "alice/m1"})
    console.print(bars.picture())
    file.flush()
    line = written.getvalue().decode().splitlines()[0].rstrip()
    assert line == "alice/m1  ------------  requested    waits for its turn"
