"""The load generator, told what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from bench.processes import Program


@dataclass(frozen=True, slots=True)
class Target:
    """Where the load goes to, whom it trusts there, and the login (a request without number)."""

    address: str
    path: str
    ca: Path
    login: Mapping[str, object] = field(repr=False)


class Measured(msgspec.Struct, frozen=True):
    """What some calls took: how many in how many seconds, and the seconds of one of them."""

    count: int
    seconds: float
    p50: float
    p99: float
    most: float
    resumed: int = 0
    bytes: int = 0
    last: str = ""

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.count / self.seconds


class Load:
    """A process that loads one target."""

    def __init__(self, program: Program, target: Target) -> None:
        self._program = program
        program.give(
            {
                "address": target.address,
                "path": target.path,
                "ca": str(target.ca),
                "login": dict(target.login),
            }
        )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._program.pid

    def open(self, count: int) -> None:
        """Opens connections, until there are so many, and logs in on each."""
        self._ask(do="open", conns=count)

    def close(self) -> None:
        """Closes all connections."""
        self._ask(do="close")

    def run(self, *, conns: int, seconds: float, reply: int, upload: int = 0) -> Measured:
        """Has so many connections call for some time, one call at a time each."""
        order = {"conns": conns, "seconds": seconds, "reply": reply, "upload": upload}
        return _measured(self._ask(do="run", **order))

    def run_count(self, *, conns: int, count: int, reply: int) -> Measured:
        """The same, until all together have done so many calls."""
        order = {"conns": conns, "count": count, "reply": reply}
        return _measured(self._ask(do="run", **order))

    def call(
        self,
        facade: str,
        version: int,
        method: str,
        params: Mapping[str, Any],
        *,
        count: int = 1,
        conns: int = 1,
    ) -> Measured:
        """Does one call so many times; ``{n}`` in its parameters is another number each time."""
        return _measured(
            self._ask(
                do="call",
                type=facade,
                version=version,
                request=method,
                params=params,
                count=count,
                conns=conns,
            )
        )

    def logins(self, *, conns: int, count: int, fresh: bool = False) -> Measured:
        """Connects, logs in and goes, so many times; ``fresh`` with a whole TLS handshake each."""
        return _measured(self._ask(do="logins", conns=conns, count=count, fresh=fresh))

    def await_login(self, seconds: float) -> None:
        """Tries again and again until a login succeeds."""
        self._ask(do="await", seconds=seconds)

    def _ask(self, **order: object) -> Any:
        return self._program.tell(order)


def token_login(token: str) -> dict[str, object]:
    """A login with a session token (``Admin`` 4)."""
    params = {"session-token": token}
    return {"type": "Admin", "version": 4, "request": "LoginWithSessionToken", "params": params}


def password_login(user: str, password: str) -> dict[str, object]:
    """A login with a name and a password (``Admin`` 3)."""
    params = {"auth-tag": f"user-{user}", "credentials": password, "client-version": "3.6.9"}
    return {"type": "Admin", "version": 3, "request": "Login", "params": params}


def _measured(answer: object) -> Measured:
    return msgspec.convert(answer, Measured)
