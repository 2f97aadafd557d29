"""How a release speaks: which facades it offers, in which versions, and in which words it says
that it has no such thing.

The facades are written once, in 3.6's versions and shapes. A dialect says under which versions
they are offered, and puts the few keys that differ into the release's own: 4.0 says
``qualifier``, a plain name, where 3.6 says ``owner-tag``, and has no ``sla``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import msgspec

from jimm.errors import BadRequest, JimmError, NotImplementedHere, NotSupported
from jimm.simulator.migration.versions import Version
from jimm.wire.envelope import Request
from jimm.wire.facade import Method, Table
from jimm.wire.params.admin import FacadeVersions

Offered = Mapping[str, Mapping[int, int]]
"""By facade, the versions that are offered, and the version that each of them is here."""


@dataclass(frozen=True)
class Release:
    """The part of a version that decides how a controller behaves."""

    major: int
    minor: int

    @classmethod
    def of(cls, version: str) -> "Release":
        """The release of a version such as ``4.0.13``."""
        parsed = Version.parse(version)
        return cls(parsed.major, parsed.minor)

    @property
    def is_four(self) -> bool:
        """Whether it is Juju 4."""
        return self.major >= 4

    @property
    def takes_envelopes(self) -> bool:
        """Whether it takes in models from a 4.0 source (4.1 and later)."""
        return (self.major, self.minor) >= (4, 1)


class Dialect:
    """Juju 3.6: the facades as they are."""

    def listing(self, table: Table, *, on_model: bool) -> list[FacadeVersions]:
        """The ``facades`` of a login's result."""
        return table.listing()

    def find(self, table: Table, request: Request, *, on_model: bool) -> Method:
        """The method that a request names.

        Raises:
            NotImplementedHere: no such facade, version or method.
            NotSupported: one that this release has done away with.
        """
        return table.find(request)

    def heard(self, request: Request) -> Request:
        """The request in the words of the facades."""
        return request

    def said(self, request: Request, result: object) -> object:
        """A result in the release's own words."""
        return result


class FourDialect(Dialect):
    """Juju 4.0 and 4.1 (what 4.0.13 answered on the wire)."""

    def __init__(self, release: Release) -> None:
        target = range(4, 9 if release.takes_envelopes else 8)
        taken_in = {number: min(number, 6) for number in target}
        self._on_controller: Offered = {**_ON_CONTROLLER, "MigrationTarget": taken_in}

    def listing(self, table: Table, *, on_model: bool) -> list[FacadeVersions]:
        return [
            FacadeVersions(name=name, versions=sorted(versions))
            for name, versions in sorted(self._offered(on_model=on_model).items())
        ]

    def find(self, table: Table, request: Request, *, on_model: bool) -> Method:
        facade, version = request.type, request.version
        known = self._offered(on_model=on_model).get(facade, {}).get(version)
        if known is None:
            raise NotImplementedHere(f'unknown version {version} for facade type "{facade}"')
        refusal = _REFUSED.get((facade, request.request))
        if refusal is not None:
            raise refusal(request)
        if (facade, version, request.request) in _PANICS:
            raise BadRequest("runtime error: index out of range [0] with length 0")
        if (facade, request.request) not in _GONE:
            try:
                return table.find(msgspec.structs.replace(request, version=known))
            except NotImplementedHere:
                pass
        where = f'at version {version} for facade type "{facade}"'
        raise NotImplementedHere(f'unknown method "{request.request}" {where}')

    def heard(self, request: Request) -> Request:
        if (request.type, request.version) not in _QUALIFIED:
            return request
        return msgspec.structs.replace(request, params=_with_owners(request.params))

    def said(self, request: Request, result: object) -> object:
        is_qualified = (request.type, request.version) in _QUALIFIED
        if not is_qualified and request.type != "ModelManager":
            return result
        return _told(msgspec.to_builtins(result), is_qualified=is_qualified)

    def _offered(self, *, on_model: bool) -> Offered:
        return _ON_MODEL if on_model else self._on_controller


def dialect_of(version: str) -> Dialect:
    """The dialect of a controller of this version."""
    release = Release.of(version)
    return FourDialect(release) if release.is_four else Dialect()


def _same(*versions: int) -> dict[int, int]:
    return {number: number for number in versions}


_ON_CONTROLLER: Final[Offered] = MappingProxyType(
    {
        "ApplicationOffers": {5: 5, 6: 5},
        "Bundle": {8: 6},
        "Cloud": {7: 7, 8: 7},
        "Controller": {12: 12, 13: 12, 14: 12},
        "CrossController": _same(1),
        "ModelConfig": {3: 3, 4: 3},
        "ModelManager": {10: 10, 11: 10},
        "ModelSummaryWatcher": _same(1),
        "ModelUpgrader": {2: 1},
        "NotifyWatcher": _same(1),
        "Pinger": _same(1),
        "SecretBackends": _same(1),
        "UserManager": _same(3),
    }
)
"""All that 4.0.13 lists, ``MigrationTarget`` apart."""

_ON_MODEL: Final[Offered] = MappingProxyType(
    {
        "Action": _same(7),
        "Annotations": _same(2),
        "Application": {19: 19, 20: 20, 21: 20, 22: 20},
        "Block": _same(2),
        "Bundle": {8: 6},
        "Charms": _same(7),
        "Client": _same(8),
        "KeyManager": _same(1),
        "MachineManager": {11: 10},
        "ModelConfig": {3: 3, 4: 3},
        "Pinger": _same(1),
        "Resources": _same(3),
        "SSHClient": {4: 4, 5: 4},
        "Secrets": {1: 2, 2: 2},
        "Spaces": _same(6),
        "Storage": {6: 6, 7: 6},
        "StringsWatcher": _same(1),
        "Subnets": _same(5),
    }
)
"""Of what 4.0.13 lists, that which a simulated model answers."""


def _not_implemented(request: Request) -> JimmError:
    return NotImplementedHere(f"{request.request} not implemented")


def _not_supported(request: Request) -> JimmError:
    return NotSupported(f"{request.request} not supported")


_REFUSED: Final = MappingProxyType(
    {
        ("Controller", "WatchAllModels"): _not_implemented,
        ("Controller", "WatchModelSummaries"): _not_supported,
        ("Controller", "WatchAllModelSummaries"): _not_supported,
        ("Client", "WatchAll"): _not_implemented,
    }
)
"""There is nothing to watch on 4.0."""

_PANICS: Final = frozenset(
    {("Controller", 12, "AllModels"), ("Controller", 12, "HostedModelConfigs")}
)

_GONE: Final = frozenset(
    {
        ("Bundle", "GetChanges"),
        ("Charms", "IsMetered"),
        ("MachineManager", "UpgradeSeriesComplete"),
        ("MachineManager", "UpgradeSeriesPrepare"),
        ("MachineManager", "UpgradeSeriesValidate"),
        ("ModelConfig", "SLALevel"),
    }
)

_QUALIFIED: Final = frozenset(
    {
        ("ApplicationOffers", 6),
        ("Controller", 13),
        ("Controller", 14),
        ("MigrationTarget", 7),
        ("MigrationTarget", 8),
        ("ModelManager", 11),
    }
)


def _with_owners(value: object) -> object:
    if isinstance(value, list):
        return [_with_owners(each) for each in value]
    if not isinstance(value, dict):
        return value
    found: dict[object, object] = {}
    for key, each in value.items():
        if key == "qualifier":
            found["owner-tag"] = f"user-{each}" if each else ""
        elif key == "model-qualifier":
            found["owner-name"] = each
        else:
            found[key] = each if key == "config" else _with_owners(each)
    return found


def _told(value: object, *, is_qualified: bool) -> object:
    if isinstance(value, list):
        return [_told(each, is_qualified=is_qualified) for each in value]
    if not isinstance(value, dict):
        return value
    found: dict[object, object] = {}
    for key, each in value.items():
        if key == "sla":
            continue  # 4.0 knows of none
        if key == "owner-tag" and is_qualified:
            found["qualifier"] = str(each).removeprefix("user-")
        else:
            found[key] = _told(each, is_qualified=is_qualified)
    return found
