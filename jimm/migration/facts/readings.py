"""What ``Client.FullStatus``, ``ModelConfig.ModelGet`` and the like answer, as facts. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from msgspec import field

from jimm.errors import ProtocolError
from jimm.migration.prechecks.status import Application, Machine, Status, Unit
from jimm.migration.prechecks.values import Cloud, Pace
from jimm.wire.fold import convert
from jimm.wire.params import cloud as cloud_params
from jimm.wire.params.common import Params

_UNITS: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_DURATION: Final = re.compile(r"(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+")
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


class _Detail(Params, kw_only=True):
    status: str = ""
    info: str = ""
    version: str = ""
    life: str = ""


class _Base(Params, kw_only=True):
    name: str = ""
    channel: str = ""


class _Machine(Params, kw_only=True):
    id: str
    agent_status: _Detail
    instance_status: _Detail
    base: _Base | None = None
    containers: dict[str, "_Machine"] | None = None


class _Unit(Params, kw_only=True):
    agent_status: _Detail
    workload_status: _Detail
    charm: str = ""
    subordinates: dict[str, "_Unit"] | None = None


class _Application(Params, kw_only=True):
    charm: str = ""
    life: str = ""
    units: dict[str, _Unit] | None = None
    scale: int = field(name="int", default=0)


class _Endpoint(Params, kw_only=True):
    application: str = ""


class _Relation(Params, kw_only=True):
    key: str
    scope: str = ""
    endpoints: list[_Endpoint] | None = None
    status: _Detail


class _Remote(Params, kw_only=True):
    offer_url: str = ""


class _Offer(Params, kw_only=True):
    total_connected_count: int = 0


class _Model(Params, kw_only=True):
    version: str = ""
    type: str = "iaas"


class _Told(Params, kw_only=True):
    """The part of ``FullStatus`` that is read."""

    model: _Model
    machines: dict[str, _Machine] | None = None
    applications: dict[str, _Application] | None = None
    remote_applications: dict[str, _Remote] | None = None
    offers: dict[str, _Offer] | None = None
    relations: list[_Relation] | None = None


@dataclass(frozen=True, slots=True)
class Inside:
    """A model from within. ``offered`` are the offers that others use, ``consumed`` the urls of
    those that it uses."""

    status: Status
    offered: tuple[str, ...] = ()
    consumed: tuple[str, ...] = ()


def inside(plain: Mapping[str, object]) -> Inside:
    """What ``FullStatus`` tells.

    Raises:
        ProtocolError: it has another shape.
    """
    told = convert(plain, _Told)
    if not told.model.version:
        raise ProtocolError("a status without a model")
    applications = told.applications or {}
    status = Status(
        version=told.model.version,
        type=told.model.type or "iaas",
        machines=tuple(_machines(told.machines or {})),
        applications=tuple(
            _application(name, each, told.model.type) for name, each in applications.items()
        ),
        units=tuple(
            unit for each in applications.values() for unit in _units(each.units, applications)
        ),
        unjoined=tuple(_unjoined(told.relations or [], applications)),
    )
    return Inside(
        status=status,
        offered=tuple(
            sorted(name for name, each in (told.offers or {}).items() if each.total_connected_count)
        ),
        consumed=tuple(
            sorted(each.offer_url for each in (told.remote_applications or {}).values())
        ),
    )


def cloud(told: cloud_params.Cloud) -> Cloud:
    """A cloud's definition as far as it matters here."""
    return Cloud(
        type=told.type,
        endpoint=told.endpoint,
        auth_types=frozenset(told.auth_types),
        regions={each.name: each.endpoint for each in told.regions},
    )


def pace(config: Mapping[str, object]) -> Pace:
    """What a ``ControllerConfig`` says of agents; what it leaves out is as Juju has it."""
    default = Pace()
    burst = config.get("agent-ratelimit-max")
    return Pace(
        wait_time=seconds(config.get("migration-agent-wait-time"), default.wait_time),
        burst=int(burst) if isinstance(burst, int | float) else default.burst,
        every=seconds(config.get("agent-ratelimit-rate"), default.every),
    )


def seconds(value: object, default: float) -> float:
    """A duration as Go writes it (``15m0s``, or a number of nanoseconds)."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value * 1e-9
    if not isinstance(value, str) or _DURATION.fullmatch(value) is None:
        return default
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))


def _machines(machines: Mapping[str, _Machine]) -> Iterator[Machine]:
    for each in machines.values():
        base = each.base or _Base()
        yield Machine(
            name=each.id,
            life=each.agent_status.life,
            agent=each.agent_status.status,
            instance=each.instance_status.status,
            version=each.agent_status.version,
            base=f"{base.name}@{base.channel}" if base.name else "",
        )
        yield from _machines(each.containers or {})


def _application(name: str, told: _Application, kind: str) -> Application:
    units = len(told.units or {})
    return Application(
        name=name,
        life=told.life,
        charm=told.charm,
        scale=told.scale if kind == "caas" else None,
        units=units,
    )


def _units(
    units: Mapping[str, _Unit] | None, applications: Mapping[str, _Application]
) -> Iterator[Unit]:
    for name, each in (units or {}).items():
        application = applications.get(name.partition("/")[0])
        charm = application.charm if application is not None else ""
        yield Unit(
            name=name,
            life=each.agent_status.life,
            agent=each.agent_status.status,
            workload=each.workload_status.status,
            message=each.workload_status.info,
            version=each.agent_status.version,
            # Juju names a unit's charm only where it is another than the application's
            upgrading=bool(charm and each.charm and each.charm != charm),
        )
        yield from _units(each.subordinates, applications)


def _unjoined(
    relations: list[_Relation], applications: Mapping[str, _Application]
) -> Iterator[str]:
    for each in relations:
        ends = [applications.get(end.application) for end in each.endpoints or ()]
        has_units = any(end is not None and end.units for end in ends)
        # to a subordinate's relation belong only units that have it beside them
        if each.status.status == "joining" and each.scope != "container" and has_units:
            yield each.key
