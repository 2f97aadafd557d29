"""A model from within: its status, its settings, where its secrets and its offers are."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from jimm.controllers.calls import application_offers, client, model_config, secrets
from jimm.controllers.calls import secret_backends as backend_calls
from jimm.controllers.link import Link
from jimm.errors import JimmError
from jimm.fleet.fleet import Fleet
from jimm.migration.facts import links, readings
from jimm.migration.facts.asking import WITHIN, WITHIN_WHOLE, Asking
from jimm.migration.facts.gathered import SourceFacts
from jimm.migration.facts.readings import Inside
from jimm.migration.prechecks.status import Status
from jimm.registry.controllers import Controller
from jimm.wire.tags import ModelUUID, is_uuid

_INTERNAL = frozenset({"", "auto", "internal"})
"""Names of secret backends that every controller has."""


@dataclass(frozen=True, slots=True)
class Within:
    """What was told; fields as in :class:`~jimm.migration.prechecks.ModelFacts`."""

    status: Status | None = None
    backends: Mapping[str, str] = field(default_factory=dict)
    offered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    consumed: tuple[str, ...] = ()
    fan: str = ""


@dataclass(frozen=True, slots=True)
class _Answers:
    inside: Inside | None = None
    config: Mapping[str, str] = field(default_factory=dict)
    in_use: frozenset[str] = frozenset()


async def look(fleet: Fleet, controller: Controller, told: SourceFacts, asking: Asking) -> Within:
    """Looks into the model, over a link of its own, and asks the source what follows from it."""
    uuid = ModelUUID(told.model.uuid)
    found = await asking.ask(
        "the model's status",
        lambda: _into(fleet, controller, uuid, asking),
        within=2 * WITHIN_WHOLE,
    )
    answers = found or _Answers()
    status = None if answers.inside is None else answers.inside.status
    try:
        link = fleet.link(controller)
    except JimmError as error:
        asking.note("what the model uses of it", str(error))
        return Within(status=status, fan=_fan(answers.config))
    async with asyncio.TaskGroup() as group:
        offered = group.create_task(_offered(link, told, answers, asking))
        backends = group.create_task(_backends(link, answers, asking))
    inside = answers.inside
    return Within(
        status=status,
        backends=backends.result(),
        offered=offered.result(),
        consumed=() if inside is None else inside.consumed,
        fan=_fan(answers.config),
    )


async def _into(fleet: Fleet, controller: Controller, model: ModelUUID, asking: Asking) -> _Answers:
    async with links.into(fleet, controller, model) as link, asyncio.TaskGroup() as group:
        inside = group.create_task(
            asking.ask("the model's status", lambda: _status(link), within=WITHIN_WHOLE)
        )
        config = group.create_task(asking.ask("the model's settings", lambda: _config(link)))
        in_use = group.create_task(
            asking.ask("where the model's secrets are", lambda: secrets.backends_in_use(link))
        )
    return _Answers(inside.result(), config.result() or {}, in_use.result() or frozenset())


async def _status(link: Link) -> Inside:
    return readings.inside(await client.full_status(link, deadline=WITHIN_WHOLE))


async def _config(link: Link) -> Mapping[str, str]:
    config = await model_config.model_get(link, deadline=WITHIN)
    return {name: str(each.value or "") for name, each in config.items()}


async def _offered(
    link: Link, told: SourceFacts, answers: _Answers, asking: Asking
) -> Mapping[str, tuple[str, ...]]:
    """The uuids of the models that use an offer, by its name."""
    used = answers.inside.offered if answers.inside is not None else ()
    if not used:
        return {}
    owner, name = told.model.owner, told.model.name
    details = await asking.ask(
        "who uses the model's offers",
        lambda: application_offers.offers_of(link, owner, name, deadline=WITHIN),
    )
    users = {
        each.offer_name: tuple(
            one.source_model_tag.removeprefix("model-") for one in each.connections
        )
        for each in details or []
    }
    return {name: users.get(name, ()) for name in used}


async def _backends(link: Link, answers: _Answers, asking: Asking) -> Mapping[str, str]:
    """The ids and names of the backends outside the source that the model needs."""
    needed = (answers.in_use | {answers.config.get("secret-backend", "")}) - _INTERNAL
    if not needed:
        return {}
    rows = await asking.ask(
        "its secret backends", lambda: backend_calls.secret_backends(link, deadline=WITHIN)
    )
    # a controller's own, and a Kubernetes model's, have a uuid for an id and come with it
    return {
        row.id: row.result.name
        for row in rows or []
        if row.result.name in needed and not is_uuid(row.id)
    }


def _fan(config: Mapping[str, str]) -> str:
    if config.get("fan-config"):
        return f"fan-config={config['fan-config']}"
    if config.get("container-networking-method") == "fan":
        return "container-networking-method=fan"
    return ""
