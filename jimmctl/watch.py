"""Following migrations to their end, with bars on a terminal and a line for each change
elsewhere; both on stderr."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Protocol

from jimmctl import output, progress
from jimmctl.errors import BadAnswer
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client

_MANY = 5  # migrations that are each named when they go on


class Screen(Protocol):
    """Where what happens is shown."""

    def expect(self, names: Mapping[str, str]) -> None:
        """These migrations will be watched, each under the name of its model."""

    def take(self, migration: str, kind: str, told: Row) -> None:
        """An event of one of them."""

    def say(self, sentence: str) -> None:
        """One sentence about all of it."""


class Lines:
    """A line for each change."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def expect(self, names: Mapping[str, str]) -> None:
        """Keeps the names."""
        self._names.update(names)

    def take(self, migration: str, kind: str, told: Row) -> None:
        """Says what has changed."""
        if kind == "progress":
            output.say(progress.line(self._names[migration], told))

    def say(self, sentence: str) -> None:
        """Says it."""
        output.say(sentence)


@contextmanager
def screen() -> Iterator[Screen]:
    """Bars where stderr is a terminal that can be drawn on, else lines."""
    if not sys.stderr.isatty() or os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        yield Lines()
        return
    from jimmctl import drawing  # rich, which is slow to load

    with drawing.bars() as drawn:
        yield drawn


async def to_its_end(client: "Client", migration: str, shown: Screen) -> Row:
    """The migration's row once it has ended.

    Raises:
        JimmctlError: JIMM can't tell any more; the migration itself may go on.
    """
    path = f"/migrations/{migration}"
    async with aclosing(client.follow(path, shown.say)) as events:
        async for event in events:
            change = progress.data(event)
            shown.take(migration, event.name, change)
            if event.name != "end":
                continue
            return change if "state" in change else await client.get(path)
    raise BadAnswer("JIMM's events of the migration have no end")


def goes_on(migration: str) -> str:
    """What to tell somebody who stops waiting."""
    return f"migration {migration} goes on: look with `jimmctl show-migration {migration} --watch`"


def all_go_on(migrations: Sequence[str]) -> Sequence[str]:
    """The same of several, in a few sentences."""
    if len(migrations) <= _MANY:
        return [goes_on(one) for one in migrations]
    return [f"{len(migrations)} migrations go on: look with `jimmctl migrations`"]
