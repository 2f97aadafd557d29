"""Looking at migrations, and ending those that do not end by themselves."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import arguments, output, progress, rows, watch
from jimmctl.call import Call, command
from jimmctl.commands.migrate import migrate
from jimmctl.errors import Interrupted
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client

KEYS = (
    "migration-id",
    "model-uuid",
    "source",
    "target",
    "state",
    "phase",
    "message",
    "started",
    "ended",
    "error",
)
_OPTIONAL = ("ended", "error")
_HEADS = ("ID", "Model", "Source", "Target", "State", "Phase", "Started", "Message")

Id = Annotated[str, typer.Argument(metavar="ID", help="The migration's id.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("migrate")(command(migrate))
    app.command("migrations")(command(list_migrations))
    app.command("list-migrations", help="The same as migrations.")(command(list_migrations))
    app.command("show-migration")(command(show_migration))
    app.command("resolve-migration")(command(resolve_migration))


def list_migrations(call: Call) -> None:
    """List the migrations, those under way and those of the past."""

    async def work(client: "Client") -> list[Row]:
        return await client.every("migrations")

    found = [_arranged(one) for one in call.run(work)]
    call.output.write(
        {"migrations": found}, lambda: output.columns(_HEADS, [_line(one) for one in found])
    )


def show_migration(
    call: Call,
    migration: Id,
    watching: Annotated[
        bool, typer.Option("--watch", help="Show each change, until the migration ends.")
    ] = False,
) -> None:
    """Show a migration.

    With --watch the exit status is 1 when the model did not arrive.
    """
    wanted = arguments.migration_id(migration)

    async def work(client: "Client") -> Row:
        shown = await client.get(f"/migrations/{wanted}")
        if not watching:
            return shown
        return await watch.to_its_end(client, wanted, rows.text(shown, "model-uuid"))

    try:
        found = _arranged(call.run(work))
    except Interrupted:
        if watching:
            output.say(watch.goes_on(wanted))
        raise
    call.output.write(found, lambda: _sheet(found))
    if watching and (failure := progress.failure(found)):
        output.complain(failure)
        raise typer.Exit(1)


def resolve_migration(
    call: Call,
    migration: Id,
    controller: Annotated[
        str, typer.Option("--model-is-on", metavar="CONTROLLER", help="Where the model is.")
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="How you know; kept on record.")
    ],
) -> None:
    """End a migration that is stuck, by saying where its model is.

    It is meant for a migration whose controllers no longer tell, after looking at both.
    """
    path = f"/migrations/{arguments.migration_id(migration)}:resolve"
    body: Row = {
        "model-is-on": arguments.controller_name(controller),
        "reason": arguments.reason(reason),
    }

    async def work(client: "Client") -> Row:
        return await client.post(path, body)

    found = _arranged(call.run(work))
    output.say(f"migration {migration} is resolved: the model is on {controller}")
    if found:
        call.output.write(found, lambda: _sheet(found))


def _arranged(migration: Row) -> Row:
    return rows.arranged(migration, KEYS, _OPTIONAL)


def _model(migration: Row) -> str:
    name, owner = (rows.text(migration, key) for key in ("model-name", "owner"))
    return f"{owner}/{name}" if name and owner else rows.text(migration, "model-uuid")


def _line(migration: Row) -> Sequence[str]:
    keys = ("source", "target", "state", "phase", "started")
    return (
        rows.text(migration, "migration-id"),
        _model(migration),
        *(rows.text(migration, key) for key in keys),
        rows.error_text(migration) or rows.text(migration, "message"),
    )


def _sheet(migration: Row) -> str:
    facts = output.facts(
        [
            ("ID", rows.text(migration, "migration-id")),
            ("Model", rows.text(migration, "model-name")),
            ("Owner", rows.text(migration, "owner")),
            ("Model UUID", rows.text(migration, "model-uuid")),
            ("Source", rows.text(migration, "source")),
            ("Target", rows.text(migration, "target")),
            ("State", rows.text(migration, "state")),
            ("Phase", rows.text(migration, "phase")),
            ("Message", rows.text(migration, "message")),
            ("Started", rows.text(migration, "started")),
            ("Ended", rows.text(migration, "ended")),
            ("Error", rows.error_text(migration)),
        ]
    )
    more = [f"- {check.sentence}" for check in rows.checks(migration)]
    more.extend(progress.line("", event) for event in rows.children(migration, "events"))
    return "\n".join((facts, "", *map(output.plain, more))) if more else facts
