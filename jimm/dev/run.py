"""``jimm dev``: starts everything in order, says when it is ready, and ends it in order."""

import asyncio
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg
import typer
from psycopg import sql

from jimm.dev import processes, provision, state
from jimm.dev.processes import Program, Running
from jimm.errors import JimmError
from jimm.net.tasks import Tasks
from jimm.registry import schema
from jimm.registry.crypto import load_keys
from jimm.registry.embedded import EmbeddedPostgres, cluster_folder

DATABASE = "jimm"
CLOUD = "metro"
REGION = "north"
VERSION = "3.6.9"
NEWER_VERSION = "3.6.10"
"""Controller 3's: models move to it, and not back."""
READY_WITHIN = 60.0
WATCH_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for on the command line."""

    data: Path
    port: int
    controllers: int
    speed: float = 1.0

    @property
    def names(self) -> list[str]:
        """The controllers' names."""
        return [f"controller-{number}" for number in range(1, self.controllers + 1)]

    @property
    def address(self) -> str:
        """JIMM's own."""
        return f"127.0.0.1:{self.port}"


async def run(plan: Plan) -> int:
    """Runs until it is told to stop, or until JIMM or Postgres is gone; the exit status."""
    plan.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with state.alone(plan.data):
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await _run(plan, stop)


async def _run(plan: Plan, stop: asyncio.Event) -> int:
    (plan.data / "dev.json").unlink(missing_ok=True)
    await asyncio.to_thread(processes.end_leftovers, plan.data / "run")
    postgres = EmbeddedPostgres(cluster_folder(plan.data))
    running: list[Running] = []
    tasks = Tasks()
    work = tasks.spawn(_serve(plan, postgres, running), name="serve")
    told = tasks.spawn(stop.wait(), name="wait to be told to stop")
    try:
        await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
        return work.result() if work.done() else 0
    except JimmError as error:
        typer.echo(f"ERROR {error}", err=True)
        return 1
    finally:
        (plan.data / "dev.json").unlink(missing_ok=True)
        await tasks.aclose()
        await processes.stop_all(running, plan.data / "run")
        await asyncio.to_thread(postgres.stop)


async def _serve(plan: Plan, postgres: EmbeddedPostgres, running: list[Running]) -> int:
    """Starts everything, then watches it; returns (non-zero) when JIMM or Postgres is gone."""
    began = time.monotonic()
    await asyncio.to_thread(postgres.start)
    await asyncio.to_thread(_make_database, postgres)
    kept = state.load(plan.data, plan.names)
    environment = _environment(plan, postgres)
    authority = await provision.authority(environment)
    ca_file = plan.data / "ca.crt"
    ca_file.write_text(authority)
    await provision.users(environment, kept.passwords)
    jimm = await _start(plan, Program("jimm", ("serve",), environment), running)
    simulators = [
        await _start(plan, _simulator(plan, name, kept.ports[name], ca_file), running)
        for name in plan.names
    ]
    rest = provision.Rest(plan.address, ca_file, kept.passwords["admin"])
    await processes.ready(jimm, rest.is_up, deadline=READY_WITHIN)
    controllers = [
        await provision.controller(each, plan.data / "run", rest, READY_WITHIN)
        for each in simulators
    ]
    await provision.credential(plan.address, authority, rest, kept.passwords["alice"], CLOUD)
    uuid = (await rest.get("/v1/whoami"))["jimm-uuid"]
    description = provision.describe(plan.address, ca_file, uuid, kept.passwords, controllers)
    description["pids"] = {"jimm": [jimm.pid], "postgres": postgres.pid}
    state.write_private(plan.data / "dev.json", provision.as_json(description))
    _say(plan, ca_file, time.monotonic() - began)
    return await _watch(jimm, simulators, postgres)


async def _start(plan: Plan, program: Program, running: list[Running]) -> Running:
    started = await processes.start(program, plan.data / "run")
    running.append(started)
    return started


def _environment(plan: Plan, postgres: EmbeddedPostgres) -> dict[str, str]:
    key = plan.data / "secret.key"
    load_keys(key, create=True)
    return {
        "JIMM_DATABASE_URL": postgres.url(DATABASE),
        "JIMM_SECRET_KEY_FILE": str(key),
        "JIMM_LISTEN": plan.address,
        "JIMM_PUBLIC_NAMES": "127.0.0.1,localhost",
    }


def _simulator(plan: Plan, name: str, port: int, ca_file: Path) -> Program:
    folder = plan.data / "run"
    registration = folder / f"{name}.yaml"
    registration.unlink(missing_ok=True)
    version = NEWER_VERSION if name == "controller-3" else VERSION
    options = {
        "--name": name,
        "--port": str(port),
        "--state": str(plan.data / f"{name}.state"),
        "--version": version,
        "--cloud": CLOUD,
        "--region": REGION,
        "--jwks-url": f"https://{plan.address}/.well-known/jwks.json",
        "--jwks-ca": str(ca_file),
        "--speed": str(plan.speed),
        "--registration": str(registration),
    }
    words = [word for pair in options.items() for word in pair]
    return Program(name, ("simulate", *words), {})


def _make_database(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
        if found.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    schema.upgrade(postgres.url(DATABASE))


async def _watch(jimm: Running, simulators: list[Running], postgres: EmbeddedPostgres) -> int:
    gone: set[str] = set()
    while jimm.exit_status is None and postgres.pid is not None:
        for each in simulators:
            if each.exit_status is not None and each.program.name not in gone:
                gone.add(each.program.name)
                typer.echo(f"{each.program.name} is gone; the rest goes on.", err=True)
        await asyncio.sleep(WATCH_EVERY)
    what = "Postgres" if postgres.pid is None else "JIMM"
    typer.echo(f"ERROR {what} is gone: stopping the rest (see {jimm.log})", err=True)
    return 1


def _say(plan: Plan, ca_file: Path, seconds: float) -> None:
    typer.echo(f"JIMM is at {plan.address}, ready in {seconds:.1f} s.")
    typer.echo(f"Its certificate authority is {ca_file}; users and all else: {plan.data}/dev.json")
