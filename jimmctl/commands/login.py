"""Signing in and out, and who one is."""

import contextlib
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import config, output, rows
from jimmctl.call import Call, command
from jimmctl.config import Place
from jimmctl.errors import JimmctlError, Usage
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client

_KEYS = ("identity", "display-name", "admin", "jimm-uuid", "address")


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("login")(command(login))
    app.command("logout")(command(logout))
    app.command("whoami")(command(whoami))


def login(
    call: Call,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
) -> None:
    """Sign in with a password, and keep the login for later commands.

    The password is asked for on a terminal, read from stdin or taken from JIMMCTL_PASSWORD.
    Only the token made with it is stored. After `juju login` no other login is needed.
    """
    found = config.find_server(call.flags, os.environ)
    user = call.flags.user or os.environ.get("JIMMCTL_USER", "") or _ask_user(found)
    place = replace(found, user=user, identity="", token="", password=_password(password_stdin))
    made = call.run_at(place, _make_token)
    identity = rows.text(made, "identity") or user
    kept = replace(
        place,
        identity=identity,
        token=rows.text(made, "token"),
        token_id=rows.text(made, "id"),
    )
    config.store(kept, os.environ)
    output.say(f"logged in to {kept.addresses[0]} as {identity}")


def logout(call: Call) -> None:
    """Take back the token that `login` stored, and forget it."""
    kept = config.stored(os.environ)
    if kept is None:
        output.say("there is no stored login")
        return
    if kept.token_id:
        # The token also ends by itself; a JIMM that is away must not keep one logged in.
        try:
            call.run_at(kept, lambda client: client.delete(f"/tokens/{kept.token_id}"))
        except JimmctlError as error:
            output.say(f"WARNING the token was not taken back at JIMM: {error}")
    config.forget(os.environ)
    output.say(f"logged out of {kept.addresses[0]}")


def whoami(call: Call) -> None:
    """Show who is signed in, and at which JIMM."""
    answer = rows.arranged(call.run(_whoami), _KEYS, ())
    call.output.write(
        answer, lambda: output.facts([(_title(key), rows.text(answer, key)) for key in answer])
    )


async def _make_token(client: "Client") -> Row:
    return await client.make_token("jimmctl")


async def _whoami(client: "Client") -> Row:
    return await client.get("/whoami")


def _ask_user(found: Place) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("user", default=found.user or None, err=True))
    if not found.user:
        raise Usage("give the user's name with --user or JIMMCTL_USER")
    return found.user


def _password(from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif os.environ.get("JIMMCTL_PASSWORD"):
        password = os.environ["JIMMCTL_PASSWORD"]
    elif sys.stdin.isatty():
        with contextlib.suppress(EOFError):
            password = str(typer.prompt("password", hide_input=True, err=True))
    else:
        raise Usage("give the password with --password-stdin or JIMMCTL_PASSWORD")
    if not password:
        raise Usage("the password is empty")
    return password


def _title(key: str) -> str:
    return {"jimm-uuid": "JIMM UUID"}.get(key, key.replace("-", " ").capitalize())
