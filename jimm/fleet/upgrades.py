"""Upgrading models to newer Juju agents, on the controller that has them."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from jimm import audit
from jimm.access import rules
from jimm.controllers.calls import model_upgrader as calls
from jimm.errors import BadRequest, Unauthorized
from jimm.fleet import levels, models
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.registry.controllers import Controller
from jimm.registry.models import Model
from jimm.registry.words import ObjectKind
from jimm.wire import tags
from jimm.wire.params.model_upgrader import UpgradeModel, UpgradeModelResult

NO_VERSION: Final = "0.0.0"
"""Juju's zero version: clients can't read an empty text."""

_VERSION: Final = re.compile(r"\d+\.\d+(?:\.\d+|-[a-z]+\d+)(?:\.\d+)?")


async def upgrade(fleet: Fleet, caller: Caller, request: UpgradeModel) -> UpgradeModelResult:
    """Begins an upgrade, or says with ``dry_run`` what it would be. What stands against it is
    the result's own ``error``, with a version that can be read all the same.

    Raises:
        BadRequest: the version is none.
        ModelNotFound, Unauthorized: the caller may not write to the model.
        MigrationUnderway: the model is being moved.
        ControllerError: its controller is away or refuses to look.
    """
    wanted = request.target_version or NO_VERSION
    if _VERSION.fullmatch(wanted) is None:
        raise BadRequest(f'"{wanted}" is not a version of Juju', field="target-version")
    model, controller = await _upgradable(fleet, caller, tags.parse_model_tag(request.model_tag))
    # The owner's name: nobody else has to be known on the controller for this.
    async with models.as_owner(fleet, controller, model) as (link, _):
        asked = msgspec.structs.replace(request, target_version=wanted)
        result = await calls.upgrade_model(link, asked)
    if not request.dry_run:
        chosen = {"version": result.chosen_version}
        outcome = "done" if result.error is None else "failed"
        await _note(fleet, caller, "upgrade-model", model, params=chosen, outcome=outcome)
    return msgspec.structs.replace(result, chosen_version=result.chosen_version or NO_VERSION)


async def abort(fleet: Fleet, caller: Caller, model_tag: str) -> None:
    """Ends an upgrade that is under way.

    Raises:
        ModelNotFound, Unauthorized, MigrationUnderway, ControllerError: as :func:`upgrade`.
    """
    model, controller = await _upgradable(fleet, caller, tags.parse_model_tag(model_tag))
    async with models.as_owner(fleet, controller, model) as (link, _):
        await calls.abort_model_upgrade(link, model.uuid)
    await _note(fleet, caller, "abort-model-upgrade", model, params={}, outcome="done")


async def _upgradable(fleet: Fleet, caller: Caller, uuid: str) -> tuple[Model, Controller]:
    """The model and its controller; whoever may write to a model may upgrade it, as in Juju."""
    seen = await models.find(fleet, caller, uuid)
    if not rules.covers(ObjectKind.MODEL, levels.on_model(seen, caller), "write"):
        raise Unauthorized
    await models.refuse_migrating(fleet, seen.model)
    return seen.model, await models.host(fleet, seen.model)


async def _note(
    fleet: Fleet,
    caller: Caller,
    action: str,
    model: Model,
    *,
    params: Mapping[str, object],
    outcome: str,
) -> None:
    async with fleet.registry.write() as session:
        await audit.record(
            session,
            caller.did(
                action,
                model=model.uuid,
                controller=model.controller_name or "",
                params=params,
                outcome=outcome,
            ),
        )
