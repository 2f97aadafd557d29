"""Sending a model out of JIMM, to a controller that is not registered."""

from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import arguments, output, rows, watch
from jimmctl.attempt import Attempt
from jimmctl.call import Call
from jimmctl.commands import controllers
from jimmctl.commands.migrate import DryRun, Prepare, Timeout, how_long
from jimmctl.errors import Interrupted
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client


def migrate_out(
    call: Call,
    model: Annotated[str, typer.Argument(metavar="UUID", help="The model's uuid.")],
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="YAML or JSON, as for add-controller; `-` reads it from stdin."
        ),
    ],
    wait: Annotated[bool, typer.Option("--wait", help="Follow the migration to its end.")] = False,
    dry_run: DryRun = False,
    prepare: Prepare = False,
    timeout: Timeout = "",
) -> None:
    """Migrate a model out of JIMM, to a controller that is not registered.

    The file says where it is, with an administrator's login, which JIMM forgets with the end of
    the migration. When the model has arrived, JIMM does not know it any more. The exit status
    is 1 when it was refused, and with --wait also when it did not arrive.
    """
    patience = how_long(timeout, wait=wait, dry_run=dry_run)
    uuid = arguments.model_uuid(model)
    body: Row = {**controllers.read_file(file), "dry-run": dry_run, "prepare": prepare}
    attempt = Attempt(arguments.Model(uuid=uuid), uuid)

    async def work(client: "Client") -> None:
        from jimmctl import moving  # asyncio and httpx: not for --help

        attempt.answer = await client.post(f"/models/{uuid}:migrate-out", body)
        if wait:
            await moving.follow(client, [attempt], patience)

    try:
        call.run(work)
    except Interrupted:
        _tell_what_goes_on(attempt)
        raise
    _report(call, attempt, is_dry=dry_run)


def _tell_what_goes_on(attempt: Attempt) -> None:
    if attempt.goes_on:
        output.say(watch.goes_on(attempt.migration))
    elif not attempt.migration:
        output.say("interrupted: `jimmctl migrations` shows what was started")


def _report(call: Call, attempt: Attempt, *, is_dry: bool) -> None:
    """Says what has come of it, and ends with the status."""
    if is_dry and attempt.answer.get("ready") is not True:
        attempt.fail("not ready to be migrated", "not ready")
    if attempt.error is not None:
        output.complain(f"{attempt.name}: {rows.text(attempt.error, 'message')}")
        if remedy := rows.text(rows.child(attempt.answer, "error"), "remedy"):
            output.say(f"- {remedy}")
    for check in rows.checks(attempt.answer):
        output.say(f"{'advice: ' if check.advice else '- '}{check.sentence}")
    document = attempt.document()
    pairs = [(key.capitalize().replace("-", " "), rows.text(document, key)) for key in document]
    call.output.write(document, lambda: output.facts([one for one in pairs if one[0] != "Checks"]))
    if attempt.error is not None:
        raise typer.Exit(1)
