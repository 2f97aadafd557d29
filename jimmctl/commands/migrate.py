"""Moving models to another controller, many in one call."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import arguments, output, rows, watch
from jimmctl.attempt import Attempt
from jimmctl.call import Call
from jimmctl.errors import Interrupted, Usage
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client

_HEADS = ("Model", "Migration", "Result")

DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what stands in the way; move nothing.")
]
Prepare = Annotated[
    bool, typer.Option("--prepare", help="Make right on the target what can be made right.")
]
Timeout = Annotated[
    str, typer.Option("--timeout", metavar="TIME", help="Wait no longer: 90s, 10m, 2h.")
]


def migrate(
    call: Call,
    controller: Annotated[
        str, typer.Argument(metavar="CONTROLLER", help="Where the models shall live.")
    ],
    models: Annotated[
        list[str],
        typer.Argument(metavar="MODEL", help="Each by uuid, model-<uuid> or owner/name."),
    ],
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow the migrations to their end.")
    ] = False,
    dry_run: DryRun = False,
    prepare: Prepare = False,
    timeout: Timeout = "",
) -> None:
    """Migrate models to another controller.

    Every model is tried, whatever became of those before it. The exit status is 1 when one of
    them was refused, and with --wait also when one did not arrive. JIMM carries a migration on
    whether or not somebody waits for it.
    """
    target = arguments.controller_name(controller)
    patience = how_long(timeout, wait=wait, dry_run=dry_run)
    attempts = [Attempt(one, one.uuid) for one in dict.fromkeys(map(arguments.model, models))]

    async def work(client: "Client") -> None:
        from jimmctl import moving  # asyncio and httpx: not for --help

        await client.sign_in()
        options: Row = {"controller": target, "dry-run": dry_run}
        await moving.start(client, attempts, options | ({"prepare": True} if prepare else {}))
        if wait:
            await moving.follow(client, attempts, patience)

    status = 0
    try:
        call.run(work)
    except Interrupted as error:
        _tell_what_goes_on(attempts)
        status = error.exit_status
    failed = _report(call, attempts, prepare=prepare)
    raise typer.Exit(status or int(failed))


def how_long(timeout: str, *, wait: bool, dry_run: bool) -> float | None:
    """Seconds to wait; ``None`` without an end.

    Raises:
        Usage: the options do not go together.
    """
    if dry_run and wait:
        raise Usage("--dry-run moves nothing that --wait could wait for: leave one of them out")
    if timeout and not wait:
        raise Usage("--timeout is how long to --wait: give both")
    return arguments.duration(timeout) if timeout else None


def _tell_what_goes_on(attempts: Sequence[Attempt]) -> None:
    started = [attempt for attempt in attempts if attempt.goes_on]
    for sentence in watch.all_go_on([attempt.migration for attempt in started]):
        output.say(sentence)
    for attempt in started:
        attempt.answer.pop("state", None)  # it was so when it was asked for
    if not started:
        output.say("interrupted: `jimmctl migrations` shows what was started")


def _report(call: Call, attempts: Sequence[Attempt], *, prepare: bool) -> bool:
    """Says what has come of it; whether anything failed."""
    for attempt in attempts:
        _explain(attempt, prepare=prepare)
    documents = [attempt.document() for attempt in attempts]
    call.output.write(
        {"results": documents}, lambda: output.columns(_HEADS, [_line(one) for one in attempts])
    )
    return any(attempt.error for attempt in attempts)


def _explain(attempt: Attempt, *, prepare: bool) -> None:
    """Why it was refused or failed; and apart from that what is made right, and what is
    advised."""
    given = attempt.model.given
    checks = rows.checks(attempt.error or {}) or rows.checks(attempt.answer)
    if attempt.error is not None:
        output.complain(f"{given}: {rows.text(attempt.error, 'message')}")
        if remedy := rows.text(rows.child(attempt.answer, "error"), "remedy"):
            output.say(f"- {remedy}")
    for check in checks:
        is_mended = prepare and check.mendable
        if not (check.advice or is_mended):
            output.say(f"- {check.sentence}")
        elif not attempt.migration:  # of what has begun it would come too late
            told = check.found if is_mended else check.sentence
            output.say(f"{'--prepare mends' if is_mended else 'advice'} for {given}: {told}")


def _line(attempt: Attempt) -> Sequence[str]:
    if attempt.error is not None:
        result = rows.text(attempt.error, "message")
    else:
        ready = attempt.answer.get("ready") is True
        state = rows.text(attempt.answer, "state")
        result = "ready" if ready else state or ("goes on" if attempt.goes_on else "")
    return (attempt.model.given, attempt.migration, result)
