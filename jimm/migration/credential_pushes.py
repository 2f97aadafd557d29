"""Giving a target the credential that JIMM keeps, for a model that is to come."""

from jimm.controllers.calls import cloud as cloud_calls
from jimm.errors import Conflict, NotFound
from jimm.fleet import credentials as fleet_credentials
from jimm.fleet.fleet import Fleet
from jimm.migration.facts import Held
from jimm.registry import credentials
from jimm.registry.controllers import Controller
from jimm.wire.params.cloud import CloudCredential


async def push(fleet: Fleet, target: Controller, held: Held) -> None:
    """Gives it the newest revision, in the owner's name. Nothing is forced on other models.

    Raises:
        NotFound: JIMM does not keep it.
        Conflict: models on the target would lose their cloud, or the target is outside.
        ControllerError: the target is away, or refuses it.
    """
    if target.is_outside:
        raise Conflict("outside the fleet it must be done by hand")
    async with fleet.registry.read() as session:
        kept = await credentials.find(session, held.id._replace(owner=held.identity))
    if kept is None:
        raise NotFound("JIMM does not keep it")
    attributes = fleet_credentials.attributes(fleet, kept)
    content = CloudCredential(auth_type=kept.auth_type, attrs=attributes)
    async with fleet_credentials.as_owner(fleet, target, kept.owner) as (link, user):
        result = await cloud_calls.update_credential(link, kept.key._replace(owner=user), content)
    losing = [each.name for each in result.models if each.errors]
    if losing:
        raise Conflict(f"models there would lose their cloud: {', '.join(sorted(losing))}")
    async with fleet.registry.write() as session:
        await credentials.mark_pushed(session, target.id, kept.id, kept.revision)
