"""Logging in to controllers: as JIMM itself, and in a user's name.

*Token* trust: the controller was bootstrapped with our JWKS as ``login-token-refresh-url``, and
a login carries a token that names that one controller and holds just what is needed. *Password*
trust: any other controller; JIMM uses its stored admin login, and keeps a local user there for
each of its own users (Juju ``UserManager``), made at first need.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from jimm.access.jwt import LIFETIME, mint
from jimm.access.keys import KeyRing
from jimm.controllers.calls import user_manager
from jimm.controllers.endpoint import Endpoint
from jimm.controllers.link import Link
from jimm.errors import ControllerUnavailable, NotFound, RemoteError
from jimm.fleet import local_access
from jimm.registry import controllers, destinations, identities
from jimm.registry.controllers import Controller, LocalUser
from jimm.registry.crypto import Sealer
from jimm.registry.destinations import Destination
from jimm.registry.session import Registry
from jimm.registry.words import Trust as TrustKind
from jimm.wire import codes, tags
from jimm.wire.params.admin import LoginRequest
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID

CLIENT_VERSION = "3.6.9"
"""What JIMM says of itself to controllers; Juju writes it to its log."""

REUSED_FOR: Final = LIFETIME - timedelta(minutes=2)
"""How old a token may be that is shown once more."""

LOGINS: Final = 2_000
"""How many of them are kept; each is some 2 kB. The oldest makes room."""

_Wanted = tuple[str, ControllerUUID, str, frozenset[tuple[str, str]]]
"""The key, the controller, the identity, and what it may do: all that a token says."""


class Trust:
    """Makes logins for controllers."""

    def __init__(
        self,
        registry: Registry,
        sealer: Sealer,
        keys: KeyRing,
        *,
        jimm_uuid: ControllerUUID,
        local_domain: str,
        issuer: str,
        now: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._sealer = sealer
        self._keys = keys
        self._local_domain = local_domain
        self._issuer = issuer
        self._now = now
        self._made: dict[_Wanted, tuple[LoginRequest, datetime]] = {}
        self.own_identity = f"jimm-{jimm_uuid}@serviceaccount"

    async def own_login(self, endpoint: Endpoint) -> LoginRequest:
        """A login as JIMM itself, a superuser there.

        Raises:
            NotFound: it is neither registered nor the destination of a migration.
        """
        async with self._registry.read() as session:
            try:
                controller = await controllers.by_uuid(session, endpoint.uuid)
            except NotFound:
                return self.destination_login(await destinations.by_uuid(session, endpoint.uuid))
        if controller.trust is TrustKind.TOKEN:
            access = {tags.controller_tag(controller.uuid): "superuser"}
            return await self.token_login(controller.uuid, self.own_identity, access)
        return await self.admin_login(controller)

    async def admin_login(self, controller: Controller) -> LoginRequest:
        """A login with the stored admin user and password."""
        async with self._registry.read() as session:
            stored = await controllers.admin_login(session, controller.uuid)
        password = self._sealer.open(
            stored.password_sealed or b"",
            table="controllers",
            column="admin_password_sealed",
            row=controller.uuid,
        )
        return password_login(stored.username, password)

    def destination_login(self, destination: Destination) -> LoginRequest:
        """A login with what an administrator gave for a controller that is not registered."""
        return password_login(destination.username, self.destination_password(destination))

    def destination_password(self, destination: Destination) -> Secret:
        """The password of that login."""
        return self._sealer.open(
            destination.password_sealed, **destinations.place(destination.migration_id)
        )

    async def token_login(
        self, controller: ControllerUUID, identity: str, access: Mapping[str, str]
    ) -> LoginRequest:
        """A login by token; ``access`` maps tags to Juju's levels, and is all it may do.

        The same login is given again while most of its token's life is left. Whoever may do
        something else by now has other claims, and so another token.
        """
        key = await self._keys.signing()
        now = self._now()
        wanted = (key.kid, controller, identity, frozenset(access.items()))
        made, at = self._made.get(wanted, (None, now))
        if made is not None and timedelta(0) <= now - at < REUSED_FOR:
            return made
        token = mint(
            key,
            issuer=self._issuer,
            audience=controller,
            subject=tags.user_tag(identity),
            access=access,
            now=now,
        )
        login = LoginRequest(
            auth_tag=tags.user_tag(identity),
            credentials="",
            nonce="",
            token=token.reveal(),
            user_data="",
            client_version=CLIENT_VERSION,
        )
        self._remember(wanted, login, now)
        return login

    async def user_login(
        self, controller: Controller, identity: str, access: Mapping[str, str], link: Link | None
    ) -> tuple[LoginRequest, str]:
        """A login in a user's name, and the user's id there.

        With password trust that is a local user, made at first need and given just this access
        over ``link``, JIMM's own.

        Raises:
            ControllerUnavailable: the user must be made, and the controller is away.
            ControllerError: it refuses the access.
        """
        if controller.trust is TrustKind.TOKEN:
            return await self.token_login(controller.uuid, identity, access), identity
        user = await self.local_user(controller, identity, link)
        if link is not None:
            await local_access.match(link, user.username, access)
        login = password_login(user.username, self._open(controller, identity, user))
        return login, user.username

    def local_name(self, identity: str) -> str:
        """The name of the user that stands for an identity on a controller of password trust."""
        name, _, domain = identity.partition("@")
        digest = hashlib.sha256(identity.encode()).hexdigest()[:6]
        return f"jimm-{name}" if domain == self._local_domain else f"jimm-{name}-{digest}"

    async def local_user(
        self, controller: Controller, identity: str, link: Link | None
    ) -> LocalUser:
        """The user that JIMM keeps on a controller for an identity, made if need be.

        The name and password are remembered before the controller is told, so that a crash in
        between leaves a user that JIMM can still log in as.
        """
        async with self._registry.read() as session:
            who = await identities.by_name(session, identity)
            user = await controllers.local_user(session, controller.id, who.id)
        if user is None:
            password = Secret(secrets.token_urlsafe(32))
            sealed = self._sealer.seal(password, **_place(controller, identity))
            async with self._registry.write() as session:
                user = await controllers.add_local_user(
                    session, controller.id, who.id, self.local_name(identity), sealed
                )
        if user.prepared_at is None:
            if link is None:
                raise ControllerUnavailable(f"controller {controller.name} is away")
            await _make_user(link, user.username, self._open(controller, identity, user))
            async with self._registry.write() as session:
                await controllers.mark_prepared(session, controller.id, who.id)
        return user

    def _remember(self, wanted: _Wanted, login: LoginRequest, now: datetime) -> None:
        self._made.pop(wanted, None)
        self._made[wanted] = login, now
        while len(self._made) > LOGINS:
            del self._made[next(iter(self._made))]

    def _open(self, controller: Controller, identity: str, user: LocalUser) -> Secret:
        return self._sealer.open(user.password_sealed, **_place(controller, identity))


def password_login(username: str, password: Secret) -> LoginRequest:
    """A login with a local user's name and password."""
    return LoginRequest(
        auth_tag=tags.user_tag(username),
        credentials=password.reveal(),
        nonce="",
        user_data="",
        client_version=CLIENT_VERSION,
    )


async def _make_user(link: Link, username: str, password: Secret) -> None:
    try:
        await user_manager.add_user(link, username, password)
    except RemoteError as error:
        if error.juju_code != codes.ALREADY_EXISTS and "already exists" not in str(error):
            raise
        await user_manager.set_password(link, username, password)


def _place(controller: Controller, identity: str) -> dict[str, str]:
    row = f"{controller.uuid}/{identity}"
    return {"table": "controller_users", "column": "password_sealed", "row": row}
