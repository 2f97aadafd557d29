"""``jimm dev``: starts everything in order, says when it is ready, and ends it in order."""

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
import typer
from psycopg import sql

from jimm.dev import processes, provision, state
from jimm.dev.processes import Program, Running
from jimm.errors import ConfigurationError, JimmError
from jimm.net.tasks import Tasks
from jimm.registry import schema
from jimm.registry.crypto import load_keys
from jimm.registry.embedded import EmbeddedPostgres, cluster_folder

DATABASE: Final = "jimm"
CLOUD: Final = "metro"
REGION: Final = "north"
VERSION: Final = "3.6.9"
NEWER_VERSION: Final = "3.6.10"
"""Controller 3's: models move to it, and not back."""
READY_WITHIN: Final = 60.0
WATCH_EVERY: Final = 0.25


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

    @property
    def file(self) -> Path:
        """Where everything is told; it is there while all of it runs."""
        return self.data / state.DESCRIPTION

    @property
    def run(self) -> Path:
        """The folder of logs and registrations."""
        return self.data / "run"


async def run(plan: Plan) -> int:
    """Runs until it is told to stop, or until JIMM or Postgres is gone; the exit status.

    The caller holds the folder (:func:`jimm.dev.state.alone`).
    """
    stop = asyncio.Event()
    for number in _signals():
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await _Dev(plan).run(stop)


class _Dev:
    """What runs, from the first process to the last."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._postgres = EmbeddedPostgres(cluster_folder(plan.data))
        self._has_postgres = False
        self._jimm: Running | None = None
        self._simulators: list[Running] = []

    async def run(self, stop: asyncio.Event) -> int:
        tasks = Tasks()
        try:
            await _to_its_end(self._clear)
            told = tasks.spawn(stop.wait(), name="wait to be told to stop")
            starting = tasks.spawn(self._start(), name="start everything")
            gone = tasks.spawn(self._watch(), name="watch everything")
            await asyncio.wait({told, starting, gone}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await asyncio.wait({told, gone}, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                gone.result()
        except JimmError as error:
            typer.echo(f"ERROR {error}", err=True)
            return 1
        else:
            return 0
        finally:
            await tasks.aclose()
            await self._end()

    def _clear(self) -> None:
        processes.end_leftovers(self._plan.run)
        state.require_free(self._plan.port)
        if state.is_new(self._plan.data):
            self._postgres.destroy()  # of a folder of this name that somebody has removed

    async def _start(self) -> None:
        plan, began = self._plan, time.monotonic()
        kept = state.load(plan.data, plan.names)
        ca_file = plan.data / "ca.crt"
        for name in plan.names:  # first, for they need neither Postgres nor JIMM
            program = _simulator(plan, name, kept.ports[name], ca_file)
            self._simulators.append(await processes.start(program, plan.run))
        await _to_its_end(self._postgres.start)
        self._has_postgres = True
        await _to_its_end(self._make_database)
        environment = _environment(plan, self._postgres)
        self._jimm = await processes.start(Program("jimm", ("serve",), environment), plan.run)
        authority = await provision.authority(environment)
        state.write_private(ca_file, authority)
        await provision.users(environment, kept.passwords)
        async with provision.Rest(plan.address, authority, kept.passwords["admin"]) as rest:
            await processes.ready(self._jimm, rest.is_up, deadline=READY_WITHIN)
            await self._provision(rest, kept, ca_file, self._jimm)
        _say(plan, time.monotonic() - began)

    async def _provision(
        self, rest: provision.Rest, kept: state.Kept, ca_file: Path, jimm: Running
    ) -> None:
        plan = self._plan
        await rest.log_in()
        controllers = [
            await provision.controller(each, plan.run, rest, READY_WITHIN)
            for each in self._simulators
        ]
        uuid = (await rest.get("/v1/whoami"))["jimm-uuid"]
        if controllers:
            owner = provision.Owner("alice", kept.passwords["alice"])
            await provision.credential(plan.address, ca_file.read_text(), uuid, owner, CLOUD)
        await rest.log_out()
        description = provision.describe(plan.address, ca_file, uuid, kept.passwords, controllers)
        description["pids"] = {"jimm": [jimm.pid], "postgres": self._postgres.pid}
        state.write_private(plan.file, provision.as_json(description))

    def _make_database(self) -> None:
        with psycopg.connect(self._postgres.url(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if found.fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        schema.upgrade(self._postgres.url(DATABASE))

    async def _watch(self) -> None:
        """Tells of controllers that are gone.

        Raises:
            ConfigurationError: JIMM or Postgres is gone.
        """
        gone: set[str] = set()
        while True:
            if self._has_postgres and self._postgres.pid is None:
                raise ConfigurationError("Postgres is gone: stopping the rest")
            if self._jimm is not None and self._jimm.exit_status is not None:
                words = self._jimm.last_words()
                raise ConfigurationError(f"JIMM is gone: {words} (see {self._jimm.log})")
            for each in self._simulators:
                name = each.program.name
                if each.exit_status is not None and name not in gone:
                    gone.add(name)
                    typer.echo(f"{name} is gone; the rest goes on.", err=True)
            await asyncio.sleep(WATCH_EVERY)

    async def _end(self) -> None:
        self._plan.file.unlink(missing_ok=True)
        jimm = [] if self._jimm is None else [self._jimm]
        await processes.stop_all([*jimm, *self._simulators])
        await asyncio.to_thread(self._postgres.stop)


def _signals() -> list[signal.Signals]:
    """What ends a run. A hang-up does, unless somebody (``nohup``) said that it must not."""
    ending = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ending.append(signal.SIGHUP)
    return ending


async def _to_its_end(work: Callable[[], None]) -> None:
    """Does this in a thread, and waits for its end even when cancelled: what it starts must not
    outlive us."""
    doing = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        await asyncio.shield(doing)
    finally:
        await asyncio.wait({doing})


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
    registration = plan.run / f"{name}.yaml"
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


def _say(plan: Plan, seconds: float) -> None:
    typer.echo(f"JIMM is at {plan.address}, ready in {seconds:.1f} s.")
    typer.echo(f"Users, controllers, certificates and process ids: {plan.file}")
