"""A charm as ``Charms.CharmInfo`` tells it (Juju ``apiserver/common/charms``)."""

from collections.abc import Mapping
from typing import Final

from jimm.simulator import resources
from jimm.simulator.charm_store import options_of
from jimm.simulator.state import Charm

_ROLES: Final = (("provides", "provider"), ("requires", "requirer"), ("peers", "peer"))
_BASES: Final = ("24.04/stable", "22.04/stable")

Plain = dict[str, object]


def described(charm: Charm) -> Plain:
    """All that clients are told."""
    return {
        "url": charm.url,
        "revision": charm.revision,
        "config": {name: _option(value) for name, value in options_of(charm).items()},
        "meta": _meta(charm),
        "actions": {"specs": {name: _action(value) for name, value in charm.actions.items()}},
        "manifest": {"bases": [{**each, "architectures": ["amd64"]} for each in supported_bases()]},
    }


def supported_bases() -> list[Plain]:
    """On which every simulated charm runs."""
    return [{"name": "ubuntu", "channel": each} for each in _BASES]


def _meta(charm: Charm) -> Plain:
    meta = charm.meta
    told: Plain = {
        "name": charm.name,
        "summary": str(meta.get("summary") or ""),
        "description": str(meta.get("description") or ""),
        "subordinate": meta.get("subordinate") is True,
        "min-juju-version": "0.0.0",
    }
    for key, role in _ROLES:
        ends = meta.get(key)
        if isinstance(ends, Mapping) and ends:
            told[key] = {str(name): _relation(str(name), role, end) for name, end in ends.items()}
    storage = meta.get("storage")
    if isinstance(storage, Mapping) and storage:
        told["storage"] = {str(name): _storage(str(name), each) for name, each in storage.items()}
    if declared := resources.declared_by(charm):
        told["resources"] = {
            each.name: {
                "name": each.name,
                "type": each.type,
                "path": each.path,
                "description": each.description,
            }
            for each in declared
        }
    return told


def _relation(name: str, role: str, end: object) -> Plain:
    about = end if isinstance(end, Mapping) else {"interface": end}
    limit = about.get("limit")
    return {
        "name": name,
        "role": role,
        "interface": str(about.get("interface") or ""),
        "optional": about.get("optional") is True,
        "limit": limit if isinstance(limit, int) else 0,
        "scope": str(about.get("scope") or "global"),
    }


def _storage(name: str, about: object) -> Plain:
    about = about if isinstance(about, Mapping) else {}
    return {
        "name": name,
        "description": str(about.get("description") or ""),
        "type": str(about.get("type") or "filesystem"),
        "shared": about.get("shared") is True,
        "read-only": about.get("read-only") is True,
        "count-min": 1,
        "count-max": 1,
        "minimum-size": 0,
        "location": str(about.get("location") or ""),
    }


def _option(value: Mapping[str, object]) -> Plain:
    told: Plain = {"type": str(value.get("type") or "string")}
    if value.get("description"):
        told["description"] = str(value["description"])
    if value.get("default") is not None:
        told["default"] = value["default"]
    return told


def _action(value: object) -> Plain:
    about = value if isinstance(value, Mapping) else {}
    params = about.get("params")
    return {
        "description": str(about.get("description") or ""),
        "params": dict(params) if isinstance(params, Mapping) else {},
    }
