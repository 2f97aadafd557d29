"""A controller outside the fleet, as far as a model on its way there needs it."""

import asyncio
from dataclasses import replace
from typing import Final

from jimm import audit
from jimm.controllers import deadlines
from jimm.controllers.calls import cloud as cloud_calls
from jimm.errors import ControllerUnavailable, JimmError
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import NO_REGION
from jimm.fleet.fleet import Fleet
from jimm.migration.prechecks import ModelFacts
from jimm.registry import destinations
from jimm.registry.controllers import Controller
from jimm.registry.migrations import Migration
from jimm.wire.secret import Secret

CONNECT: Final = deadlines.DIAL + deadlines.LOGIN
"""Seconds that a link may take to come up after it was asked for."""

_LOOK: Final = 0.05


async def connected(fleet: Fleet, controller: Controller, within: float = CONNECT) -> None:
    """Waits until JIMM's own link to it is there; longer than ``within`` seconds nobody waits.

    Links to controllers outside are made when a migration begins, and anew after a restart; one
    that was just begun is no reason to call the controller away.
    """
    await fleet.connect_all()
    end = asyncio.get_running_loop().time() + within
    while asyncio.get_running_loop().time() < end:
        try:
            fleet.link(controller)
        except ControllerUnavailable:
            await asyncio.sleep(_LOOK)
        except JimmError:
            return
        else:
            return


async def reach(fleet: Fleet, controller: Controller) -> dict[str, frozenset[str]] | None:
    """Its clouds with their regions, asked of itself; ``None`` if it can't be asked."""
    try:
        told = await cloud_calls.clouds(fleet.link(controller))
    except JimmError:
        return None
    return {
        name: frozenset(each.name for each in cloud.regions) or frozenset({NO_REGION})
        for name, cloud in told.items()
    }


async def login(fleet: Fleet, migration: Migration) -> tuple[str, Secret]:
    """User and password that the source is given for it: those that the administrator gave.

    Raises:
        NotFound: the migration is over.
    """
    async with fleet.registry.read() as session:
        destination = await destinations.of_migration(session, migration.id)
    return destination.username, fleet.trust.destination_password(destination)


def unaided(model: ModelFacts) -> ModelFacts:
    """Outside JIMM keeps no users of its own and gives nobody's credential away: all that is
    needed has to be there already."""
    used = model.credential
    return replace(
        model,
        made=frozenset(),
        credential=None if used is None else replace(used, kept=False),
    )


def left(migration: Migration, target: Controller) -> audit.Action:
    """For the trail: the model is JIMM's no more, and where it went."""
    return Caller(migration.requested_by, admin=True, door="jimm").did(
        "leave-fleet",
        model=migration.model_uuid,
        controller=migration.source_name,
        params={"migration-id": migration.id, "destination": named(target)},
    )


def named(target: Controller) -> dict[str, object]:
    """Where it is, for the trail."""
    addresses = [*filter(None, [target.public_address]), *target.addresses]
    return {"name": target.name, "uuid": target.uuid, "addresses": addresses}
