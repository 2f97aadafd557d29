"""A command's conversation as a file: what a client sent, with names for what differs."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "recordings"

NAME = re.compile(r"\$\{([a-z-]+)\}")


@dataclass(frozen=True)
class Expected:
    """What a reply must be, beyond the shape of its method's result."""

    error: str = ""
    """The code of the refusal, of the whole call or of its row; empty for success."""
    says: str = ""
    """Words of the refusal."""
    or_error: Sequence[str] = ()
    """Codes that a row may have, and that the client takes for success."""
    until: str = ""
    """The call is repeated until its row has this code, as the client repeats it."""
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Names for values of the reply, by the key in it."""
    creates: str = ""
    """The name of a model whose UUID the reply has under ``uuid``."""


@dataclass(frozen=True)
class Step:
    """A request on a socket, or one of the two things that clients do beside their sockets."""

    socket: int = 0
    request: Mapping[str, Any] = field(default_factory=dict)
    expect: Expected = Expected()
    stream: str = ""
    """The path of a log stream, read to its end."""
    http: Mapping[str, Any] = field(default_factory=dict)
    """An upload: ``method``, ``path``, ``headers``, ``body`` (a name)."""


@dataclass(frozen=True)
class Conversation:
    """One command, as one client has it."""

    file: Path
    command: str
    client: str
    user: str
    given: tuple[str, ...]
    sockets: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def version(self) -> str:
        """The client's."""
        return self.client.split()[-1]


def every() -> list[Conversation]:
    """All of them, in the order of their files' names."""
    return [load(file) for file in sorted(FOLDER.glob("juju-*/*.json"))]


def load(file: Path) -> Conversation:
    """One of them."""
    told = json.loads(file.read_text())
    return Conversation(
        file=file,
        command=told["command"],
        client=told["client"],
        user=told["user"],
        given=tuple(told["given"]),
        sockets=tuple(told["sockets"]),
        steps=tuple(_step(each) for each in told["steps"]),
    )


@cache
def client_facades(client: str) -> dict[str, list[int]]:
    """The versions that a client knows, by facade."""
    told: dict[str, dict[str, list[int]]] = json.loads((FOLDER / "clients.json").read_text())
    return told[client]


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """The value with what the names stand for.

    Raises:
        KeyError: a name that stands for nothing.
    """
    if isinstance(value, str):
        return NAME.sub(lambda found: names[found[1]], value)
    if isinstance(value, Mapping):
        return {filled(key, names): filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, names) for each in value]
    return value


def _step(told: dict[str, Any]) -> Step:
    expect = {key.replace("-", "_"): value for key, value in told.pop("expect", {}).items()}
    return Step(**told, expect=Expected(**expect))
