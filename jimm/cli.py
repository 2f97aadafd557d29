"""The ``jimm`` command: serve, dev, simulate, db, user, ca.

Each command imports what it needs when it runs, so that ``--help`` and a simulator start
without loading the server.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from jimm.errors import ConfigurationError, JimmError

app = typer.Typer(
    help="One address in front of many Juju controllers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
database = typer.Typer(help="The schema of the registry.", no_args_is_help=True)
users = typer.Typer(help="The people who log in with a name and a password.", no_args_is_help=True)
app.add_typer(database, name="db")
app.add_typer(users, name="user")


@app.command()
def serve(
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that share the port; JIMM_WORKERS if not given.", min=1),
    ] = None,
) -> None:
    """Run JIMM on the database in JIMM_DATABASE_URL."""
    from jimm.settings import Settings

    settings = Settings() if workers is None else Settings(workers=workers)
    if settings.workers > 1:
        from jimm.workers import run

        sys.exit(asyncio.run(run(settings)))
    from jimm.serving import alone

    alone(settings)


@app.command()
def dev(
    data: Annotated[
        Path, typer.Option(help="Folder for all state; made if it is not there.", file_okay=False)
    ],
    port: Annotated[int, typer.Option(help="Port of JIMM's address.", min=1, max=65535)],
    controllers: Annotated[
        int, typer.Option(help="How many simulated controllers.", min=0, max=50)
    ] = 3,
    speed: Annotated[
        float, typer.Option(help="How much faster than usual the controllers work.", min=0.01)
    ] = 1.0,
) -> None:
    """Run all of it on this machine: Postgres, JIMM, and simulated controllers."""
    from jimm.dev.state import alone

    folder = data.resolve()
    with alone(folder):  # at once: what follows takes a moment to load
        from jimm import logs
        from jimm.dev.run import Plan, run

        logs.to_stderr("warning")
        status = asyncio.run(run(Plan(folder, port, controllers, speed)))
    sys.exit(status)


@app.command()
def simulate(
    name: Annotated[str, typer.Option(help="The controller's name.")],
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")],
    state: Annotated[Path | None, typer.Option(help="File that keeps its state.")] = None,
    version: Annotated[str, typer.Option(help="The Juju version it says it is.")] = "3.6.9",
    cloud: Annotated[str, typer.Option(help="The cloud it offers.")] = "metro",
    cloud_type: Annotated[
        str, typer.Option(help="The cloud's provider; one that clients know.")
    ] = "openstack",
    region: Annotated[str, typer.Option(help="The region of that cloud.")] = "north",
    scenario: Annotated[
        str, typer.Option(help="A model to begin with; `busy` has something of everything.")
    ] = "",
    jwks_url: Annotated[
        str, typer.Option(help="Where the keys of a trusted JIMM are (login-token-refresh-url).")
    ] = "",
    jwks_ca: Annotated[
        Path | None, typer.Option(help="File with the CA of that address, PEM.")
    ] = None,
    speed: Annotated[float, typer.Option(help="How much faster than usual.", min=0.01)] = 1.0,
    registration: Annotated[
        Path | None, typer.Option(help="File to write, for `jimmctl add-controller FILE`.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    advertise: Annotated[
        str, typer.Option(help="Host name that clients are told; the address if empty.")
    ] = "",
) -> None:
    """Run one simulated controller; prints what `jimmctl add-controller -` reads."""
    from jimm import logs
    from jimm.simulator.core import Options
    from jimm.simulator.main import serve as run

    logs.to_stderr("warning")
    options = Options(
        name=name,
        port=port,
        state=state,
        version=version,
        cloud=cloud,
        cloud_type=cloud_type,
        regions=(region,),
        scenario=scenario,
        jwks_url=jwks_url,
        jwks_ca=jwks_ca,
        speed=speed,
        registration=registration,
        host=host,
        advertise=advertise,
    )
    try:
        asyncio.run(run(options))
    except OSError as error:
        where = f"{host}:{port}"
        raise ConfigurationError(f"the controller can't start on {where}: {error}") from error


@app.command()
def ca() -> None:
    """Print the certificate authority of JIMM's own address."""
    from jimm.app import authority_certificate
    from jimm.settings import Settings

    typer.echo(asyncio.run(authority_certificate(Settings())), nl=False)


@database.command()
def upgrade(revision: Annotated[str, typer.Argument()] = "head") -> None:
    """Bring the schema to a revision, the newest by default."""
    from jimm.registry import schema
    from jimm.settings import Settings

    schema.upgrade(Settings().database_url.get_secret_value(), revision)


@database.command()
def downgrade(revision: Annotated[str, typer.Argument()]) -> None:
    """Take the schema back to a revision; `base` empties the database."""
    from jimm.registry import schema
    from jimm.settings import Settings

    schema.downgrade(Settings().database_url.get_secret_value(), revision)


@database.command()
def check() -> None:
    """Say whether the database is as the program expects it."""
    from jimm.registry import schema
    from jimm.settings import Settings

    url = Settings().database_url.get_secret_value()
    if schema.current(url) != schema.head():
        sys.exit("ERROR the database is not at the schema of this program: run `jimm db upgrade`")
    differences = schema.check(url)
    if differences:
        sys.exit("\n".join(["ERROR the database differs from the program:", *differences]))
    typer.echo(f"The schema is at its head, {schema.head()}.")


@users.command()
def add(
    name: Annotated[str, typer.Argument(help="The bare login name, such as alice.")],
    admin: Annotated[bool, typer.Option("--admin", help="Make them an administrator.")] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Add somebody who may log in."""
    from jimm import accounts

    accounts.run(accounts.add, name, _password(password_stdin), admin=admin)
    typer.echo(f"User {name} added.")


@users.command()
def passwd(
    name: str,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Give somebody a new password; the old one and all sessions end."""
    from jimm import accounts

    accounts.run(accounts.set_password, name, _password(password_stdin))
    typer.echo(f"Password of {name} changed.")


@users.command()
def disable(name: str) -> None:
    """Keep somebody from logging in, from now on and everywhere."""
    from jimm import accounts

    accounts.run(accounts.disable, name)
    typer.echo(f"User {name} disabled.")


def main() -> None:
    """The console script: one sentence and exit status 1 for whatever can be said so."""
    try:
        app()
    except JimmError as error:
        sys.exit(f"ERROR {error}")
    except ValueError as error:
        sys.exit(f"ERROR {_said_of_settings(error)}")
    except KeyboardInterrupt:
        sys.exit(130)


def _said_of_settings(error: ValueError) -> str:
    """What is wrong with which settings, without their values; any other error goes on."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError) or error.title != "Settings":
        raise error
    rows = {f"JIMM_{str(row['loc'][0]).upper()}": row for row in error.errors()}
    missing = [name for name, row in rows.items() if row["type"] == "missing"]
    wrong = [f"{name}: {row['msg']}" for name, row in rows.items() if row["type"] != "missing"]
    said = [f"set {' and '.join(missing)}"] if missing else []
    return f"{'; '.join([*said, *wrong])} (see docs/reference/settings.md)"


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
