"""The accounts of programs."""

from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import arguments, output, rows
from jimmctl.call import Call, command
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client

_PATH = "/service-accounts"
_KEYS = ("client-id", "identity", "created-by", "created", "last-login")
_HEADS = ("Client id", "Identity", "Created by", "Created", "Last login")
_ADDED = ("client-id", "client-secret", "identity")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name: its client id.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("add-service-account")(command(add_service_account))
    app.command("list-service-accounts")(command(list_service_accounts))
    app.command("service-accounts", help="The same as list-service-accounts.")(
        command(list_service_accounts)
    )
    app.command("remove-service-account")(command(remove_service_account))


def add_service_account(
    call: Call,
    name: Name,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Another secret for one that is there; the old one ends."),
    ] = False,
) -> None:
    """Make an account for a program, and show its client id and secret.

    The secret is shown this once. Terraform, juju (JUJU_CLIENT_ID, JUJU_CLIENT_SECRET) and
    python-libjuju log in with the two.
    """
    body: Row = {"name": arguments.user_name(name), "replace": replace}

    async def work(client: "Client") -> Row:
        return await client.post(_PATH, body)

    added = rows.arranged(call.run(work), _ADDED, ())
    facts = [(key.replace("-", " ").capitalize(), rows.text(added, key)) for key in _ADDED]
    call.output.write(added, lambda: output.facts(facts))


def list_service_accounts(call: Call) -> None:
    """List the accounts of programs."""

    async def work(client: "Client") -> list[Row]:
        return rows.children(await client.get(_PATH), "service-accounts")

    found = [rows.arranged(one, _KEYS, ("last-login",)) for one in call.run(work)]
    lines = [[rows.text(one, key) for key in _KEYS] for one in found]
    call.output.write({"service-accounts": found}, lambda: output.columns(_HEADS, lines))


def remove_service_account(call: Call, name: Name) -> None:
    """End a program's account, its tokens, and whatever it has open.

    Its models and what it was granted stay, and are its own again when it is added again.
    """
    path = f"{_PATH}/{arguments.user_name(name)}"

    async def work(client: "Client") -> Row:
        return await client.delete(path)

    call.run(work)
    output.say(f"removed service account {name}")
