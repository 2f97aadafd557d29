"""Creating a model: one row of intent, controllers in order, no model lost, none leaked.

What is to be done is written down before anything is sent; an answer that is lost is looked
for, by owner and name, before another controller is tried. What cannot be settled here is left
to the reconciler, with all that it needs in the intent.
"""

import asyncio
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from jimm import audit
from jimm.controllers import deadlines
from jimm.controllers.calls import model_manager as calls
from jimm.controllers.link import Link
from jimm.errors import (
    ControllerError,
    ControllerUnavailable,
    LostAnswer,
    NotValid,
    RemoteError,
    Unauthorized,
    WrongController,
)
from jimm.fleet import defaults, facts, leasing, levels, placing, ssh_keys
from jimm.fleet.caller import Caller
from jimm.fleet.credentials import push_if_older
from jimm.fleet.fleet import Fleet, endpoint
from jimm.fleet.placing import Wanted
from jimm.placement import Decision, Ranked
from jimm.registry import controllers, identities, intents, models, placements, relations
from jimm.registry import facts as registered_facts
from jimm.registry.clouds import Cloud
from jimm.registry.controllers import Controller
from jimm.registry.credentials import Credential
from jimm.registry.intents import Intent
from jimm.registry.models import Model
from jimm.registry.relations import Object
from jimm.registry.session import WriteSession
from jimm.registry.words import IntentKind, IntentState, Relation
from jimm.wire import codes, tags
from jimm.wire.params.model_manager import CreateModel
from jimm.wire.tags import CredentialId, ModelUUID

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 0.5
"""Seconds between looks for a model whose answer was lost."""

GIVE_UP_ON_AWAY: Final = 3.0
"""Seconds that a controller may be away after a lost answer before the next one is tried."""

REQUEST_AT_FAULT: Final = frozenset({codes.NOT_VALID, codes.BAD_REQUEST, codes.NOT_SUPPORTED})
"""Codes of a controller with which no other controller would answer differently."""


@dataclass(frozen=True, slots=True)
class NewModel:
    """A model to create. ``owner`` is a full identity; empty texts leave the choice to JIMM.
    The caller's defaults are added to ``config``."""

    name: str
    owner: str
    wanted: Wanted
    credential: CredentialId | None
    config: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Created:
    """A model that is there, and the controller's own answer."""

    model: Model
    info: Mapping[str, object]


@dataclass(slots=True)
class _Work:
    """One creation under way; ``intent`` is the one of the controller being tried."""

    new: NewModel
    cloud: Cloud
    credential: Credential | None
    decision: Decision
    model_id: int
    placement_id: int
    intent: Intent
    attempts: list[dict[str, object]] = field(default_factory=list)


class _Next(Exception):
    """This controller won't have it, for a reason of its own."""


async def create(fleet: Fleet, caller: Caller, new: NewModel) -> Created:
    """Creates a model on a suitable controller. A caller that goes away does not stop it.

    Raises:
        NotValid, BadRequest, NotFound: what was asked can't be.
        Unauthorized: for somebody else, by nobody who administers JIMM.
        AlreadyExists: the owner has a model of that name, or one is being made.
        ControllerUnavailable: no suitable controller is there.
        LostAnswer: sent, and it is not known yet what came of it; JIMM keeps looking.
        RemoteError: the controller's own refusal of the request.
    """
    if not tags.is_model_name(new.name):
        raise NotValid(
            f'"{new.name}" is not a valid name: model names may only contain lowercase letters, '
            "digits and hyphens",
            field="name",
        )
    if new.owner != caller.identity and not caller.admin:
        raise Unauthorized
    cloud = await placing.choose_cloud(fleet, caller, new.wanted.cloud)
    credential = await placing.choose_credential(fleet, new.owner, cloud, new.credential)
    wanted = Wanted(cloud.name, new.wanted.region, new.wanted.controller)
    decision = await placing.decide_now(fleet, caller, wanted)
    if not decision.ranked:
        raise placing.refusal(caller, cloud, decision)
    work = await _intend(fleet, caller, new, cloud, credential, decision)
    task = fleet.tasks.spawn(_carry_out(fleet, caller, work), name=f"create {new.name}")
    return await asyncio.shield(task)


async def _intend(
    fleet: Fleet,
    caller: Caller,
    new: NewModel,
    cloud: Cloud,
    credential: Credential | None,
    decision: Decision,
) -> _Work:
    async with fleet.registry.write() as session:
        owner = await identities.ensure(session, new.owner)
        model_id = await models.add(
            session,
            models.NewModel(
                name=new.name,
                owner_id=owner.id,
                cloud=cloud.name,
                region=decision.ranked[0].region,
                credential_id=None if credential is None else credential.id,
            ),
        )
        placement_id = await placements.add(
            session,
            placements.NewPlacement(
                model_id=model_id,
                owner=new.owner,
                name=new.name,
                cloud=cloud.name,
                region=new.wanted.region,
                policy=decision.policy,
                candidates=placing.as_record(decision),
                requested_by=caller.identity,
            ),
        )
        intent = await _open_intent(fleet, session, model_id, new)
    return _Work(new, cloud, credential, decision, model_id, placement_id, intent)


async def _open_intent(fleet: Fleet, session: WriteSession, model_id: int, new: NewModel) -> Intent:
    return await intents.open_(
        session,
        str(uuid.uuid4()),
        IntentKind.CREATE,
        model_id,
        {"owner": new.owner, "name": new.name},
        owner=fleet.worker,
        lease=leasing.LEASE,
    )


async def _carry_out(fleet: Fleet, caller: Caller, work: _Work) -> Created:
    try:
        for ranked in work.decision.ranked:
            try:
                return await _try(fleet, caller, work, ranked)
            except _Next as reason:
                work.attempts.append({"controller": ranked.candidate.name, "outcome": str(reason)})
        tried = "; ".join(f"{each['controller']}: {each['outcome']}" for each in work.attempts)
        raise ControllerUnavailable(f"no controller could take the model ({tried})")
    except LostAnswer:
        raise
    except Exception as error:
        await _give_up(fleet, caller, work, error)
        raise


async def _try(fleet: Fleet, caller: Caller, work: _Work, ranked: Ranked) -> Created:
    async with fleet.registry.read() as session:
        controller = await controllers.by_name(session, ranked.candidate.name)
    async with leasing.kept(fleet.registry, intents.renew, work.intent.held):
        try:
            info = await _send(fleet, caller, work, controller, ranked.region)
        except LostAnswer as lost:
            info = await _look_for(fleet, work, controller, lost)
        except RemoteError as error:
            await _unsent(fleet, work)
            if error.juju_code in REQUEST_AT_FAULT:
                raise
            raise _Next(str(error)) from error
        except (ControllerUnavailable, WrongController) as error:
            await _unsent(fleet, work)
            raise _Next(str(error)) from error
        work.attempts.append({"controller": controller.name, "outcome": "created"})
        try:
            return await _complete(fleet, caller, work, controller, info)
        except Exception as error:
            # The model is there: whatever failed now must not forget it.
            raise LostAnswer(
                f"the model was created on {controller.name} and could not be written down yet"
            ) from error


async def _send(
    fleet: Fleet, caller: Caller, work: _Work, controller: Controller, region: str
) -> Mapping[str, object]:
    """One CreateModel, in the owner's name, after making sure that the name is free there."""
    own = fleet.link(controller)
    access = levels.creation_claims(controller.uuid, work.cloud.name)
    login, user = await fleet.trust.user_login(controller, work.new.owner, access, own)
    if await find_there(own, user, work.new.name) is not None:
        raise _Next(f"{controller.name} has a model {work.new.name} of this owner already")
    async with fleet.pool.as_user(endpoint(controller), login) as link:
        if work.credential is not None:
            await push_if_older(fleet, controller, work.credential, link, user)
        merged = await defaults.merged(fleet, caller, work.cloud.name, region, work.new.config)
        config, keys = ssh_keys.apart(merged, controller)
        request = CreateModel(
            name=work.new.name,
            owner_tag=tags.user_tag(user),
            config=config,
            cloud_tag=tags.cloud_tag(work.cloud.name),
            region=region,
            credential=_credential_tag(work.credential, user),
        )
        async with fleet.registry.write() as session:
            ours = await intents.aim(
                session,
                work.intent.held,
                controller.id,
                absent_before=True,
                deadline=deadlines.CREATE_MODEL,
                request={"owner": work.new.owner, "name": work.new.name, "user": user},
            )
        if not ours:
            raise LostAnswer("another worker took the creation over; look again in a moment")
        info = await calls.create_model_plain(link, request)
    await ssh_keys.tell(fleet, controller, work.new.owner, ModelUUID(str(info.get("uuid"))), keys)
    return info


def _credential_tag(credential: Credential | None, user: str) -> str:
    if credential is None:
        return ""
    return tags.credential_tag(credential.key._replace(owner=user))


async def find_there(link: Link, user: str, name: str) -> ModelUUID | None:
    """The model of that owner and name on a controller, if there is one.

    Raises:
        ControllerError: it can't be asked.
    """
    for each in await calls.list_models(link, user):
        if each.model.name == name and each.model.owner_tag == tags.user_tag(user):
            return ModelUUID(each.model.uuid)
    return None


async def _look_for(
    fleet: Fleet, work: _Work, controller: Controller, lost: LostAnswer
) -> Mapping[str, object]:
    """Asks for the model whose answer was lost, until the call's own deadline has passed.

    A controller that stays away is left: its intent goes on without the model, so that a late
    arrival is found and removed, and the next controller is tried.
    """
    end = asyncio.get_running_loop().time() + deadlines.CREATE_MODEL
    away_since: float | None = None
    user = await _user_there(fleet, work.intent)
    while (now := asyncio.get_running_loop().time()) < end:
        try:
            link = fleet.link(controller)
            found = await find_there(link, user, work.new.name)
            if found is not None:
                return await calls.model_info_plain(link, found)
            away_since = None
        except ControllerError:
            away_since = now if away_since is None else away_since
            if now - away_since > GIVE_UP_ON_AWAY:
                break
        await asyncio.sleep(LOOK_EVERY)
    async with fleet.registry.write() as session:
        if not await intents.detach(session, work.intent.held, LOOK_EVERY):
            raise lost
        work.intent = await _open_intent(fleet, session, work.model_id, work.new)
    raise _Next(f"no answer: {lost}") from lost


async def _user_there(fleet: Fleet, intent: Intent) -> str:
    async with fleet.registry.read() as session:
        request = (await intents.by_id(session, intent.id)).request
    return str(request.get("user") or request["owner"])


async def _unsent(fleet: Fleet, work: _Work) -> None:
    async with fleet.registry.write() as session:
        await intents.unsent(session, work.intent.held)


async def _complete(
    fleet: Fleet,
    caller: Caller,
    work: _Work,
    controller: Controller,
    info: Mapping[str, object],
) -> Created:
    async with fleet.registry.write() as session:
        if not await intents.settle(session, work.intent.held, IntentState.DONE, "created"):
            raise LostAnswer("another worker took the creation over; look again in a moment")
        model = await arrive(session, work.model_id, work.new.owner, controller, info)
        await placements.finish(
            session, work.placement_id, chosen=controller.name, attempts=work.attempts
        )
        await audit.record(
            session,
            caller.did(
                "create-model",
                model=model.uuid,
                controller=controller.name,
                params={"name": work.new.name, "owner": work.new.owner},
            ),
        )
    return Created(model, info)


async def arrive(
    session: WriteSession,
    model_id: int,
    owner: str,
    controller: Controller,
    info: Mapping[str, object],
) -> Model:
    """Writes down that a model is there, with its owner's rights and its first facts.

    Raises:
        ProtocolError: the controller's answer makes no sense.
        AlreadyExists: that uuid is known as another model.
    """
    seen = facts.read(info)
    region = info.get("cloud-region")
    await models.complete(
        session,
        model_id,
        uuid=seen.facts.uuid,
        controller_id=controller.id,
        region=region if isinstance(region, str) else "",
        kind=seen.facts.type or "iaas",
    )
    about = Object.model(seen.facts.uuid)
    await relations.add(session, owner, Relation.ADMINISTRATOR, about)
    await registered_facts.record(session, controller.id, [seen.facts])
    return await models.by_id(session, model_id)


async def _give_up(fleet: Fleet, caller: Caller, work: _Work, error: Exception) -> None:
    """Nothing was created: the name is free again. What was sent, and not refused, may have
    been carried out: that is left to the reconciler.

    Raises:
        LostAnswer: it is not known.
    """
    async with fleet.registry.write() as session:
        if (await intents.by_id(session, work.intent.id)).sent_at is not None:
            raise LostAnswer("it is not known yet whether the model was made") from error
        if not await intents.settle(
            session, work.intent.held, IntentState.ABANDONED, type(error).__name__
        ):
            return
        await placements.finish(session, work.placement_id, chosen=None, attempts=work.attempts)
        await models.remove(session, work.model_id)
        await audit.record(
            session,
            caller.did(
                "create-model",
                params={"name": work.new.name, "owner": work.new.owner},
                outcome="failed",
                error_code=getattr(error, "juju_code", ""),
            ),
        )
