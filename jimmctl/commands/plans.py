"""Plans: many models moved as one operation."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import arguments, output, plan_events, plan_watch, rows, watch
from jimmctl.call import Call, command
from jimmctl.errors import Interrupted, Usage
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client

KEYS = ("plan-id", "kind", "controller", "state", "message", "counts")
ITEM_KEYS = ("seq", "model-uuid", "model-name", "owner", "source", "target", "group", "state")
_HEADS = ("ID", "Kind", "Controller", "State", "Models", "Done", "Failed", "Created", "Message")
_ITEM_HEADS = ("Model", "Source", "Target", "Group", "Machines", "State", "Phase", "Message")
_PREVIEW_HEADS = ("Model", "Source", "Target", "Group", "Machines", "Reason")

Work = Callable[["Client"], Awaitable[tuple[Row, list[Row]]]]

Id = Annotated[str, typer.Argument(metavar="ID", help="The plan's id.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the whole plan; do nothing.")]
Wait = Annotated[bool, typer.Option("--wait", help="Follow the plan to its end.")]
Concurrency = Annotated[
    int, typer.Option("--concurrency", metavar="N", help="Models on their way at most.")
]
Order = Annotated[
    str,
    typer.Option("--order", metavar="ORDER", help="smallest, largest, name or age comes first."),
]
Policy = Annotated[
    str,
    typer.Option("--policy", metavar="POLICY", help="spread, least-models, weighted or random."),
]
StopAfter = Annotated[
    int,
    typer.Option("--stop-after", metavar="N", help="Pause after N failures in a row; 0: never."),
]
Prepare = Annotated[
    bool, typer.Option("--prepare", help="Make right on the targets what can be made right.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("drain")(command(drain))
    app.command("rebalance")(command(rebalance))
    app.command("upgrade-to")(command(upgrade_to))
    plan = typer.Typer(help="Look at plans and steer them.", rich_markup_mode=None)
    plan.command("list")(command(list_plans))
    plan.command("show")(command(show_plan))
    for name, verb in (
        ("pause", "Begin no more models; those on their way go on."),
        ("resume", "Go on with a paused plan."),
        ("cancel", "Take out what has not begun; models on their way go on."),
        ("retry", "Try the models again that failed, and go on."),
    ):
        plan.command(name, help=verb)(command(_steering(name)))
    app.add_typer(plan, name="plan")


def drain(
    call: Call,
    controller: Annotated[
        str, typer.Argument(metavar="CONTROLLER", help="The controller to empty.")
    ],
    dry_run: DryRun = False,
    wait: Wait = False,
    concurrency: Concurrency = 5,
    order: Order = "smallest",
    policy: Policy = "spread",
    stop_after: StopAfter = 3,
    prepare: Prepare = False,
) -> None:
    """Move every model of a controller to others, and let it take no new ones.

    Models that use each other's offers go to one target. The exit status is 1 when one of the
    models can't be moved, and with --wait also when one was not.
    """
    body: Row = {
        "kind": "drain",
        "controller": arguments.controller_name(controller),
        "concurrency": concurrency,
        "order": order,
        "policy": policy,
        "stop-after": stop_after,
        "prepare": prepare,
    }
    _make(call, body, dry_run=dry_run, wait=wait)


def rebalance(
    call: Call,
    cloud: Annotated[
        str, typer.Option("--cloud", metavar="CLOUD", help="Only models of this cloud.")
    ] = "",
    region: Annotated[
        str, typer.Option("--region", metavar="REGION", help="Only models of this region.")
    ] = "",
    by: Annotated[
        str, typer.Option("--by", metavar="WHAT", help="Even out models or machines.")
    ] = "machines",
    dry_run: DryRun = False,
    wait: Wait = False,
    concurrency: Concurrency = 5,
    order: Order = "smallest",
    stop_after: StopAfter = 3,
    prepare: Prepare = False,
) -> None:
    """Even out what the controllers carry, with as few moves as help."""
    body: Row = {
        "kind": "rebalance",
        "cloud": cloud,
        "region": region,
        "by": by,
        "concurrency": concurrency,
        "order": order,
        "stop-after": stop_after,
        "prepare": prepare,
    }
    _make(call, body, dry_run=dry_run, wait=wait)


def upgrade_to(
    call: Call,
    controller: Annotated[
        str, typer.Argument(metavar="CONTROLLER", help="A controller with a newer Juju.")
    ],
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL", help="Each by uuid, model-<uuid> or owner/name."),
    ],
    dry_run: DryRun = False,
    wait: Wait = False,
    concurrency: Concurrency = 5,
    order: Order = "smallest",
    stop_after: StopAfter = 3,
    prepare: Prepare = False,
) -> None:
    """Move models to a newer controller, and upgrade their agents to its version."""
    body: Row = {
        "kind": "upgrade-to",
        "controller": arguments.controller_name(controller),
        "models": [arguments.model(each).given for each in models],
        "concurrency": concurrency,
        "order": order,
        "stop-after": stop_after,
        "prepare": prepare,
    }
    _make(call, body, dry_run=dry_run, wait=wait)


def list_plans(call: Call) -> None:
    """List the plans, newest first."""

    async def work(client: "Client") -> list[Row]:
        return await client.every("plans")

    found = [_arranged(one) for one in call.run(work)]
    call.output.write(
        {"plans": found}, lambda: output.columns(_HEADS, [_line(one) for one in found])
    )


def show_plan(
    call: Call,
    plan: Id,
    watching: Annotated[
        bool, typer.Option("--watch", help="Show each change, until the plan ends or pauses.")
    ] = False,
) -> None:
    """Show a plan and what has become of each of its models.

    With --watch the exit status is 1 when the plan is not done.
    """
    wanted = arguments.plan_id(plan)

    async def work(client: "Client") -> tuple[Row, list[Row]]:
        found = await client.get(f"/plans/{wanted}")
        if watching:
            found = await _watched(client, wanted)
        return found, await client.every(f"plans/{wanted}/items")

    _finish(call, [wanted], work, waited=watching, made=False)


def _steering(verb: str) -> Callable[..., None]:
    def steer(call: Call, plan: Id) -> None:
        wanted = arguments.plan_id(plan)

        async def work(client: "Client") -> Row:
            return await client.post(f"/plans/{wanted}:{verb}", {})

        found = _arranged(call.run(work))
        output.say(plan_events.sentence(found))
        call.output.write(found, lambda: _sheet(found))

    return steer


def _make(call: Call, body: Row, *, dry_run: bool, wait: bool) -> None:
    if dry_run and wait:
        raise Usage("--dry-run moves nothing that --wait could wait for: leave one of them out")
    if dry_run:
        _preview(call, body)
        return
    made: list[str] = []

    async def work(client: "Client") -> tuple[Row, list[Row]]:
        plan = await client.post("/plans", body)
        made.append(rows.text(plan, "plan-id"))
        output.say(f"plan {made[0]} is made")
        if wait:
            plan = await _watched(client, made[0])
        return plan, await client.every(f"plans/{made[0]}/items")

    _finish(call, made, work, waited=wait, made=True)


def _preview(call: Call, body: Row) -> None:
    async def work(client: "Client") -> Row:
        return await client.post("/plans", {**body, "dry-run": True})

    found = call.run(work)
    items = rows.children(found, "items")
    call.output.write(
        {**found, "items": items},
        lambda: output.columns(_PREVIEW_HEADS, [_planned(one) for one in items]),
    )
    if stays := [one for one in items if not rows.text(one, "target")]:
        for one in stays:
            _complain(one)
        raise typer.Exit(1)


async def _watched(client: "Client", plan: str) -> Row:
    with watch.screen() as shown:
        return await plan_watch.to_its_rest(client, plan, shown)


def _finish(call: Call, known: list[str], work: Work, *, waited: bool, made: bool) -> None:
    """Does the work and shows the plan; ``known`` has its id as soon as there is one."""
    try:
        plan, items = call.run(work)
    except Interrupted:
        if known and waited:
            output.say(plan_watch.goes_on(known[0]))
        elif made:
            output.say("interrupted: `jimmctl plan list` shows whether the plan was made")
        raise
    found: Row = {**_arranged(plan), "items": [_arranged_item(one) for one in items]}
    call.output.write(
        found, lambda: f"{_sheet(found)}\n\n{_table(items)}" if items else _sheet(found)
    )
    failed = [one for one in items if rows.text(one, "state") == "failed"]
    for one in failed:
        _complain(one)
    is_done = rows.text(found, "state") == "done"
    if (waited and not is_done) or (made and failed):
        raise typer.Exit(1)


def _complain(item: Row) -> None:
    """A model that is not moved, with its code and what to do."""
    error = rows.child(item, "error")
    output.complain(f"{plan_events.name(item)}: {rows.text(error, 'message')}")
    told = (rows.text(error, "code"), rows.text(error, "remedy"))
    output.say(f"- {': '.join(one for one in told if one)}")


def _arranged(plan: Row) -> Row:
    return rows.arranged(plan, KEYS, ())


def _arranged_item(item: Row) -> Row:
    return rows.arranged(item, ITEM_KEYS, ())


def _line(plan: Row) -> Sequence[str]:
    counts = rows.child(plan, "counts")
    total = sum(each for each in counts.values() if isinstance(each, int))
    return (
        rows.text(plan, "plan-id"),
        rows.text(plan, "kind"),
        rows.text(plan, "controller"),
        rows.text(plan, "state"),
        str(total),
        rows.text(counts, "done"),
        rows.text(counts, "failed"),
        rows.text(plan, "created"),
        rows.text(plan, "message"),
    )


def _planned(item: Row) -> Sequence[str]:
    return (*_place(item), rows.error_text(item))


def _place(item: Row) -> Sequence[str]:
    keys = ("source", "target", "group", "machines")
    return (plan_events.name(item), *(rows.text(item, key) for key in keys))


def _table(items: Sequence[Row]) -> str:
    lines = [
        (
            *_place(one),
            rows.text(one, "state"),
            rows.text(one, "phase"),
            rows.error_text(one) or rows.text(one, "message"),
        )
        for one in items
    ]
    return output.columns(_ITEM_HEADS, lines)


def _sheet(plan: Row) -> str:
    counts = rows.child(plan, "counts")
    numbers = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    texts = (
        ("ID", "plan-id"),
        ("Kind", "kind"),
        ("Controller", "controller"),
        ("Cloud", "cloud"),
        ("Region", "region"),
        ("By", "by"),
        ("State", "state"),
        ("Message", "message"),
        ("Order", "order"),
        ("Concurrency", "concurrency"),
        ("Stop after", "stop-after"),
        ("Requested by", "requested-by"),
        ("Created", "created"),
        ("Ended", "ended"),
    )
    facts = [(label, rows.text(plan, key)) for label, key in texts]
    return output.facts([*facts[:8], ("Models", numbers), *facts[8:]])
