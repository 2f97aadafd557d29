"""The doorkeeper over the registry: who it is, what they may, where the model lives."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from jimm.access import rules
from jimm.access.devices import Code, DeviceFlow
from jimm.access.logins import Logins
from jimm.access.names import alias, shown
from jimm.access.visitor import Visitor
from jimm.errors import (
    ControllerUnavailable,
    JimmError,
    MigrationUnderway,
    ModelNotFound,
    RemoteError,
    Unauthorized,
)
from jimm.fleet.asking import ARRIVES_WITHIN, LOOK_EVERY
from jimm.fleet.facts import seems_busy
from jimm.fleet.fleet import Fleet, endpoint
from jimm.migration import views
from jimm.migration.verdict import Absent, Present, Silent, View, is_exporting, is_opaque
from jimm.proxy.doorkeeper import Admission
from jimm.proxy.guard import Restriction
from jimm.proxy.paths import Forbidden, Level, needs_superuser
from jimm.proxy.porter import Shown
from jimm.registry import entries
from jimm.registry.controllers import Controller
from jimm.registry.entries import Entry
from jimm.registry.words import MigrationState, ModelState, ObjectKind, Trust
from jimm.wire import tags
from jimm.wire.login import Attempt, PasswordLogin
from jimm.wire.params.admin import HostPort, LoginRequest
from jimm.wire.secret import Secret

_NO_NEW_USERS: Final = "is being migrated"
"""In Juju's refusal to give somebody access to a model that is leaving; once it has arrived
they have it."""

_ASKED: Final = frozenset(
    {
        MigrationState.STARTING,
        MigrationState.RUNNING,
        MigrationState.CONFIRMING,
        MigrationState.STUCK,
    }
)
"""When the source may be at what JIMM asked it for."""


class Keeper:
    """Admits by the registry; one query for who may do what with a model, and where it is."""

    def __init__(
        self,
        fleet: Fleet,
        logins: Logins,
        servers: list[list[HostPort]],
        devices: DeviceFlow,
    ) -> None:
        self._fleet = fleet
        self._logins = logins
        self._devices = devices
        self._shown = Shown(
            controller_uuid=fleet.uuid,
            servers=tuple(tuple(each) for each in servers),
            public_dns_name="",
        )

    async def admit(self, model: str, attempt: Attempt, visitor: Visitor) -> Admission:
        """See :class:`jimm.proxy.doorkeeper.Doorkeeper`."""
        arrival = await self._logins.at_model(model, attempt, visitor)
        who = arrival.identity.name
        entry, view = await self._settled(model, who, self._seen(model, who, arrival.entry))
        admission = replace(
            await self._admission(who, entry, self._claims(who, entry)),
            restriction=restriction(entry, view),
            token_id=arrival.token_id,
        )
        self._fleet.registry.traces.connected(admission.model_uuid, who)
        bare = alias(attempt.name, who) if isinstance(attempt, PasswordLogin) else ""
        return replace(admission, user_tag=tags.user_tag(bare)) if bare else admission

    async def begin_device(self, visitor: Visitor) -> Code:
        """See :class:`jimm.proxy.doorkeeper.Doorkeeper`."""
        return await self._devices.begin(visitor.client)

    async def await_device(self, login_id: str) -> Secret:
        """See :class:`jimm.proxy.doorkeeper.Doorkeeper`."""
        return (await self._devices.wait(login_id)).token

    async def admit_http(
        self, model: str, identity: str, level: Level, *, changes: bool
    ) -> Admission:
        """See :class:`jimm.proxy.passing.Gate`. What JIMM checked here a controller of some
        versions takes from a superuser alone; that claim is on this one request's token."""
        entry, view = await self._settled(model, identity, await self._entry(model, identity))
        claims = self._claims(identity, entry)
        if not rules.covers(ObjectKind.MODEL, self._level(identity, entry), level):
            raise Forbidden
        if changes:
            await self._refuse_while_moving(entry, view)
        controller = _host(entry)
        self._fleet.link(controller)  # one that is known to be away is not dialled
        if controller.trust is not Trust.TOKEN or not needs_superuser(controller.agent_version):
            return await self._admission(identity, entry, claims)
        wider = {
            tags.controller_tag(controller.uuid): "superuser",
            tags.model_tag(entry.model.uuid): "admin",
        }
        login = await self._fleet.trust.token_login(controller.uuid, identity, wider)
        return self._admitted(identity, entry, claims, login)

    async def readmit(self, admission: Admission) -> Admission:
        """See :class:`jimm.proxy.doorkeeper.Doorkeeper`; nothing new is a refusal."""
        entry = await self._entry(admission.model_uuid, admission.identity)
        claims = self._claims(admission.identity, entry)
        if claims == admission.access:
            raise Unauthorized
        again = await self._admission(admission.identity, entry, claims)
        return replace(again, token_id=admission.token_id)

    async def still_holds(self, admission: Admission) -> bool:
        """Whether the same person would be let in the same way now: same rights, same place,
        by the same token."""
        model, identity = admission.model_uuid, admission.identity
        try:
            entry = await self._entry(model, identity, token_id=admission.token_id)
        except JimmError:
            return False
        if not entry.welcome:
            return False
        if entry.model.controller_uuid != admission.endpoint.uuid:
            return False
        return admission.access == self._claims(admission.identity, entry)

    async def _refuse_while_moving(self, entry: Entry, view: View | None) -> None:
        """Unlike a login, an upload is refused as soon as a migration was asked for: it could
        still be on its way when that begins."""
        if entry.moving:
            raise MigrationUnderway
        found = view or await views.look(self._fleet, _host(entry), entry.model.uuid)
        if restriction(entry, found) is not None:
            raise MigrationUnderway

    async def _settled(self, model: str, identity: str, entry: Entry) -> tuple[Entry, View | None]:
        """The entry, read again until it is known where the model is, and what its controller
        says of it if it may be on the move.

        A source closes its connections when it lets a model go, a moment before the migration
        is done; clients come back at once, and libjuju does so a single time.

        Raises:
            ControllerUnavailable: it left its controller, and did not arrive in time.
        """
        end = asyncio.get_running_loop().time() + ARRIVES_WITHIN
        while True:
            if not (entry.moving or seems_busy(entry.model)):
                return entry, None
            view = await views.look(self._fleet, _host(entry), entry.model.uuid)
            if not entry.moving or not isinstance(view, Absent):
                return entry, view
            if asyncio.get_running_loop().time() > end:
                raise ControllerUnavailable("the model has not arrived yet where it is moved to")
            await asyncio.sleep(LOOK_EVERY)
            entry = await self._entry(model, identity)

    async def _entry(self, model: str, identity: str, *, token_id: str | None = None) -> Entry:
        try:
            found = await entries.come(self._fleet.registry, model, identity, token_id=token_id)
        except ModelNotFound as error:
            raise _unknown(model) from error
        return self._seen(model, identity, found)

    def _seen(self, model: str, identity: str, found: Entry | None) -> Entry:
        """An entry, for somebody who may know of the model."""
        if found is None:
            raise _unknown(model)
        if not self._level(identity, found):
            raise _unknown(model)
        _host(found)
        return found

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
        login = await self._login(_host(entry), identity, entry, claims)
        return self._admitted(identity, entry, claims, login)

    def _admitted(
        self, identity: str, entry: Entry, claims: Mapping[str, str], login: LoginRequest
    ) -> Admission:
        return Admission(
            identity=identity,
            user_tag=tags.user_tag(shown(identity, self._fleet.local_domain)),
            model_uuid=entry.model.uuid,
            endpoint=endpoint(_host(entry)),
            login=login,
            shown=self._shown,
            access=claims,
            going=entry.model.state is ModelState.DESTROYING,
        )

    async def _login(
        self, controller: Controller, identity: str, entry: Entry, claims: Mapping[str, str]
    ) -> LoginRequest:
        if controller.trust is Trust.TOKEN:
            return await self._fleet.trust.token_login(controller.uuid, identity, claims)
        link = self._fleet.link(controller)
        access = {tags.model_tag(entry.model.uuid): self._level(identity, entry)}
        try:
            login, _ = await self._fleet.trust.user_login(controller, identity, access, link)
        except RemoteError as error:
            if _NO_NEW_USERS in str(error):
                raise MigrationUnderway from error
            raise
        return login


def restriction(entry: Entry, view: View | None) -> Restriction | None:
    """What a login is restricted to, by what the model's controller shows just now.

    A controller that does not answer, or shows nothing of its exports (Juju 4.0), is taken to be
    at what JIMM asked it for. Before JIMM has asked for anything there is nothing to say.
    """
    if isinstance(view, Present):
        if view.importing:
            return Restriction.IMPORTING
        if is_exporting(view):
            return Restriction.EXPORTING
        if not is_opaque(_host(entry).agent_version):
            return None
    elif not isinstance(view, Silent):
        return None
    return Restriction.EXPORTING if entry.moving in _ASKED else None


def _host(entry: Entry) -> Controller:
    if entry.host is None:
        raise ControllerUnavailable("the model's controller is not registered any more")
    return entry.host


def _unknown(model: str) -> ModelNotFound:
    return ModelNotFound(f'unknown model: "{model}"')
