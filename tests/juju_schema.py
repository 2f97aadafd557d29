"""Juju's facades as data: what each method takes and gives, by facade and version.

``tests/data/juju_schema.json`` holds the shapes of Juju 3.6's and 4.0's client-facing facades,
each in its highest version, in a notation of ours:

* ``"string"``, ``"integer"``, ``"boolean"``, ``"number"``, ``"time"`` (RFC 3339), ``"version"``
  (a Juju version as text), ``"any"``;
* ``[shape]`` is a list, ``{"*": shape}`` a map with keys of the caller's own;
* ``{"key": shape, "other?": shape}`` an object, a question mark for what may be left out;
* ``"#Name"`` a type of the same facade.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "data" / "juju_schema.json"

VERSION = re.compile(r"\d{1,9}\.\d{1,9}(\.|-\w+)\d{1,9}(\.\d{1,9})?")
"""What Juju's clients parse as a version."""

SCALARS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True)
class Signature:
    """One method; ``types`` are what its shapes refer to."""

    params: Any
    result: Any
    types: dict[str, Any]

    def resolved(self, shape: Any) -> Any:
        """The shape itself, where a name stands for it."""
        while isinstance(shape, str) and shape.startswith("#"):
            shape = self.types[shape[1:]]
        return shape

    def problems(self, value: object) -> list[str]:
        """What a client could not read in a successful reply's ``response``."""
        return list(self._problems(self.result or {}, value, "response"))

    def _problems(self, shape: Any, value: object, where: str) -> list[str]:
        shape = self.resolved(shape)
        if shape == "any":
            return []
        if isinstance(shape, list):
            return self._list_problems(shape[0], value, where)
        if isinstance(shape, dict):
            return self._object_problems(shape, value, where)
        return _scalar_problems(shape, value, where)

    def _list_problems(self, shape: Any, value: object, where: str) -> list[str]:
        if value is None:  # a nil slice of Go's; every client takes it
            return []
        if not isinstance(value, list):
            return [f"{where} is no list: {value!r}"]
        found: list[str] = []
        for number, each in enumerate(value):
            found += self._problems(shape, each, f"{where}[{number}]")
        return found

    def _object_problems(self, shape: dict[str, Any], value: object, where: str) -> list[str]:
        if value is None and ("*" in shape or where.endswith(".sla")):
            return []
        if not isinstance(value, dict):
            return [f"{where} is no object: {value!r}"]
        found: list[str] = []
        if "*" in shape:
            for key, each in value.items():
                found += self._problems(shape["*"], each, f"{where}.{key}")
            return found
        failed = bool(value.get("error")) and "error?" in shape
        for key, inner in shape.items():
            name = key.removesuffix("?")
            if name in value:
                found += self._problems(inner, value[name], f"{where}.{name}")
            elif name == key and not failed:
                found.append(f"{where}.{name} is missing")
        return found


class Schema:
    """The whole of it."""

    def __init__(self, file: Path = FILE) -> None:
        self._file = file

    def find(self, facade: str, version: int, method: str) -> Signature | None:
        """A method of that version, or of the nearest one above it, else below it."""
        versions = sorted(int(each) for each in self._facades.get(facade, {}))
        nearest = [each for each in versions if each >= version] + versions[::-1]
        for each in nearest:
            described = self._facades[facade][str(each)]
            if method in described["methods"]:
                found = described["methods"][method]
                return Signature(found.get("params"), found.get("result"), described["types"])
        return None

    @cached_property
    def _facades(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self._file.read_text())
        return loaded


def _scalar_problems(shape: str, value: object, where: str) -> list[str]:
    if shape == "time":
        return [] if value is None or _is_time(value) else [f"{where} is no time: {value!r}"]
    if shape == "version":
        good = value is None or (isinstance(value, str) and VERSION.fullmatch(value))
        return [] if good else [f"{where} is no version: {value!r}"]
    good = isinstance(value, SCALARS[shape]) and (shape == "boolean" or not isinstance(value, bool))
    return [] if good else [f"{where} is no {shape}: {value!r}"]


def _is_time(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False
