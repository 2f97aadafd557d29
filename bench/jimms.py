"""One JIMM: a database of its own, ``jimm serve``, and tokens of its users."""

import os
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg

from bench.load import Target, password_login, token_login
from bench.processes import Ended, Program, cpu_titled
from jimm.net.tls import client_context

UP_WITHIN: Final = 60.0
"""Seconds that a program may take to be there."""


@dataclass(slots=True)
class Jimm:
    """A running JIMM with users and tokens."""

    folder: Path
    postmaster: int
    tree: Path
    database: str
    port: int
    environment: dict[str, str]
    ca: Path
    passwords: dict[str, str] = field(repr=False)
    program: Program | None = None
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the first of its processes."""
        if self.program is None:
            raise Ended(f"{self.database} does not run")
        return self.program.pid

    def postgres_cpu(self) -> float:
        """CPU seconds of its sessions in Postgres until now."""
        return cpu_titled(self.postmaster, self.database)

    def start(self) -> None:
        """Starts ``jimm serve``; it may not answer yet."""
        self.program = Program(
            self.database,
            [sys.executable, "-m", "jimm", "serve"],
            self.folder,
            environment=in_tree(self.tree, self.environment),
            working_folder=self.tree,
        )

    def stop(self) -> None:
        """Ends it, if it runs."""
        if self.program is not None:
            self.program.end()
            self.program = None

    def await_ready(self) -> None:
        """Waits until it can work.

        Raises:
            Ended: it ended, or does not get there in time.
        """

        def is_ready() -> bool:
            if self.program is not None:
                self.program.check()
            try:
                return self.rest().get("/readyz").status_code == 200
            except httpx.TransportError:
                return False

        until(is_ready, f"{self.database} is ready")

    def rest(self, user: str = "") -> httpx.Client:
        """A client of ``/v1``, as somebody who has a token."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}"} if user else {}
        context = client_context(self.ca.read_text())
        url = f"https://{self.address}"
        return httpx.Client(base_url=url, verify=context, timeout=120, headers=headers)

    def log_in(self) -> None:
        """Takes a session token for each user."""
        with self.rest() as rest:
            for name, password in self.passwords.items():
                login = {"username": name, "password": password, "name": "bench"}
                self.tokens[name] = _done(rest.post("/v1/tokens", json=login))["token"]

    def register(self, registration: dict[str, Any]) -> None:
        """Registers a controller."""
        with self.rest("admin") as rest:
            _done(rest.post("/v1/controllers", json=registration))

    def await_available(self, controllers: int) -> None:
        """Waits until so many controllers are linked."""
        with self.rest("admin") as rest:

            def are_there() -> bool:
                shown = _done(rest.get("/v1/controllers", params={"limit": 500}))["controllers"]
                there = [each for each in shown if each["status"]["status"] == "available"]
                return len(there) == controllers

            until(are_there, "all controllers are available")

    def count(self, statement: str) -> int:
        """The number that a query of the bench's own gives."""
        url = self.environment["JIMM_DATABASE_URL"]
        with psycopg.connect(url, autocommit=True) as connection:
            found = connection.execute(statement.encode()).fetchone()
        return int(found[0]) if found else 0

    def target(self, path: str = "/api", user: str = "alice", *, password: bool = False) -> Target:
        """Where the load goes to, and how it logs in."""
        login = (
            password_login(user, self.passwords[user])
            if password
            else token_login(self.tokens[user])
        )
        return Target(self.address, path, self.ca, login)


def until(condition: Callable[[], bool], what: str, program: Program | None = None) -> None:
    """Waits for a condition.

    Raises:
        Ended: it does not come about in time, or the program that was to bring it about ended.
    """
    end = time.monotonic() + UP_WITHIN
    while not condition():
        if program is not None:
            program.check()
        if time.monotonic() > end:
            raise Ended(f"not within {UP_WITHIN:g} s: {what}")
        time.sleep(0.02)


def free_port() -> int:
    """A port on which nobody listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_tree(tree: Path, environment: dict[str, str]) -> dict[str, str]:
    """An environment in which ``jimm`` is that of a tree, compiled modules being kept."""
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, **environment, "PYTHONPATH": str(tree)}


def _done(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise Ended(f"{answer.request.method} {answer.request.url.path}: {answer.text[:500]}")
    return answer.json()
