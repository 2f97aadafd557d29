"""The doorkeeper over the registry: who it is, what they may, where the model lives."""

import asyncio
from collections.abc import Mapping
from typing import Final

from jimm.access import rules
from jimm.access.logins import Logins
from jimm.access.names import shown
from jimm.errors import (
    ControllerUnavailable,
    JimmError,
    ModelNotFound,
    Unauthorized,
)
from jimm.fleet.fleet import Fleet, endpoint
from jimm.migration import views
from jimm.migration.verdict import Absent
from jimm.proxy.doorkeeper import Admission
from jimm.proxy.porter import Shown
from jimm.registry import controllers, identities, migrations, models
from jimm.registry.controllers import Controller
from jimm.registry.models import Entry, Model
from jimm.registry.words import Trust
from jimm.wire import tags
from jimm.wire.login import Attempt
from jimm.wire.params.admin import HostPort, LoginRequest

ARRIVES_WITHIN: Final = 10.0
"""Seconds that a login waits for a model that has left one controller to be at the other."""

LOOK_EVERY: Final = 0.1


class Keeper:
    """Admits by the registry; one query for who may do what with a model, and where it is."""

    def __init__(self, fleet: Fleet, logins: Logins, servers: list[list[HostPort]]) -> None:
        self._fleet = fleet
        self._logins = logins
        self._shown = Shown(
            controller_uuid=fleet.uuid,
            servers=tuple(tuple(each) for each in servers),
            public_dns_name="",
        )

    async def admit(self, model: str, attempt: Attempt) -> Admission:
        """See :class:`jimm.proxy.doorkeeper.Doorkeeper`."""
        identity = await self._logins.by_password(attempt.name, attempt.password)
        entry = await self._settled_entry(model, identity.name)
        return await self._admission(identity.name, entry, self._claims(identity.name, entry))

    async def readmit(self, admission: Admission) -> Admission:
        """See :class:`jimm.proxy.doorkeeper.Doorkeeper`; nothing new is a refusal."""
        entry = await self._entry(admission.model_uuid, admission.identity)
        claims = self._claims(admission.identity, entry)
        if claims == admission.access:
            raise Unauthorized
        return await self._admission(admission.identity, entry, claims)

    async def still_holds(self, admission: Admission) -> bool:
        """Whether the same person would be let in the same way now: same rights, same place."""
        try:
            entry = await self._entry(admission.model_uuid, admission.identity)
            async with self._fleet.registry.read() as session:
                who = await identities.by_name(session, admission.identity)
        except JimmError:
            return False
        if who.disabled:
            return False
        if entry.model.controller_uuid != admission.endpoint.uuid:
            return False
        return admission.access == self._claims(admission.identity, entry)

    async def _settled_entry(self, model: str, identity: str) -> Entry:
        """The entry, once it is known where the model is.

        A source closes its connections when it lets a model go, a moment before the migration
        is done; clients come back at once, and libjuju does so a single time.
        """
        end = asyncio.get_running_loop().time() + ARRIVES_WITHIN
        while True:
            async with self._fleet.registry.read() as session:
                moving = (await migrations.active(session, [model])) if tags.is_uuid(model) else {}
            entry = await self._entry(model, identity)  # after, so that it knows of a move's end
            late = asyncio.get_running_loop().time() > end
            if late or not moving or not await self._has_left(entry.model):
                return entry
            await asyncio.sleep(LOOK_EVERY)

    async def _has_left(self, model: Model) -> bool:
        async with self._fleet.registry.read() as session:
            host = await controllers.by_uuid(session, model.controller_uuid or "")
        return isinstance(await views.look(self._fleet, host, model.uuid), Absent)

    async def _entry(self, model: str, identity: str) -> Entry:
        unknown = ModelNotFound(f'unknown model: "{model}"')
        async with self._fleet.registry.read() as session:
            try:
                entry = await models.entry(session, model, identity)
            except ModelNotFound as error:
                raise unknown from error
        if entry.model.controller_uuid is None:
            raise ControllerUnavailable("the model's controller is not registered any more")
        if not self._level(identity, entry):
            raise unknown
        return entry

    def _level(self, identity: str, entry: Entry) -> str:
        model = entry.model
        return rules.level_on_model(
            identity,
            entry.held,
            model=model.uuid,
            controller=model.controller_uuid,
            owner=model.owner,
        )

    def _claims(self, identity: str, entry: Entry) -> dict[str, str]:
        model = entry.model
        return rules.access_claims(
            identity,
            entry.held,
            controller=model.controller_uuid or tags.ControllerUUID(""),
            models={model.uuid: model.owner},
            clouds=entry.clouds,
        )

    async def _admission(self, identity: str, entry: Entry, claims: Mapping[str, str]) -> Admission:
        async with self._fleet.registry.read() as session:
            controller = await controllers.by_uuid(session, entry.model.controller_uuid or "")
        return Admission(
            identity=identity,
            user_tag=tags.user_tag(shown(identity, self._fleet.local_domain)),
            model_uuid=entry.model.uuid,
            endpoint=endpoint(controller),
            login=await self._login(controller, identity, entry, claims),
            shown=self._shown,
            access=claims,
        )

    async def _login(
        self, controller: Controller, identity: str, entry: Entry, claims: Mapping[str, str]
    ) -> LoginRequest:
        if controller.trust is Trust.TOKEN:
            return await self._fleet.trust.token_login(controller.uuid, identity, claims)
        link = self._fleet.link(controller)
        access = {tags.model_tag(entry.model.uuid): self._level(identity, entry)}
        login, _ = await self._fleet.trust.user_login(controller, identity, access, link)
        return login
