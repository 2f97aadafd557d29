"""From what was asked to the controllers to try, and the credential to use there."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from jimm.access.names import shown
from jimm.errors import (
    BadRequest,
    ControllerUnavailable,
    JimmError,
    NotFound,
    NotValid,
    Unauthorized,
)
from jimm.fleet import clouds as cloud_cases
from jimm.fleet.caller import Caller
from jimm.fleet.credentials import EMPTY
from jimm.fleet.fleet import Fleet
from jimm.placement import POLICIES, Candidate, Decision, Request, decide
from jimm.placement.decision import Refused
from jimm.registry import clouds, credentials
from jimm.registry.clouds import Candidate as Row
from jimm.registry.clouds import Cloud
from jimm.registry.credentials import Credential
from jimm.registry.words import ControllerStatus
from jimm.wire.tags import CredentialId


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where a model is wanted; empty texts leave it to JIMM."""

    cloud: str = ""
    region: str = ""
    controller: str = ""


async def choose_cloud(fleet: Fleet, caller: Caller, wanted: str) -> Cloud:
    """The cloud named, or the only one that the caller may use.

    Raises:
        NotFound: no such cloud, or none that the caller may use.
        BadRequest: none was named and there are several.
    """
    if wanted:
        return await cloud_cases.show(fleet, caller, wanted)
    found = await cloud_cases.visible(fleet, caller)
    if not found:
        user = shown(caller.identity, fleet.local_domain)
        raise NotFound(
            "there is no cloud on which you may add models: an administrator of JIMM can let you "
            f"(juju grant-cloud {user} add-model <cloud>)"
        )
    if len(found) > 1:
        names = ", ".join(cloud.name for cloud in found)
        raise BadRequest(f"there are several clouds, name one of: {names}", field="cloud")
    return found[0]


async def choose_credential(
    fleet: Fleet, owner: str, cloud: Cloud, named: CredentialId | None
) -> Credential | None:
    """The credential named; else the only valid one of the owner; else none, where the cloud
    needs none.

    Raises:
        NotFound: the named one is not there.
        Unauthorized: it is not the owner's.
        NotValid: it is another cloud's.
        BadRequest: the owner must name one, or add one first.
    """
    if named is not None:
        if named.owner != owner:
            raise Unauthorized
        if named.cloud != cloud.name:
            raise NotValid(f'credential "{named}" is not for cloud "{cloud.name}"')
        async with fleet.registry.read() as session:
            return await credentials.get(session, named)
    async with fleet.registry.read() as session:
        mine = await credentials.of_owner(session, owner, cloud.name)
    valid = [each for each in mine if each.valid is not False]
    if len(valid) == 1:
        return valid[0]
    auth_types = cloud.definition.get("auth-types")
    if not valid and isinstance(auth_types, list) and EMPTY in auth_types:
        return None
    if not valid:
        raise BadRequest(
            f'no credential for cloud "{cloud.name}": add one first '
            f"(juju add-credential {cloud.name})",
            field="credential",
        )
    names = ", ".join(each.name for each in valid)
    raise BadRequest(
        f'there are several credentials for cloud "{cloud.name}", name one of them with '
        f"--credential: {names}",
        field="credential",
    )


async def decide_now(fleet: Fleet, caller: Caller, wanted: Wanted) -> Decision:
    """The order in which controllers would be tried, with all reasons."""
    async with fleet.registry.read() as session:
        rows = await clouds.candidates(
            session, caller.identity, cloud=wanted.cloud, region=wanted.region
        )
    name = fleet.settings.placement_policy
    return decide(
        Request(cloud=wanted.cloud, region=wanted.region, controller=wanted.controller),
        _candidates(rows),
        policy_name=name,
        policy=POLICIES[name],
        rng=fleet.rng,
    )


async def explain(fleet: Fleet, caller: Caller, wanted: Wanted) -> Decision:
    """As :func:`decide_now`, for somebody who asks beforehand; the cloud is chosen as it would be.

    Raises:
        NotFound, BadRequest: as :func:`choose_cloud`.
    """
    cloud = await choose_cloud(fleet, caller, wanted.cloud)
    return await decide_now(fleet, caller, Wanted(cloud.name, wanted.region, wanted.controller))


def refusal(caller: Caller, cloud: Cloud, decision: Decision) -> JimmError:
    """The error when nobody is eligible: it tells the reasons of every controller that the
    caller may know of, or who can help where the caller lacks nothing but the right."""
    known = [each for each in decision.refused if each.candidate.may_add]
    if decision.refused and not known:
        return Unauthorized(
            f'you may not add models on any controller that offers cloud "{cloud.name}": ask an '
            "administrator of JIMM for one (jimmctl grant-add-model CONTROLLER USER)"
        )
    reasons = "; ".join(f"{each.candidate.name}: {_told(caller, each)}" for each in known)
    text = f"no controller can take the model ({reasons or 'none is registered'})"
    if any(len(each.reasons) == 1 and not each.candidate.healthy for each in known):
        return ControllerUnavailable(text)
    return NotValid(text, field="cloud")


def _told(caller: Caller, refused: Refused) -> str:
    """A controller's reasons; why it is away may name its addresses, for administrators only."""
    why = f": {refused.candidate.status_info}"
    reasons = refused.reasons
    return ", ".join(reasons if caller.admin else (each.removesuffix(why) for each in reasons))


def as_record(decision: Decision) -> tuple[dict[str, object], ...]:
    """The decision as the registry keeps it."""
    ranked = [
        {
            "controller": each.candidate.name,
            "eligible": True,
            "rank": rank,
            "reasons": list(each.reasons),
        }
        for rank, each in enumerate(decision.ranked, start=1)
    ]
    refused = [
        {"controller": each.candidate.name, "eligible": False, "reasons": list(each.reasons)}
        for each in decision.refused
    ]
    return (*ranked, *refused)


def _candidates(rows: Sequence[Row]) -> list[Candidate]:
    """One candidate for each controller; the rows come by name, one for each region."""
    found = []
    for _, group in groupby(rows, key=lambda row: row.name):
        offers = list(group)
        first = offers[0]
        found.append(
            Candidate(
                name=first.name,
                regions=tuple(
                    (row.region, row.priority)
                    for row in offers
                    if row.region is not None and row.priority is not None
                ),
                healthy=first.status is ControllerStatus.AVAILABLE,
                status_info=first.status_info,
                deprecated=first.deprecated,
                # Where nothing is offered, nobody can tell what the caller might do with it.
                may_add=first.may_administer
                or (
                    first.may_add_controller
                    and any(row.may_add_cloud or row.region is None for row in offers)
                ),
                agent_version=first.agent_version,
                models=first.models,
            )
        )
    return found
