"""A controller as the target of a model."""

import asyncio
from dataclasses import dataclass, replace

from jimm.controllers.calls import controller as controller_calls
from jimm.controllers.calls import secret_backends as backend_calls
from jimm.controllers.calls import user_manager
from jimm.controllers.link import Link
from jimm.errors import JimmError
from jimm.fleet.fleet import Fleet
from jimm.migration import outside, views
from jimm.migration.facts import credentials, own
from jimm.migration.facts.asking import WITHIN, Asking
from jimm.migration.facts.gathered import SourceFacts, TargetFacts
from jimm.migration.prechecks import ControllerFacts
from jimm.migration.prechecks import users as user_checks
from jimm.migration.prechecks.values import CredentialThere
from jimm.migration.reasons import redact_reason
from jimm.migration.verdict import Present, is_exporting
from jimm.registry.controllers import Controller
from jimm.wire.tags import ModelUUID


@dataclass(frozen=True, slots=True)
class Reached:
    """A controller that was asked for its models; ``facts.has`` is ``None`` where it did not
    answer."""

    controller: Controller
    facts: ControllerFacts


async def reach(fleet: Fleet, controller: Controller) -> Reached:
    """Asks a controller which models it has, whatever is to come to it."""
    registered = await own.registered(fleet, controller)
    try:
        link = fleet.link(controller)
        rows = await controller_calls.all_models(link, deadline=WITHIN)
    except JimmError as error:
        why = redact_reason(str(error))
        return Reached(controller, replace(registered, healthy=False, status_info=why))
    has = frozenset(
        (row.model.uuid, row.model.owner_tag.removeprefix("user-"), row.model.name) for row in rows
    )
    facts = replace(
        registered,
        healthy=True,
        agent_version=link.login_result.server_version or registered.agent_version,
        has=has,
        takes=_takes(link),
    )
    return Reached(controller, facts)


async def complete(
    fleet: Fleet, told: SourceFacts, source: Controller, reached: Reached
) -> TargetFacts:
    """What it says to this model, asked at once; any of it may go without an answer."""
    facts, controller = reached.facts, reached.controller
    if controller.is_outside:
        told = replace(told, model=outside.unaided(told.model))
    if facts.has is None or controller.id == source.id:
        return TargetFacts(facts)
    found = await _with_leftover(fleet, told, controller, facts)
    if not isinstance(told.view, Present) or told.model.migrating:
        return found
    asking = Asking(controller.name)
    try:
        link = fleet.link(controller)
    except JimmError as error:
        why = redact_reason(str(error))
        return TargetFacts(replace(facts, healthy=False, status_info=why))
    async with asyncio.TaskGroup() as group:
        itself = group.create_task(own.ask(fleet, controller, told, asking))
        people = group.create_task(_users(link, told, asking))
        credential = group.create_task(_credential(fleet, told, source, controller, asking))
        backends = group.create_task(_backends(link, told, asking))
    there = own.onto(found.controller, controller, itself.result(), told.model.cloud)
    there = replace(
        there,
        users=people.result(),
        credential=credential.result(),
        backends=backends.result(),
        upgrading=asking.upgrading,
        unasked=asking.unasked,
    )
    return replace(found, controller=there)


async def _with_leftover(
    fleet: Fleet, told: SourceFacts, controller: Controller, facts: ControllerFacts
) -> TargetFacts:
    """Leaves a half import out of what the target has, where nobody works on it any more."""
    if all(uuid != told.model.uuid for uuid, _, _ in facts.has or ()):
        return TargetFacts(facts)
    idle = isinstance(told.view, Present) and not is_exporting(told.view)
    there = await views.look(fleet, controller, ModelUUID(told.model.uuid))
    importing = isinstance(there, Present) and there.importing
    if not (idle and importing):
        return TargetFacts(facts)
    others = frozenset(each for each in facts.has or () if each[0] != told.model.uuid)
    return TargetFacts(replace(facts, has=others), leftover=True)


async def _users(link: Link, told: SourceFacts, asking: Asking) -> frozenset[str] | None:
    wanted = sorted(user_checks.local(told.model))
    return await asking.ask(
        "its users", lambda: user_manager.known_users(link, wanted, deadline=WITHIN)
    )


async def _credential(
    fleet: Fleet, told: SourceFacts, source: Controller, target: Controller, asking: Asking
) -> CredentialThere | bool | None:
    if told.credential is None:
        return None
    used = told.credential
    return await asking.ask(
        "its credentials",
        lambda: credentials.there(fleet, source, target, used),
        within=2 * WITHIN,
    )


async def _backends(link: Link, told: SourceFacts, asking: Asking) -> frozenset[str] | None:
    if not told.model.backends:
        return None
    rows = await asking.ask(
        "its secret backends", lambda: backend_calls.secret_backends(link, deadline=WITHIN)
    )
    return None if rows is None else frozenset(row.id for row in rows)


def _takes(link: Link) -> frozenset[int]:
    offered = (
        each.versions for each in link.login_result.facades if each.name == "MigrationTarget"
    )
    return frozenset(version for versions in offered for version in versions)
