"""The controllers behind JIMM."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import arguments, output, rows
from jimmctl.call import Call, command
from jimmctl.errors import Usage
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client

KEYS = (
    "name",
    "uuid",
    "public-address",
    "api-addresses",
    "ca-certificate",
    "cloud-tag",
    "cloud-region",
    "agent-version",
    "status",
)
_FILE_TEXTS = (
    "name",
    "uuid",
    "public-address",
    "tls-hostname",
    "ca-certificate",
    "username",
    "password",
)
_REQUIRED = ("name", "username", "password")
_HEADS = ("Name", "UUID", "Cloud/Region", "Version", "Status")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The controller's name.")]

Grantee = Annotated[str, typer.Argument(metavar="USER", help="The user's name.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("add-controller")(command(add_controller))
    app.command("list-controllers")(command(list_controllers))
    app.command("controllers", help="The same as list-controllers.")(command(list_controllers))
    app.command("show-controller")(command(show_controller))
    app.command("remove-controller")(command(remove_controller))
    app.command("set-controller-deprecated")(command(set_controller_deprecated))
    app.command("grant-add-model")(command(grant_add_model))
    app.command("revoke-add-model")(command(revoke_add_model))


def add_controller(
    call: Call,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="YAML or JSON; `-` reads it from stdin.")
    ],
) -> None:
    """Register a controller, so that models can live there.

    The file's keys: name, username, password, api-addresses (a list of host:port) or
    public-address, and as needed uuid, ca-certificate (PEM) and tls-hostname.
    """
    body = read_file(file)

    async def work(client: "Client") -> Row:
        return await client.post("/controllers", body)

    _show(call, call.run(work))


def list_controllers(call: Call) -> None:
    """List the controllers."""

    async def work(client: "Client") -> list[Row]:
        return await client.every("controllers")

    found = [arranged(one) for one in call.run(work)]
    call.output.write(found, lambda: output.columns(_HEADS, [_line(one) for one in found]))


def show_controller(call: Call, name: Name) -> None:
    """Show a controller."""
    path = f"/controllers/{arguments.controller_name(name)}"

    async def work(client: "Client") -> Row:
        return await client.get(path)

    _show(call, call.run(work))


def remove_controller(
    call: Call,
    name: Name,
    force: Annotated[
        bool,
        typer.Option("--force", help="Even while models live there; they become unmanaged."),
    ] = False,
) -> None:
    """Remove a controller from JIMM, and name the models that are left unmanaged.

    The controller itself and its models go on as they are.
    """
    path = f"/controllers/{arguments.controller_name(name)}"

    async def work(client: "Client") -> Row:
        return await client.delete(path, {"force": "true"} if force else None)

    left = rows.children(call.run(work), "unmanaged")
    heads = ("Unmanaged model", "UUID", "Owner")
    keys = ("model-name", "model-uuid", "owner")
    output.say(f"removed controller {name}; models left unmanaged: {len(left)}")
    call.output.write(
        {"unmanaged": left},
        lambda: output.columns(heads, [[rows.text(one, key) for key in keys] for one in left]),
    )


def set_controller_deprecated(
    call: Call,
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Allow new models there again.")] = False,
) -> None:
    """Put no new models on a controller."""
    path = f"/controllers/{arguments.controller_name(name)}"

    async def work(client: "Client") -> Row:
        return await client.patch(path, {"deprecated": not undo})

    _show(call, call.run(work))


def grant_add_model(call: Call, name: Name, grantee: Grantee) -> None:
    """Let a user add models on a controller.

    They need the same on a cloud that it offers: `juju grant-cloud`.
    """
    path = _add_model(name, grantee)

    async def work(client: "Client") -> Row:
        return await client.put(path)

    call.run(work)
    output.say(f"{grantee} may add models on {name}")


def revoke_add_model(call: Call, name: Name, grantee: Grantee) -> None:
    """Let a user add no more models on a controller; those that are there stay."""
    path = _add_model(name, grantee)

    async def work(client: "Client") -> Row:
        return await client.delete(path)

    call.run(work)
    output.say(f"{grantee} may add no more models on {name}")


def arranged(controller: Row) -> Row:
    """A controller with the keys in the order that scripts and people expect."""
    return rows.arranged(controller, KEYS, ())


def cloud(controller: Mapping[str, object]) -> str:
    """``cloud/region`` of a controller's row."""
    names = (rows.text(controller, "cloud-tag").removeprefix("cloud-"),)
    return "/".join(one for one in (*names, rows.text(controller, "cloud-region")) if one)


def status(controller: Mapping[str, object]) -> str:
    """The status in one word."""
    return rows.text(rows.child(controller, "status"), "status")


def read_file(file: str) -> Row:
    """The controller in a file, ``-`` for stdin, as the API's body.

    Raises:
        Usage: it can't be read, or as :func:`read_controller`.
    """
    return read_controller(_content(file), "stdin" if file == "-" else file)


def read_controller(content: str, source: str) -> Row:
    """A controller's file as the API's body.

    Raises:
        Usage: it is not YAML or JSON, or its keys or values can't be a controller's.
    """
    value = _parse(content, source)
    for key in value:
        if key not in (*_FILE_TEXTS, "api-addresses"):
            known = ", ".join((*_FILE_TEXTS, "api-addresses"))
            raise Usage(f'{source} has the unknown key "{key}": a controller has {known}')
    body: Row = {key: one for key, one in value.items() if one is not None}
    for key in _FILE_TEXTS:
        if not isinstance(body.get(key, ""), str):
            raise Usage(f"{key} in {source} is not a text: put it in quotes")
    for key in _REQUIRED:
        if not body.get(key):
            raise Usage(f"{source} has no {key}")
    arguments.controller_name(rows.text(body, "name"))
    addresses = body.get("api-addresses", [])
    if not isinstance(addresses, list) or not all(isinstance(one, str) for one in addresses):
        raise Usage(f"api-addresses in {source} is not a list of host:port")
    if not addresses and not body.get("public-address"):
        raise Usage(f"{source} has neither api-addresses nor public-address")
    return body


def _add_model(name: str, grantee: str) -> str:
    who = arguments.user_name(grantee)
    return f"/controllers/{arguments.controller_name(name)}/add-model/{who}"


def _show(call: Call, answer: Row) -> None:
    controller = arranged(answer)
    call.output.write(controller, lambda: output.facts(_facts(controller)))


def _line(controller: Row) -> Sequence[str]:
    return (
        rows.text(controller, "name"),
        rows.text(controller, "uuid"),
        cloud(controller),
        rows.text(controller, "agent-version"),
        status(controller),
    )


def _facts(controller: Row) -> list[tuple[str, str]]:
    addresses = controller.get("api-addresses")
    state = rows.child(controller, "status")
    return [
        ("Name", rows.text(controller, "name")),
        ("UUID", rows.text(controller, "uuid")),
        ("Cloud/Region", cloud(controller)),
        ("Version", rows.text(controller, "agent-version")),
        ("Status", status(controller)),
        ("Since", rows.text(state, "since")),
        ("Info", rows.text(state, "info")),
        ("Public address", rows.text(controller, "public-address")),
        ("Addresses", ", ".join(map(str, addresses)) if isinstance(addresses, list) else ""),
        ("Trust", rows.text(controller, "trust")),
    ]


def _content(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise Usage(f"{file} can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Usage(f"{file} is not text") from error


def _parse(content: str, source: str) -> Row:
    import yaml  # not needed for --help

    try:
        # JSON first: with tabs it is not YAML.
        value = json.loads(content)
    except ValueError:
        try:
            value = yaml.safe_load(content)
        except yaml.YAMLError as error:
            raise Usage(f"{source} is neither YAML nor JSON: {_where(error)}") from error
    if not isinstance(value, dict):
        raise Usage(f"{source} holds no controller: name, api-addresses, username, password…")
    return {str(key): one for key, one in value.items()}


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    # The text itself is not repeated: it may be the password.
    return f"line {mark.line + 1}" if mark is not None else "it can't be parsed"
