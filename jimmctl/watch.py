"""Following a migration to its end, with a line on stderr for each change."""

from contextlib import aclosing
from typing import TYPE_CHECKING

from jimmctl import output, progress
from jimmctl.errors import BadAnswer
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client


async def to_its_end(client: "Client", migration: str, name: str) -> Row:
    """The migration's row once it has ended; ``name`` stands for its model in the lines.

    Raises:
        JimmctlError: JIMM can't tell any more; the migration itself may go on.
    """
    async with aclosing(client.follow(migration, output.say)) as events:
        async for event in events:
            change = progress.data(event)
            if event.name != "end":
                output.say(progress.line(name, change))
            elif "state" in change:
                return change
            else:
                return await client.get(f"/migrations/{migration}")
    raise BadAnswer("JIMM's events of the migration have no end")


def goes_on(migration: str) -> str:
    """What to tell somebody who stops waiting."""
    return f"migration {migration} goes on: look with `jimmctl show-migration {migration} --watch`"
