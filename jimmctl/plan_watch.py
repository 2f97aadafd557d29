"""Following a plan until nothing more happens, with a bar or lines for each of its models."""

from contextlib import aclosing
from typing import TYPE_CHECKING

from jimmctl import plan_events, progress, rows
from jimmctl.errors import BadAnswer
from jimmctl.rows import Row
from jimmctl.watch import Screen

if TYPE_CHECKING:
    from jimmctl.client import Client


async def to_its_rest(client: "Client", plan: str, shown: Screen) -> Row:
    """The plan's row once it has ended, or is paused with nothing on its way.

    Raises:
        JimmctlError: JIMM can't tell any more; the plan itself may go on.
    """
    path = f"/plans/{plan}"
    known: dict[str, Row] = {}
    said = ""
    async with aclosing(client.follow(path, shown.say)) as events:
        async for event in events:
            told = progress.data(event)
            if event.name in ("item", "moving"):
                _take(shown, known, told)
            elif event.name in ("plan", "end") and "state" in told:
                sentence = plan_events.sentence(told)
                if sentence != said:
                    said = sentence
                    shown.say(sentence)
                if plan_events.is_at_rest(told):
                    return told
            elif event.name == "end":
                return await client.get(path)
    raise BadAnswer("JIMM's events of the plan have no end")


def goes_on(plan: str) -> str:
    """What to tell somebody who stops watching."""
    return f"plan {plan} goes on: look with `jimmctl plan show {plan} --watch`"


def _take(shown: Screen, known: dict[str, Row], item: Row) -> None:
    """Shows what is new of a model; where it was when the watching began is nothing new."""
    model, change = rows.text(item, "model-uuid"), plan_events.change(item)
    news = {key: change.get(key) for key in ("state", "phase", "message")}
    if model not in known:
        shown.expect({model: plan_events.name(item)})
        is_over = rows.text(item, "state") in plan_events.ENDS
        shown.take(model, "end" if is_over else "outlook", change)
    elif news != known[model]:
        shown.take(model, "progress", change)
    known[model] = news
    if "expected-rest" in change:
        shown.take(model, "outlook", change)
