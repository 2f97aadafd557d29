"""The doorkeeper over the registry: who it is, what they may, where the model lives."""

import base64
from collections.abc import Mapping

import jwt
import msgspec

from jimm.access import rules
from jimm.access.logins import Logins
from jimm.access.names import shown
from jimm.controllers.calls import model_manager as calls
from jimm.errors import (
    ControllerUnavailable,
    JimmError,
    ModelNotFound,
    RemoteError,
    Unauthorized,
)
from jimm.fleet.fleet import Fleet, endpoint
from jimm.proxy.doorkeeper import Admission
from jimm.proxy.porter import Shown
from jimm.registry import controllers, models
from jimm.registry.controllers import Controller
from jimm.registry.models import Entry
from jimm.registry.words import Trust
from jimm.wire import codes, tags
from jimm.wire.login import Attempt
from jimm.wire.params.admin import HostPort, LoginRequest
from jimm.wire.params.model_manager import ModifyModelAccess


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
        entry = await self._entry(model, identity.name)
        return await self._admission(identity.name, entry, self._claims(identity.name, entry))

    async def readmit(self, admission: Admission) -> Admission:
        """See :class:`jimm.proxy.doorkeeper.Doorkeeper`; nothing new is a refusal."""
        entry = await self._entry(admission.model_uuid, admission.identity)
        claims = self._claims(admission.identity, entry)
        if claims == _held(admission):
            raise Unauthorized
        return await self._admission(admission.identity, entry, claims)

    async def still_holds(self, admission: Admission) -> bool:
        """Whether the same person would be let in the same way now: same rights, same place.

        With token trust alone: with password trust the controller itself knows the rights.
        """
        try:
            entry = await self._entry(admission.model_uuid, admission.identity)
        except JimmError:
            return False
        if entry.model.controller_uuid != admission.endpoint.uuid:
            return False
        held = _held(admission)
        return held is None or held == self._claims(admission.identity, entry)

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
        )

    async def _login(
        self, controller: Controller, identity: str, entry: Entry, claims: Mapping[str, str]
    ) -> LoginRequest:
        if controller.trust is Trust.TOKEN:
            return await self._fleet.trust.token_login(controller.uuid, identity, claims)
        link = self._fleet.link(controller)
        login, user = await self._fleet.trust.user_login(controller, identity, claims, link)
        change = ModifyModelAccess(
            user_tag=tags.user_tag(user),
            action="grant",
            access=self._level(identity, entry),
            model_tag=tags.model_tag(entry.model.uuid),
        )
        try:
            await calls.modify_model_access(link, change)
        except RemoteError as error:
            if error.juju_code != codes.ALREADY_EXISTS and not _has_it(error):
                raise
        return login


def _has_it(error: RemoteError) -> bool:
    return "already has" in str(error)


def _held(admission: Admission) -> dict[str, str] | None:
    """What the token given to the controller holds; ``None`` for a password."""
    if not admission.login.token:
        return None
    compact = base64.b64decode(admission.login.token).decode()
    claims = jwt.decode(compact, options={"verify_signature": False})
    return msgspec.convert(claims["access"], dict[str, str])
