"""Models: finding, listing, showing, sharing, destroying, forgetting. Creating is a file of
its own."""

import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import msgspec

from jimm import audit
from jimm.access import grants
from jimm.access.names import shown
from jimm.controllers.calls import model_manager as calls
from jimm.controllers.link import Link
from jimm.errors import (
    Conflict,
    ControllerError,
    ControllerUnavailable,
    JimmError,
    LostAnswer,
    MigrationUnderway,
    ModelNotFound,
    NotValid,
    RemoteError,
    Unauthorized,
)
from jimm.fleet import asking, levels
from jimm.fleet import facts as fleet_facts
from jimm.fleet.absence import Absence, of_controller
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.fleet.leasing import LEASE
from jimm.registry import (
    controllers,
    entries,
    facts,
    intents,
    migrations,
    models,
)
from jimm.registry.controllers import Controller
from jimm.registry.intents import Intent
from jimm.registry.models import Model, Visible
from jimm.registry.session import ReadSession
from jimm.registry.words import IntentKind, IntentState, ModelState
from jimm.wire import codes, tags
from jimm.wire.params.model_manager import DestroyModel, ModelStatus
from jimm.wire.tags import ModelUUID


async def find(fleet: Fleet, caller: Caller, model: str) -> Visible:
    """The model with that uuid.

    Raises:
        ModelNotFound: there is none, or none that the caller may know of.
    """
    async with fleet.registry.read() as session:
        entry = await entries.find(session, model, caller.identity)
    held = frozenset(each.relation for each in entry.held if each.object_key == model)
    seen = Visible(entry.model, held)
    if not levels.on_model(seen, caller):
        raise _unknown(model)
    return seen


async def administered(fleet: Fleet, caller: Caller, model: str) -> Visible:
    """As :func:`find`, for what only a model's administrator may do.

    Raises:
        ModelNotFound: there is none, or none that the caller may know of.
        Unauthorized: the caller does not administer it.
    """
    seen = await find(fleet, caller, model)
    if levels.on_model(seen, caller) != levels.ADMIN:
        raise Unauthorized
    return seen


async def refuse_migrating(fleet: Fleet, model: Model) -> None:
    """Nothing, unless the model is being moved, or is about to be.

    Raises:
        MigrationUnderway: it is.
    """
    async with fleet.registry.read() as session:
        await _refuse_moving(session, model)


async def host(fleet: Fleet, model: Model) -> Controller:
    """The controller that has a model.

    Raises:
        ControllerUnavailable: it is not registered any more.
    """
    if model.controller_id is None:
        raise ControllerUnavailable("the model's controller is not registered any more")
    async with fleet.registry.read() as session:
        return await controllers.by_id(session, model.controller_id)


def as_owner(
    fleet: Fleet, controller: Controller, model: Model
) -> AbstractAsyncContextManager[tuple[Link, str]]:
    """As :meth:`Fleet.as_user`, in the name of the model's owner, to do all with the model."""
    access = levels.administration_claims(controller.uuid, model.uuid)
    return fleet.as_user(controller, model.owner, access)


async def refer(fleet: Fleet, caller: Caller, reference: str) -> Visible:
    """The model that a uuid, ``model-<uuid>`` or ``owner/name`` means.

    ``owner`` is a full identity here.

    Raises:
        ModelNotFound: there is none, or none that the caller may know of.
    """
    bare = reference.removeprefix("model-")
    if tags.is_uuid(bare):
        return await find(fleet, caller, bare)
    owner, _, name = reference.partition("/")
    # One answer, whether there is none or none for this caller: it must not tell the uuid.
    named = f"{shown(owner, fleet.local_domain)}/{name}" if name else reference
    unknown = ModelNotFound(f'model "{named}" not found')
    try:
        async with fleet.registry.read() as session:
            model = await models.by_owner(session, owner, name)
        if model.uuid:
            return await find(fleet, caller, model.uuid)
    except ModelNotFound as error:
        raise unknown from error
    raise unknown


async def status(
    fleet: Fleet, caller: Caller, wanted: Sequence[ModelUUID]
) -> list[tuple[Visible, ModelStatus] | JimmError]:
    """Life and counts, from the controllers: an outcome for each model, in order.

    The errors are :class:`ModelNotFound`, as in :func:`find`, or what a controller, or its
    absence, gave (``not found`` once the model is gone).
    """
    found = await _known(fleet, caller, wanted)
    models_ = [seen.model for seen in found.values()]
    told = await asking.about(fleet, models_, calls.model_statuses)
    await _record_gone(fleet, [each for each in models_ if _is_gone(told[each.uuid])])

    def outcome(uuid: ModelUUID) -> tuple[Visible, ModelStatus] | JimmError:
        if uuid not in found:
            return _unknown(uuid)
        said = told[uuid]
        return said if isinstance(said, JimmError) else (found[uuid], said)

    return [outcome(uuid) for uuid in wanted]


def _is_gone(told: object) -> bool:
    return isinstance(told, RemoteError) and told.juju_code in (
        codes.NOT_FOUND,
        codes.MODEL_NOT_FOUND,
    )


async def _record_gone(fleet: Fleet, gone: list[Model]) -> None:
    """Clients wait for a destroyed model by asking for its status: what they are told here
    holds from then on, in listings and for its credential."""
    going = [each for each in gone if each.state is ModelState.DESTROYING]
    if not going:
        return
    async with fleet.registry.write() as session:
        for model in going:
            await facts.record(session, model.controller_id or 0, [fleet_facts.gone(model)])


async def away(fleet: Fleet) -> dict[str, Absence]:
    """The controllers that are not there, by name."""
    async with fleet.registry.read() as session:
        return {
            each.name: of_controller(each.name, each.status_since)
            for each in await controllers.every(session)
            if not each.available
        }


async def modify_access(
    fleet: Fleet, caller: Caller, model: str, *, identity: str, action: str, access: str
) -> None:
    """Grants or revokes a level, for a model's administrator.

    Raises:
        ModelNotFound, Unauthorized, NotValid, AlreadyExists: as Juju's ``ModifyModelAccess``.
    """
    if action not in ("grant", "revoke"):
        raise NotValid(f'unknown action "{action}"', field="action")
    seen = await find(fleet, caller, model)
    change = grants.grant if action == "grant" else grants.revoke
    async with fleet.registry.write() as session:
        await change(
            session,
            caller.identity,
            seen.model.uuid,
            identity,
            access,
            local_domain=fleet.local_domain,
        )
        await audit.record(
            session,
            caller.did(
                f"{action}-model",
                model=seen.model.uuid,
                params={"user": identity, "access": access},
            ),
        )


async def destroy(fleet: Fleet, caller: Caller, request: DestroyModel) -> None:
    """Begins to destroy a model. Once this returns it will be gone, crash or no crash.

    Asked again, the controller is told again: by force this time, perhaps.

    Raises:
        ModelNotFound, Unauthorized: as Juju.
        MigrationUnderway: the model is being moved.
        ControllerError: its controller is away or refuses; nothing is destroyed.
    """
    seen = await administered(fleet, caller, tags.parse_model_tag(request.model_tag))
    model = seen.model
    if model.controller_id is None:
        raise Conflict("the model's controller is not registered any more: jimmctl forget-model")
    intent = await _intend_destroy(fleet, caller, model, request)
    if intent is None:
        await _destroy_again(fleet, model, request)
        return
    try:
        await send_destroy(fleet, model, request)
    except LostAnswer:
        await _hand_over(fleet, intent)
    except ControllerError as error:
        if isinstance(error, RemoteError) and error.juju_code in codes.GONE:
            await _hand_over(fleet, intent)
            return
        async with fleet.registry.write() as session:
            if await intents.settle(session, intent.held, IntentState.ABANDONED, str(error)):
                await models.set_live(session, model.uuid)
        raise
    else:
        await _hand_over(fleet, intent)


async def send_destroy(fleet: Fleet, model: Model, request: DestroyModel) -> None:
    """Tells the controller, in the owner's name.

    Raises:
        ControllerError: as :meth:`jimm.controllers.link.Link.call`.
    """
    controller = await host(fleet, model)
    async with as_owner(fleet, controller, model) as (link, _):
        await calls.destroy_model(link, request)


async def forget(fleet: Fleet, caller: Caller, model: str) -> None:
    """Takes a model that is missing, or unmanaged, out of the registry, on an administrator's
    word. Its controller is not told.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        ModelNotFound: there is none.
        Conflict: the model is where it should be, or is being moved.
    """
    require_administrator(caller)
    seen = await find(fleet, caller, model)
    if seen.model.state not in (ModelState.MISSING, ModelState.UNMANAGED):
        raise Conflict(
            f"the model is {seen.model.state.value} on {seen.model.controller_name}: destroy it, "
            "or remove its controller"
        )
    async with fleet.registry.write() as session:
        await models.locked(session, seen.model.uuid)
        await _refuse_moving(session, seen.model)
        await models.remove(session, seen.model.id)
        await audit.record(
            session,
            caller.did("forget-model", model=seen.model.uuid),
        )


async def _known(
    fleet: Fleet, caller: Caller, wanted: Sequence[ModelUUID]
) -> dict[ModelUUID, Visible]:
    async with fleet.registry.read() as session:
        found = await models.visible(session, caller.identity, admin=True, uuids=set(wanted))
    return {seen.model.uuid: seen for seen in found if levels.on_model(seen, caller)}


def _unknown(model: str) -> ModelNotFound:
    return ModelNotFound(f'model "{model}" not found')


async def _intend_destroy(
    fleet: Fleet, caller: Caller, model: Model, request: DestroyModel
) -> Intent | None:
    """The intent, held; ``None`` where somebody sees to it already."""
    intent = None
    async with fleet.registry.write() as session:
        await models.locked(session, model.uuid)  # a migration is not asked for meanwhile
        await _refuse_moving(session, model)
        if await models.set_destroying(session, model.uuid):
            intent = await intents.open_(
                session,
                str(uuid.uuid4()),
                IntentKind.DESTROY,
                model.id,
                msgspec.to_builtins(request),
                owner=fleet.worker,
                lease=LEASE,
                controller_id=model.controller_id,
            )
        await audit.record(
            session,
            caller.did(
                "destroy-model",
                model=model.uuid,
                controller=model.controller_name or "",
            ),
        )
    return intent


async def _refuse_moving(session: ReadSession, model: Model) -> None:
    """Moved by JIMM, or by somebody else, as far as its controller has said."""
    seems_busy = model.state is ModelState.LIVE and fleet_facts.seems_busy(model)
    if seems_busy or await migrations.active(session, [model.uuid]):
        raise MigrationUnderway


async def _destroy_again(fleet: Fleet, model: Model, request: DestroyModel) -> None:
    try:
        await send_destroy(fleet, model, request)
    except LostAnswer:
        return
    except RemoteError as error:
        if error.juju_code not in codes.GONE:
            raise


async def _hand_over(fleet: Fleet, intent: Intent) -> None:
    """Leaves it to the reconciler to see the model go."""
    async with fleet.registry.write() as session:
        await intents.put_off(session, intent.held, 0.0)
