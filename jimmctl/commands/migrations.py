"""Looking at migrations, and ending those that do not end by themselves."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import arguments, output, progress, rows, track, watch
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
    "debris",
)
_OPTIONAL = ("ended", "error", "debris", "expected-rest", "history")
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
    history: Annotated[
        bool, typer.Option("--history", help="Show all that has happened, too.")
    ] = False,
) -> None:
    """Show a migration.

    With --watch the exit status is 1 when the model did not arrive.
    """
    wanted = arguments.migration_id(migration)

    query: dict[str, str | int] = {"history": "true"} if history else {}

    async def work(client: "Client") -> Row:
        found = await client.get(f"/migrations/{wanted}", query)
        if not watching:
            return found
        with watch.screen() as shown:
            shown.expect({wanted: _model(found)})
            ended = await watch.to_its_end(client, wanted, shown)
        return await client.get(f"/migrations/{wanted}", query) if history else ended

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
    error = rows.child(migration, "error")
    pairs = [
        ("ID", "migration-id"),
        ("Model", "model-name"),
        ("Owner", "owner"),
        ("Model UUID", "model-uuid"),
        ("Source", "source"),
        ("Target", "target"),
        ("State", "state"),
        ("Phase", "phase"),
        ("Message", "message"),
        ("Requested by", "requested-by"),
        ("Started", "started"),
        ("In phase since", "" if rows.text(migration, "ended") else "phase-since"),
        ("Ended", "ended"),
    ]
    facts = output.facts(
        [
            *((name, rows.text(migration, key)) for name, key in pairs),
            ("Expected rest", _rest(migration)),
            ("Size", _size(migration)),
            ("Prepared", _prepared(migration)),
            ("Error", rows.error_text(migration)),
            ("Remedy", rows.text(error, "remedy")),
            ("Debris", rows.text(migration, "debris")),
        ]
    )
    more = [f"- {check.sentence}" for check in rows.checks(migration)]
    more.extend(progress.line("", event) for event in rows.children(migration, "history"))
    return "\n".join((facts, "", *map(output.plain, more))) if more else facts


def _rest(migration: Row) -> str:
    seconds = migration.get("expected-rest")
    rest = track.clock(seconds) if isinstance(seconds, int | float) else ""
    slow = "slower than others of its size" if migration.get("slow") is True else ""
    return ", ".join(one for one in (rest, slow) if one)


def _size(migration: Row) -> str:
    counts = [(rows.text(migration, noun), noun) for noun in ("machines", "units")]
    return ", ".join(f"{count} {noun}" for count, noun in counts if count not in ("", "0"))


def _prepared(migration: Row) -> str:
    made = rows.children(migration, "prepared")
    return ", ".join(_thing(one) for one in made)


def _thing(made: Row) -> str:
    taken_back = " (taken back)" if made.get("undone") is True else ""
    return f"{rows.text(made, 'kind')} {rows.text(made, 'name')}{taken_back}"
