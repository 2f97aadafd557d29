"""Models that come into JIMM, or leave it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import arguments, output, rows
from jimmctl.call import Call, command
from jimmctl.commands.migrate_out import migrate_out
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client

KEYS = (
    "model-name",
    "model-uuid",
    "owner",
    "import-as",
    "cloud",
    "region",
    "life",
    "status",
    "status-info",
    "agent-version",
    "units",
)
_HEADS = ("Model", "UUID", "Owner there", "Import as", "Cloud/Region", "Life", "Version", "Units")

Controller = Annotated[str, typer.Argument(metavar="CONTROLLER", help="Where the models live.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("list-unmanaged")(command(list_unmanaged))
    app.command("import-model")(command(import_model))
    app.command("migrate-out")(command(migrate_out))


def list_unmanaged(call: Call, controller: Controller) -> None:
    """List the models on a controller that JIMM does not have.

    The controller itself is asked. "Import as" is the user whom the owner there is in JIMM;
    where it is empty, name one to import-model.
    """
    path = f"/controllers/{arguments.controller_name(controller)}/unmanaged-models"

    async def work(client: "Client") -> list[Row]:
        return rows.children(await client.get(path), "models")

    found = [rows.arranged(one, KEYS, ("import-as", "units")) for one in call.run(work)]
    call.output.write(
        {"models": found}, lambda: output.columns(_HEADS, [_line(one) for one in found])
    )


def import_model(
    call: Call,
    controller: Controller,
    model: Annotated[str, typer.Argument(metavar="UUID", help="The model's uuid.")],
    owner: Annotated[
        str, typer.Option("--owner", metavar="NAME", help="The user of JIMM whose it shall be.")
    ] = "",
) -> None:
    """Take a model that lives on a controller into JIMM.

    The model stays where it is and as it is. A second time changes nothing.
    """
    path = f"/controllers/{arguments.controller_name(controller)}:import-model"
    body: Row = {"model-uuid": arguments.model_uuid(model)}
    if owner:
        body["owner"] = arguments.user_name(owner)

    async def work(client: "Client") -> Row:
        return await client.post(path, body)

    answer = call.run(work)
    imported = rows.child(answer, "model")
    name = f"{rows.text(imported, 'owner')}/{rows.text(imported, 'model-name')}"
    happened = "is imported" if answer.get("changed") is True else "was in JIMM already"
    output.say(f"{name} {happened}")
    notes = answer.get("notes")
    for note in notes if isinstance(notes, list) else []:
        output.say(f"- {note}")
    call.output.write(answer, lambda: output.facts(_facts(imported)))


def _line(model: Row) -> Sequence[str]:
    return (
        *(rows.text(model, key) for key in ("model-name", "model-uuid", "owner", "import-as")),
        _cloud(model),
        *(rows.text(model, key) for key in ("life", "agent-version", "units")),
    )


def _facts(model: Row) -> list[tuple[str, str]]:
    return [
        ("Model", rows.text(model, "model-name")),
        ("UUID", rows.text(model, "model-uuid")),
        ("Owner", rows.text(model, "owner")),
        ("Controller", rows.text(model, "controller-name")),
        ("Cloud/Region", _cloud(model)),
        ("Status", rows.text(model, "status")),
    ]


def _cloud(model: Row) -> str:
    return "/".join(one for key in ("cloud", "region") if (one := rows.text(model, key)))
