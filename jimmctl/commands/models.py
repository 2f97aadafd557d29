"""The models, each with the controller it lives on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import arguments, output, rows
from jimmctl.call import Call, command
from jimmctl.commands import controllers
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client

KEYS = (
    "model-name",
    "model-uuid",
    "owner",
    "controller-name",
    "controller-uuid",
    "cloud",
    "region",
    "status",
    "life",
    "migration",
)
_HEADS = ("Model", "UUID", "Owner", "Controller", "Cloud/Region", "Status", "Migration")
_TARGET_HEADS = ("Name", "UUID", "Cloud/Region", "Version", "Status", "Ready")

Uuid = Annotated[str, typer.Argument(metavar="UUID", help="The model's uuid.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("list-models")(command(list_models))
    app.command("models", help="The same as list-models.")(command(list_models))
    app.command("show-model")(command(show_model))
    app.command("list-migration-targets")(command(list_migration_targets))
    app.command("update-migrated-model")(command(update_migrated_model))
    app.command("forget-model")(command(forget_model))


def list_models(call: Call) -> None:
    """List the models and the controllers they live on."""

    async def work(client: "Client") -> list[Row]:
        return await client.every("models")

    found = [_arranged(one) for one in call.run(work)]
    call.output.write(
        {"models": found}, lambda: output.columns(_HEADS, [_line(one) for one in found])
    )


def show_model(
    call: Call,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Its uuid or owner/name.")],
) -> None:
    """Show a model and where it lives."""
    path = arguments.model(model).path

    async def work(client: "Client") -> Row:
        return await client.get(path)

    found = _arranged(call.run(work))
    call.output.write(found, lambda: output.facts(_facts(found)))


def list_migration_targets(
    call: Call,
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Its uuid or owner/name.")],
) -> None:
    """List the controllers that a model could be migrated to, and what stands in the way."""
    wanted = arguments.model(model)

    async def work(client: "Client") -> list[Row]:
        uuid = await uuid_of(client, wanted)
        return rows.children(await client.get(f"/models/{uuid}/migration-targets"), "controllers")

    found = [controllers.arranged(one) for one in call.run(work)]
    call.output.write(found, lambda: _targets(found))


def update_migrated_model(
    call: Call,
    controller: Annotated[
        str, typer.Argument(metavar="CONTROLLER", help="Where the model lives now.")
    ],
    model: Uuid,
) -> None:
    """Tell JIMM about a model that was migrated behind its back.

    JIMM asks both controllers before it changes anything. When it knows already, it says so.
    """
    uuid = arguments.model_uuid(model)
    body: Row = {"controller": arguments.controller_name(controller)}

    async def work(client: "Client") -> Row:
        return await client.post(f"/models/{uuid}:update-migrated", body)

    answer = call.run(work)
    changed = bool(answer.get("changed"))
    happened = f"now leads to {controller}" if changed else f"leads to {controller} already"
    sentence = rows.text(answer, "message") or f"model {uuid} {happened}"
    output.say(sentence)
    call.output.write(
        {
            "model-uuid": uuid,
            "controller-name": controller,
            "changed": changed,
            "message": sentence,
        },
        lambda: output.facts([("Model", uuid), ("Controller", controller)]),
    )


def forget_model(call: Call, model: Uuid) -> None:
    """Remove a model from JIMM's memory: one that is missing on its controller for good."""
    uuid = arguments.model_uuid(model)

    async def work(client: "Client") -> Row:
        return await client.post(f"/models/{uuid}:forget", {})

    call.run(work)
    output.say(f"forgot model {uuid}")


async def uuid_of(client: "Client", model: arguments.Model) -> str:
    """The model's uuid, asked for when it was named by owner and name."""
    return model.uuid or rows.text(await client.get(model.path), "model-uuid")


def _arranged(model: Row) -> Row:
    return rows.arranged(model, KEYS, ("migration",))


def _line(model: Row) -> Sequence[str]:
    return (
        *(rows.text(model, key) for key in ("model-name", "model-uuid", "owner")),
        rows.text(model, "controller-name"),
        _cloud(model),
        _status(model),
        _migration(model),
    )


def _facts(model: Row) -> list[tuple[str, str]]:
    return [
        ("Model", rows.text(model, "model-name")),
        ("UUID", rows.text(model, "model-uuid")),
        ("Owner", rows.text(model, "owner")),
        ("Controller", rows.text(model, "controller-name")),
        ("Controller UUID", rows.text(model, "controller-uuid")),
        ("Cloud/Region", _cloud(model)),
        ("Status", _status(model)),
        ("Life", rows.text(model, "life")),
        ("Migration", _migration(model)),
    ]


def _cloud(model: Row) -> str:
    return "/".join(one for key in ("cloud", "region") if (one := rows.text(model, key)))


def _status(model: Row) -> str:
    """The API's word, or the word inside Juju's status object."""
    return rows.text(rows.child(model, "status"), "status") or rows.text(model, "status")


def _migration(model: Row) -> str:
    migration = rows.child(model, "migration")
    said = (rows.text(migration, key) for key in ("state", "phase", "message"))
    return " ".join(one for one in said if one)


def _targets(found: Sequence[Row]) -> str:
    """The table, and below it a paragraph for each controller with something to say."""
    parts = [output.columns(_TARGET_HEADS, [_target(one) for one in found])]
    for one in found:
        checks = sorted(rows.checks(one), key=lambda check: check.advice)
        if checks:
            lines = [("- advice: " if check.advice else "- ") + check.sentence for check in checks]
            parts.append("\n".join(map(output.plain, (f"{rows.text(one, 'name')}:", *lines))))
    return "\n\n".join(parts)


def _target(controller: Row) -> Sequence[str]:
    ready = rows.text(controller, "ready")
    stand = [check for check in rows.checks(controller) if not check.advice]
    mendable = ready == "no" and stand and all(check.mendable for check in stand)
    return (
        rows.text(controller, "name"),
        rows.text(controller, "uuid"),
        controllers.cloud(controller),
        rows.text(controller, "agent-version"),
        controllers.status(controller),
        "with --prepare" if mendable else ready,
    )
