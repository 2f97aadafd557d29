"""Settings that a user wants in new models, for a cloud or for one of its regions.

A controller has one set of them for everybody; JIMM, which stands for many controllers, keeps
each user's own, and gives them to the controller with each model that the user creates.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from jimm import audit
from jimm.controllers.calls import model_manager as calls
from jimm.errors import JimmError, NotFound, NotValid
from jimm.fleet import clouds as cloud_cases
from jimm.fleet import placing
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import NO_REGION
from jimm.fleet.fleet import Fleet
from jimm.registry import clouds, defaults
from jimm.registry.clouds import Cloud
from jimm.wire.params.model_manager import ModelDefault

ASK_WITHIN: Final = 2.0
"""Seconds that a controller gets to say what Juju's own defaults are."""

_NEVER: Final = ("agent-version", "name", "uuid", "type")
"""What each model has of its own."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting's defaults; ``None`` is none. ``builtin`` is what a controller of that cloud
    has without the user's doing."""

    builtin: object = None
    cloud: object = None
    regions: Mapping[str, object] = field(default_factory=dict)


async def of_cloud(fleet: Fleet, caller: Caller, name: str) -> dict[str, Setting]:
    """The caller's defaults on a cloud by setting, and the controllers' beneath them.

    Raises:
        NotFound: no such cloud, or none that the caller may use.
    """
    cloud = await cloud_cases.show(fleet, caller, name)
    async with fleet.registry.read() as session:
        kept = await defaults.of(session, caller.identity, cloud.name)
    builtin = await _builtin(fleet, caller, cloud)
    of_regions: dict[str, dict[str, object]] = defaultdict(dict)
    for each in kept:
        for key, value in each.settings.items():
            of_regions[key][each.region] = value
    found = {}
    for key in sorted({*builtin, *of_regions}):
        places = of_regions.get(key, {})
        regions = {region: value for region, value in places.items() if region}
        found[key] = Setting(builtin.get(key), places.get(""), regions)
    return found


async def put(
    fleet: Fleet, caller: Caller, cloud: str, region: str, settings: Mapping[str, object]
) -> None:
    """Sets some of the caller's defaults; an empty ``region`` is the whole cloud, an empty
    ``cloud`` the only one that the caller may use.

    Raises:
        NotFound: no such cloud, or region of it.
        BadRequest: no cloud was named and there are several.
        NotValid: one of the settings has no default.
    """
    for key in settings:
        if key in _NEVER:
            raise NotValid(f"{key} cannot have a default value", field=key)
    place = await _place(fleet, caller, cloud, region)
    async with fleet.registry.write() as session:
        await defaults.put(session, caller.identity, place.name, region, settings)
        await audit.record(
            session, _action(caller, "set-model-defaults", place.name, region, settings)
        )


async def unset(
    fleet: Fleet, caller: Caller, cloud: str, region: str, keys: Collection[str]
) -> None:
    """Takes some of the caller's defaults away; those that were not set are no error.

    Raises:
        NotFound, BadRequest: as :func:`put`.
    """
    place = await _place(fleet, caller, cloud, region)
    async with fleet.registry.write() as session:
        await defaults.unset(session, caller.identity, place.name, region, keys)
        await audit.record(
            session, _action(caller, "unset-model-defaults", place.name, region, keys)
        )


async def merged(
    fleet: Fleet, caller: Caller, cloud: str, region: str, config: Mapping[str, object]
) -> dict[str, object]:
    """What a new model of the caller's gets: what was asked for, then what the caller set for
    the region, then for the cloud."""
    async with fleet.registry.read() as session:
        kept = await defaults.of(session, caller.identity, cloud)
    by_region = {each.region: each.settings for each in kept}
    return {**by_region.get("", {}), **by_region.get(region or NO_REGION, {}), **config}


async def _place(fleet: Fleet, caller: Caller, name: str, region: str) -> Cloud:
    cloud = await placing.choose_cloud(fleet, caller, name)
    known = [each.name for each in cloud.regions] or [NO_REGION]
    if region and region not in known:
        raise NotFound(f'region "{region}" of cloud "{cloud.name}" not found')
    return cloud


async def _builtin(fleet: Fleet, caller: Caller, cloud: Cloud) -> dict[str, object]:
    """What the first controller that is there has; none, where none of them is."""
    async with fleet.registry.read() as session:
        rows = await clouds.candidates(session, caller.identity, cloud=cloud.name)
    for uuid in dict.fromkeys(row.uuid for row in rows if row.cloud is not None):
        try:
            link = fleet.pool.link(uuid)
            told = await calls.model_defaults(link, cloud.name, deadline=ASK_WITHIN)
        except JimmError:
            continue
        return {key: _in_force(each) for key, each in told.items()}
    return {}


def _in_force(setting: ModelDefault) -> object:
    return setting.default if setting.controller is None else setting.controller


def _action(
    caller: Caller, action: str, cloud: str, region: str, keys: Collection[str]
) -> audit.Action:
    """The settings' names alone: a value may be a secret, such as a proxy's password."""
    params = {"cloud": cloud, "region": region, "keys": sorted(keys)}
    return caller.did(action, params=params)
