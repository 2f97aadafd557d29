"""Models: finding, listing, showing, sharing, destroying, forgetting. Creating is a file of
its own."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from jimm import audit
from jimm.access import grants
from jimm.access.names import shown
from jimm.controllers.calls import model_manager as calls
from jimm.errors import (
    Conflict,
    ControllerError,
    ControllerUnavailable,
    LostAnswer,
    MigrationUnderway,
    ModelNotFound,
    NotValid,
    RemoteError,
    Unauthorized,
)
from jimm.fleet import levels
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet, endpoint
from jimm.fleet.leasing import LEASE
from jimm.registry import controllers, intents, migrations, models, relations
from jimm.registry.intents import Intent
from jimm.registry.models import Model, Visible
from jimm.registry.relations import Held, Object
from jimm.registry.words import IntentKind, IntentState, ModelState
from jimm.wire import codes, tags
from jimm.wire.params.model_manager import DestroyModel, ModelStatus


@dataclass(frozen=True, slots=True)
class Shown:
    """A model as it is shown: ``info`` is the controller's own answer, ``None`` while it is
    away, then ``why`` says so. ``held`` are all relations to the model."""

    seen: Visible
    level: str
    info: Mapping[str, object] | None
    why: str
    held: tuple[Held, ...]


async def visible(
    fleet: Fleet,
    caller: Caller,
    *,
    everybody: bool = True,
    after: tuple[str, str] = ("", ""),
    limit: int | None = None,
    controller: str = "",
) -> list[Visible]:
    """The models that the caller may see, by owner and name; all of them for an administrator
    unless ``everybody`` is false."""
    async with fleet.registry.read() as session:
        return await models.visible(
            session,
            caller.identity,
            admin=caller.admin and everybody,
            after=after,
            limit=limit,
            controller=controller,
        )


async def find(fleet: Fleet, caller: Caller, model: str) -> Visible:
    """The model with that uuid.

    Raises:
        ModelNotFound: there is none, or none that the caller may know of.
    """
    async with fleet.registry.read() as session:
        entry = await models.entry(session, model, caller.identity)
    held = frozenset(each.relation for each in entry.held if each.object_key == model)
    seen = Visible(entry.model, held)
    if not levels.on_model(seen, caller):
        raise ModelNotFound(f'model "{model}" not found')
    return seen


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


async def show(fleet: Fleet, caller: Caller, model: str) -> Shown:
    """A model with what its controller says of it now.

    Raises:
        ModelNotFound: there is none that the caller may know of, or its controller says so.
        RemoteError: its controller refuses to say.
    """
    seen = await find(fleet, caller, model)
    async with fleet.registry.read() as session:
        held = await relations.about(session, [Object.model(model)])
    level = levels.on_model(seen, caller)
    try:
        info = await _info(fleet, seen.model)
    except RemoteError as error:
        if error.juju_code in (codes.NOT_FOUND, codes.MODEL_NOT_FOUND):
            raise ModelNotFound(f'model "{model}" not found') from error
        return Shown(seen, level, None, str(error), tuple(held))
    except ControllerError as error:
        return Shown(seen, level, None, str(error), tuple(held))
    return Shown(seen, level, info, "", tuple(held))


async def _info(fleet: Fleet, model: Model) -> Mapping[str, object]:
    if model.controller_uuid is None:
        raise ControllerUnavailable("the model's controller is not registered any more")
    return await calls.model_info_plain(fleet.pool.link(model.controller_uuid), model.uuid)


async def status(fleet: Fleet, caller: Caller, model: str) -> tuple[Visible, ModelStatus]:
    """Life and counts, from the controller.

    Raises:
        ModelNotFound: as :func:`find`.
        ControllerError: its controller is away, or refuses (``not found`` once it is gone).
    """
    seen = await find(fleet, caller, model)
    if seen.model.controller_uuid is None:
        raise ControllerUnavailable("the model's controller is not registered any more")
    link = fleet.pool.link(seen.model.controller_uuid)
    return seen, await calls.model_status(link, seen.model.uuid)


async def away(fleet: Fleet) -> dict[str, str]:
    """Why each controller that is not there is not, by its name."""
    async with fleet.registry.read() as session:
        return {
            each.name: f"controller {each.name} has been away since "
            f"{each.status_since.isoformat(timespec='seconds')}"
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
            audit.Action(
                caller.identity,
                caller.door,
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
    seen = await _administered(fleet, caller, tags.parse_model_tag(request.model_tag))
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
    if model.controller_id is None:
        raise ControllerUnavailable("the model's controller is not registered any more")
    async with fleet.registry.read() as session:
        controller = await controllers.by_id(session, model.controller_id)
    access = levels.administration_claims(controller.uuid, model.uuid)
    own = fleet.link(controller)
    login, _ = await fleet.trust.user_login(controller, model.owner, access, own)
    async with fleet.pool.as_user(endpoint(controller), login) as link:
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
        await _refuse_migrating(fleet, model)
        await models.remove(session, seen.model.id)
        await audit.record(
            session,
            audit.Action(caller.identity, caller.door, "forget-model", model=seen.model.uuid),
        )


async def _administered(fleet: Fleet, caller: Caller, model: str) -> Visible:
    seen = await find(fleet, caller, model)
    if levels.on_model(seen, caller) != levels.ADMIN:
        raise Unauthorized
    return seen


async def _refuse_migrating(fleet: Fleet, model: str) -> None:
    async with fleet.registry.read() as session:
        if await migrations.active(session, [model]):
            raise MigrationUnderway


async def _intend_destroy(
    fleet: Fleet, caller: Caller, model: Model, request: DestroyModel
) -> Intent | None:
    """The intent, held; ``None`` where somebody sees to it already."""
    await _refuse_migrating(fleet, model.uuid)
    intent = None
    async with fleet.registry.write() as session:
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
            audit.Action(
                caller.identity,
                caller.door,
                "destroy-model",
                model=model.uuid,
                controller=model.controller_name or "",
            ),
        )
    return intent


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
