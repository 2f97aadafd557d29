"""Logins with an OpenID Connect provider: a browser's, a device's, a client's.

Who the provider says somebody is becomes their identity, what groups they are in is kept with
it. Both are as they were at the last login: leaving the administrators' group counts from the
next one, so whoever must be kept out at once is disabled in JIMM.
"""

import asyncio
import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from jimm.access.identity import Identity
from jimm.access.oidc import Client, DeviceGrant, Provider, Refused
from jimm.access.oidc_claims import ClaimNames, Person, client_identity, person
from jimm.access.tokens import Issued, SessionTokens
from jimm.errors import FatalLogin, InvalidLogin, JimmError
from jimm.registry import identities, relations
from jimm.registry.relations import Object
from jimm.registry.session import Registry
from jimm.registry.words import Relation
from jimm.wire.secret import Secret

CHECKED_FOR: Final = 300.0
"""Seconds for which a client's secret need not be checked again: some clients log in on every
socket that they open."""

REFUSED_FOR: Final = 10.0
"""Seconds for which a refusal stands."""

REMEMBERED: Final = 10_000
_SLOWED_BY: Final = 5.0  # RFC 8628, 3.5
_DEVICE: Final = "device login"


class OidcAccounts:
    """The identities of those who come from the provider; members of ``admin_group`` (none if
    empty) administer JIMM."""

    def __init__(self, registry: Registry, *, admin_group: str = "") -> None:
        self._registry = registry
        self._admin_group = admin_group

    async def welcome(self, who: Person) -> Identity:
        """Records a login. Joining the administrators' group makes an administrator, leaving it
        ends that; who was made one in JIMM and was never in the group stays one.

        Raises:
            InvalidLogin: they are disabled in JIMM.
        """
        async with self._registry.write() as session:
            before = await identities.told_groups(session, who.identity)
            found = await identities.ensure(session, who.identity)
            if found.disabled:
                raise InvalidLogin(
                    f'the account "{who.identity}" is disabled in JIMM; ask an administrator'
                )
            await identities.tell(session, found.id, who.display_name, who.groups)
            group = self._admin_group
            if group and group in who.groups:
                await relations.add(session, who.identity, Relation.ADMINISTRATOR, Object.jimm())
            elif group and group in before:
                await relations.remove(session, who.identity, Relation.ADMINISTRATOR, Object.jimm())
            held = await relations.relations_of(session, who.identity, Object.jimm())
        return Identity(who.identity, who.display_name, Relation.ADMINISTRATOR in held)


@dataclass(frozen=True, slots=True)
class SignIn:
    """What has to come back with the browser that was sent away."""

    state: str
    nonce: str
    verifier: Secret


class OidcLogins:
    """A person signs in with a browser; ``callback`` is JIMM's URL for coming back."""

    def __init__(
        self,
        provider: Provider,
        accounts: OidcAccounts,
        claims: ClaimNames,
        *,
        callback: str,
        scope: str,
    ) -> None:
        self._provider = provider
        self._accounts = accounts
        self._claims = claims
        self._callback = callback
        self._scope = scope

    async def begin(self, *, again: bool = False) -> tuple[SignIn, str]:
        """What to keep, and where to send the browser.

        Raises:
            TryAgain: the provider doesn't answer as it should.
        """
        begun = SignIn(
            secrets.token_urlsafe(24), secrets.token_urlsafe(24), Secret(secrets.token_urlsafe(48))
        )
        url = await self._provider.authorization_url(
            redirect_uri=self._callback,
            scope=self._scope,
            state=begun.state,
            nonce=begun.nonce,
            verifier=begun.verifier,
            again=again,
        )
        return begun, url

    async def finish(self, begun: SignIn, code: str, *, issuer: str = "") -> Identity:
        """Who came back with a code.

        Raises:
            InvalidLogin: the code can't be used, or names nobody that may log in.
            TryAgain: the provider doesn't answer as it should.
        """
        claims = await self._provider.by_code(
            code,
            redirect_uri=self._callback,
            verifier=begun.verifier,
            nonce=begun.nonce,
            issuer=issuer,
        )
        return await self._accounts.welcome(person(claims, self._claims))


@dataclass(frozen=True, slots=True)
class ProviderBegun:
    """A device login at the provider, whose page is the one to visit."""

    id: str
    user_code: str
    verification_uri: str


class OidcDevice:
    """Device logins on the provider's own page, known only to the replica that begins them."""

    def __init__(
        self,
        provider: Provider,
        accounts: OidcAccounts,
        claims: ClaimNames,
        tokens: SessionTokens,
        *,
        scope: str,
    ) -> None:
        self._provider = provider
        self._accounts = accounts
        self._claims = claims
        self._tokens = tokens
        self._scope = scope
        self._grants: OrderedDict[str, DeviceGrant] = OrderedDict()

    async def begin(self, client: str) -> ProviderBegun:
        """A login that can be confirmed at the provider, which is not told of the ``client``.

        Raises:
            TryAgain: the provider doesn't answer as it should.
        """
        del client
        grant = await self._provider.begin_device(self._scope)
        login_id = secrets.token_urlsafe(16)
        self._grants[login_id] = grant
        while len(self._grants) > REMEMBERED:
            self._grants.popitem(last=False)
        return ProviderBegun(login_id, grant.user_code, grant.verification_uri)

    async def wait(self, login_id: str) -> Issued:
        """A session token for whoever confirms the login; the first to ask gets it, once.

        Raises:
            FatalLogin: it was refused, ran out, or was collected already.
        """
        grant = self._grants.pop(login_id, None)
        if grant is None:
            raise FatalLogin("this login can't be used (any more); log in again")
        try:
            async with asyncio.timeout(grant.lasts):
                identity = await self._confirmed(grant)
        except TimeoutError as error:
            raise FatalLogin("the login was not confirmed in time; log in again") from error
        except JimmError as error:
            raise FatalLogin(str(error)) from error
        return await self._tokens.issue(identity.name, name=_DEVICE)

    async def _confirmed(self, grant: DeviceGrant) -> Identity:
        every = grant.every
        while True:
            await asyncio.sleep(every)
            try:
                claims = await self._provider.by_device(grant)
            except Refused as error:
                if error.code == "slow_down":
                    every += _SLOWED_BY
                elif error.code != "authorization_pending":
                    raise InvalidLogin("the login was refused in the browser") from error
            else:
                return await self._accounts.welcome(person(claims, self._claims))


class OidcClients:
    """Clients of the provider that log in with their secret, as service accounts.

    ``clock`` gives seconds that never go back.
    """

    def __init__(
        self,
        provider: Provider,
        accounts: OidcAccounts,
        *,
        scope: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._provider = provider
        self._accounts = accounts
        self._scope = scope
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._known: OrderedDict[bytes, tuple[float, bool]] = OrderedDict()
        self._turns: WeakValueDictionary[bytes, asyncio.Lock] = WeakValueDictionary()

    async def check(self, client_id: str, secret: Secret) -> Identity:
        """Who it is, by its id at the provider, without a domain.

        Raises:
            InvalidLogin: an unknown client, a wrong secret, or disabled in JIMM.
            TryAgain: the provider doesn't answer as it should.
        """
        identity = client_identity(client_id)
        if not secret or not await self._is_right(client_id, secret):
            raise InvalidLogin
        return await self._accounts.welcome(Person(identity, "", ()))

    async def _is_right(self, client_id: str, secret: Secret) -> bool:
        text = f"{client_id}\0{secret.reveal()}".encode(errors="surrogatepass")
        digest = hmac.digest(self._key, text, hashlib.sha256)
        turn = self._turns.setdefault(digest, asyncio.Lock())
        async with turn:
            until, right = self._known.get(digest, (0.0, False))
            if until > self._clock():
                return right
            right = await self._provider.check_client(Client(client_id, secret), self._scope)
            lasts = CHECKED_FOR if right else REFUSED_FOR
            self._known.pop(digest, None)
            self._known[digest] = (self._clock() + lasts, right)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            return right
