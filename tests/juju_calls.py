"""Every method's parameters with a marker in each text: for tests that look for what leaked."""

import json
import random
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from tests.juju_schema import FILE, Schema, Signature

_DEPTH = 8

_OWN: Mapping[tuple[str, str], Any] = {
    ("JIMM", "AddController"): {
        "uuid": "string",
        "name": "string",
        "public-address": "string",
        "ca-certificate": "string",
        "api-addresses": ["string"],
        "username": "string",
        "password": "string",
    },
    ("JIMM", "AddCloudToController"): {
        "controller-name": "string",
        "cloud": {"config": {"*": "any"}, "endpoint": "string"},
        "name": "string",
    },
    ("JIMM", "FindAuditEvents"): {
        "after": "string",
        "before": "string",
        "user-tag": "string",
        "model": "string",
        "method": "string",
        "offset": "integer",
        "limit": "integer",
        "sortTime": "boolean",
    },
    ("JIMM", "GrantAuditLogAccess"): {"user-tag": "string", "level": "string"},
    ("JIMM", "MigrateModel"): {"specs": [{"model-tag": "string", "target-controller": "string"}]},
    ("JIMM", "PurgeLogs"): {"date": "string"},
    ("JIMM", "RemoveCloudFromController"): {"controller-name": "string", "cloud-tag": "string"},
    ("JIMM", "RemoveController"): {"name": "string", "force": "boolean"},
    ("JIMM", "RevokeAuditLogAccess"): {"user-tag": "string", "level": "string"},
    ("JIMM", "UpdateMigratedModel"): {"model-tag": "string", "target-controller": "string"},
    ("JIMM", "UpgradeTo"): {"model-uuids": ["string"], "target-controller-name": "string"},
    ("SecretBackends", "AddSecretBackends"): {
        "args": [{"name": "string", "backend-type": "string", "config": {"*": "any"}}]
    },
    ("Nobody", "Knows"): {"anything": "string", "password": "string"},
}
"""Those that are not in the schemas of Juju's client-facing facades."""


@dataclass(frozen=True)
class Call:
    """A method of some version, and its parameters' shape."""

    facade: str
    version: int
    method: str
    signature: Signature


def calls() -> list[Call]:
    """Every method of every facade and version that takes parameters."""
    schema = Schema()
    found = []
    for facade, versions in json.loads(FILE.read_text()).items():
        for version, described in versions.items():
            for method in described["methods"]:
                signature = schema.find(facade, int(version), method)
                if signature is not None and signature.params:
                    found.append(Call(facade, int(version), method, signature))
    own = (
        Call(facade, 4, method, Signature(shape, None, {}))
        for (facade, method), shape in _OWN.items()
    )
    return [*found, *own]


@dataclass(frozen=True)
class Seeded:
    """Parameters that hold a marker of its own in each text; the markers, and all that is no
    text, by path."""

    params: Any
    markers: Mapping[str, str]
    others: AbstractSet[str]


def seeded(call: Call, rng: random.Random) -> Seeded:
    """Parameters of that method."""
    told: dict[str, str] = {}
    others: set[str] = set()

    def fill(shape: Any, path: str, depth: int) -> Any:
        shape = call.signature.resolved(shape)
        if depth > _DEPTH:
            return None
        match shape:
            case list():
                return [fill(shape[0], f"{path}[]", depth + 1)]
            case dict():
                return {
                    (key.removesuffix("?") if key != "*" else "any-key"): fill(
                        each, f"{path}.{key.removesuffix('?').lower()}", depth + 1
                    )
                    for key, each in shape.items()
                }
            case "boolean" | "integer" | "number":
                others.add(path)
                return shape == "boolean" or 1
        told[path] = f"seeded-{rng.randbytes(8).hex()}"
        return told[path]

    return Seeded(fill(call.signature.params, "", 0), told, others)


def named(shape: object, path: str = "") -> Iterator[str]:
    """The paths that a shape of what is kept names."""
    match shape:
        case True:
            yield path
        case list():
            yield from named(shape[0], f"{path}[]")
        case Mapping():
            for key, each in shape.items():
                yield from named(each, f"{path}.{key}")
