"""Session tokens: every login that is kept somewhere."""

from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import arguments, output, rows
from jimmctl.call import Call, command
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client

_KEYS = ("id", "name", "created", "last-used", "expires")
_HEADS = ("Id", "Name", "Created", "Last used", "Expires")


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("tokens")(command(tokens))
    app.command("revoke-token")(command(revoke_token))


def tokens(
    call: Call,
    owner: Annotated[
        str,
        typer.Argument(
            metavar="[USER]",
            help="Whose, for administrators; your own without.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """List the session tokens that can be used, the newest first."""
    query = {"user": arguments.user_name(owner)} if owner else None

    async def work(client: "Client") -> list[Row]:
        return rows.children(await client.get("/tokens", query), "tokens")

    found = [rows.arranged(one, _KEYS, ("last-used",)) for one in call.run(work)]
    lines = [[rows.text(one, key) for key in _KEYS] for one in found]
    call.output.write({"tokens": found}, lambda: output.columns(_HEADS, lines))


def revoke_token(
    call: Call,
    token_id: Annotated[
        str, typer.Argument(metavar="ID", help="Its id, as `tokens` shows it; not the token.")
    ],
) -> None:
    """End a session token, and whatever its owner has open."""
    path = f"/tokens/{arguments.token_id(token_id)}"

    async def work(client: "Client") -> Row:
        return await client.delete(path)

    call.run(work)
    output.say(f"revoked token {token_id}")
