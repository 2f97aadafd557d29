"""The clouds that somebody may use."""

from jimm.errors import NotFound
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.registry import clouds
from jimm.registry.clouds import Cloud


async def visible(fleet: Fleet, caller: Caller) -> list[Cloud]:
    """The clouds on which the caller may add models, by name."""
    async with fleet.registry.read() as session:
        return await clouds.visible(session, caller.identity, admin=caller.admin)


async def show(fleet: Fleet, caller: Caller, name: str) -> Cloud:
    """One of them.

    Raises:
        NotFound: no such cloud, or none that the caller may use; in Juju's words.
    """
    for cloud in await visible(fleet, caller):
        if cloud.name == name:
            return cloud
    raise NotFound(f'cloud "{name}" not found')


async def providers(fleet: Fleet) -> dict[str, str]:
    """The provider type of every cloud, by the cloud's name."""
    async with fleet.registry.read() as session:
        return {cloud.name: cloud.type for cloud in await clouds.every(session)}
