"""Charms that the simulated Charmhub has, and what an application's charm says.

Nothing is fetched: a few charms are known with their endpoints, settings and actions, and any
other name is a charm without endpoints of its own.
"""

from collections.abc import Mapping
from typing import Final

from jimm.errors import NotFound
from jimm.simulator.state import Application, Charm, Endpoint, Model

_ROLES: Final = (("provides", "provider"), ("requires", "requirer"), ("peers", "peer"))

_HTTP: Final[dict[str, object]] = {"interface": "http"}
_PGSQL: Final[dict[str, object]] = {"interface": "pgsql"}
_MYSQL: Final[dict[str, object]] = {"interface": "mysql"}

_PORT: Final[dict[str, object]] = {"type": "int", "default": 80, "description": "The port."}
_HOSTNAME: Final[dict[str, object]] = {"type": "string", "default": "", "description": "The name."}
_BACKUP: Final[dict[str, object]] = {"description": "Back it up.", "params": {}}

_Known = tuple[int, dict[str, object], dict[str, object], dict[str, object]]

_SHELF: Final[Mapping[str, _Known]] = {
    "ubuntu": (24, {}, {"options": {"hostname": _HOSTNAME}}, {}),
    "haproxy": (
        75,
        {"provides": {"website": _HTTP}, "requires": {"reverseproxy": _HTTP}},
        {"options": {"port": _PORT}},
        {},
    ),
    "postgresql": (
        345,
        {
            "provides": {"db": _PGSQL},
            "peers": {"replication": {"interface": "pgpeer"}},
            "storage": {"pgdata": {"type": "filesystem"}},
        },
        {"options": {"port": {**_PORT, "default": 5432}}},
        {"backup": _BACKUP},
    ),
    "mysql": (
        196,
        {"provides": {"db": _MYSQL}, "storage": {"database": {"type": "filesystem"}}},
        {},
        {"backup": _BACKUP},
    ),
    "wordpress": (
        5,
        {"provides": {"website": _HTTP}, "requires": {"db": _MYSQL}},
        {"options": {"blog-title": {"type": "string", "default": "My Title"}}},
        {},
    ),
    "web": (
        7,
        {"provides": {"website": _HTTP}, "requires": {"db": _PGSQL}},
        {"options": {"port": {**_PORT, "default": 8080}}},
        {"reload": {"description": "Read the settings again.", "params": {}}},
    ),
    "nrpe": (
        121,
        {
            "subordinate": True,
            "requires": {
                "general-info": {"interface": "juju-info", "scope": "container"},
            },
        },
        {},
        {},
    ),
}
"""Newest revision, metadata, settings and actions by name."""


def known_charm(name: str, *, revision: int | None = None, arch: str = "amd64") -> Charm:
    """A charm of the simulated Charmhub; its newest revision unless one is asked for.

    Raises:
        NotFound: no charm can have that name.
    """
    if not name or not name.replace("-", "").isalnum():
        raise NotFound(f'resolving with preferred channel: charm or bundle "{name}" not found')
    newest, meta, config, actions = _SHELF.get(name, (1, {}, {}, {}))
    number = newest if revision is None or revision < 0 else revision
    return Charm(
        url=f"ch:{arch}/{name}-{number}",
        name=name,
        revision=number,
        meta={"name": name, "summary": f"A simulated {name}.", "description": "", **meta},
        config=config,
        actions=actions,
    )


def charm_named(url: str) -> str:
    """The name in a charm's URL: ``ubuntu`` of ``ch:amd64/ubuntu-24``."""
    bare = url.partition(":")[2] or url
    name, _, revision = bare.rpartition("/")[2].rpartition("-")
    return name if name and revision.isdigit() else bare.rpartition("/")[2]


def revision_of(url: str) -> int:
    """The revision in a charm's URL, 0 without one."""
    number = url.rpartition("-")[2]
    return int(number) if number.isdigit() else 0


def charm_of(model: Model, application: Application) -> Charm:
    """The application's charm: the model's, else what the simulated Charmhub knows."""
    return charm_at(model, application.charm)


def charm_at(model: Model, url: str) -> Charm:
    """The charm of a URL, from the model or the simulated Charmhub."""
    found = model.charms.get(url)
    if found is not None:
        return found
    name = charm_named(url)
    _, meta, config, actions = _SHELF.get(name, (1, {}, {}, {}))
    return Charm(
        url=url, name=name, revision=revision_of(url), meta=meta, config=config, actions=actions
    )


def options_of(charm: Charm) -> dict[str, dict[str, object]]:
    """The charm's settings by name: ``type``, ``default``, ``description``."""
    found = charm.config.get("options", charm.config)
    if not isinstance(found, Mapping):
        return {}
    return {str(key): dict(value) for key, value in found.items() if isinstance(value, Mapping)}


def endpoints_of(model: Model, application: Application) -> list[Endpoint]:
    """What an application can be related at; every one provides ``juju-info``."""
    meta = charm_of(model, application).meta
    found: list[Endpoint] = []
    for key, role in _ROLES:
        ends = meta.get(key)
        for name, end in ends.items() if isinstance(ends, Mapping) else ():
            interface = end.get("interface", "") if isinstance(end, Mapping) else end
            found.append(
                Endpoint(
                    application=application.name,
                    name=str(name),
                    role=role,
                    interface=str(interface),
                )
            )
    implicit = Endpoint(
        application=application.name, name="juju-info", role="provider", interface="juju-info"
    )
    return [*found, implicit]


def scope_of(model: Model, application: Application, endpoint: str) -> str:
    """``container`` where the charm says so, else ``global``."""
    meta = charm_of(model, application).meta
    for key, _ in _ROLES:
        ends = meta.get(key)
        end = ends.get(endpoint) if isinstance(ends, Mapping) else None
        if isinstance(end, Mapping) and end.get("scope") == "container":
            return "container"
    return "global"


def is_subordinate(charm: Charm) -> bool:
    """Whether its units live beside another application's."""
    return charm.meta.get("subordinate") is True
