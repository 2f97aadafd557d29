"""``Admin`` 3: how a socket gets its session (Juju ``apiserver/admin.go``)."""

from typing import TYPE_CHECKING, Final

import msgspec

from jimm.errors import Conflict, InvalidLogin, JimmError, NotSupported, Unauthorized
from jimm.simulator import rules
from jimm.simulator.access import Caller
from jimm.simulator.core import Core
from jimm.simulator.describe import maybe_rfc3339
from jimm.simulator.migration import macaroons
from jimm.simulator.migration.views import (
    Redirected,
    Restriction,
    login_redirect,
    login_redirect_of_four,
    login_restriction,
)
from jimm.simulator.session import Session
from jimm.simulator.state import ExternalUser, LocalUser, Model, Thing
from jimm.wire import codes
from jimm.wire.envelope import Request
from jimm.wire.facade import Facade, method
from jimm.wire.params.admin import (
    FacadeVersions,
    LoginRequest,
    LoginResult,
    RedirectInfo,
    UserInfo,
)
from jimm.wire.tags import ModelUUID, controller_tag, model_tag, parse_user_tag, user_tag

if TYPE_CHECKING:
    from jimm.simulator.tokens import TokenKeys


_DISCHARGE: Final = {"caveats": [], "location": "juju", "i": "", "s": ""}
"""What 4.0 asks a name without a secret to have discharged; nothing here can."""


class NoCredentials(JimmError):
    """A name without a secret; `juju login` then asks for one."""

    code = codes.NO_CREDENTIALS

    def __init__(self) -> None:
        super().__init__("no credentials provided")


class Tokens:
    """The verifier of login tokens, loaded when the first token comes."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._keys: TokenKeys | None = None

    async def caller(self, token: str) -> Caller:
        """Who a token says it is.

        Raises:
            Unauthorized: this controller trusts no tokens.
            Conflict: the token is no good.
        """
        options = self._core.options
        if not options.jwks_url:
            raise Unauthorized("failed to authenticate request: unauthorized")
        if self._keys is None:
            from jimm.simulator.tokens import REFRESH_AFTER, TokenKeys

            refresh_after = REFRESH_AFTER / options.speed
            self._keys = TokenKeys(options.jwks_url, options.jwks_ca, refresh_after)
        claims = await self._keys.verify(token)
        return Caller(user=claims.user, token=claims.access)


class Admin(Facade):
    """The facade of a socket on which nobody has logged in."""

    name = "Admin"
    listed = False

    def __init__(
        self,
        core: Core,
        tokens: Tokens,
        model_uuid: ModelUUID | None,
        facades: list[FacadeVersions],
    ) -> None:
        self._core = core
        self._tokens = tokens
        self._model_uuid = model_uuid
        self._facades = facades
        self.session: Session | None = None

    @method("Login", versions=(3,))
    async def login(self, params: LoginRequest) -> LoginResult:
        """Checks who it is and opens the session.

        Raises:
            Redirected: the model has moved, and they were in it.
            InvalidLogin: wrong name or password, disabled, or a moved model that they were
                not in.
            NoCredentials: a local name and nothing else.
            Unauthorized: no access to the controller or the model.
            Conflict: a token that is no good.
        """
        self._redirect(params)
        if self._core.release.is_four and params.auth_tag and not _has_secret(params):
            return LoginResult(facades=[], discharge_required=_DISCHARGE)
        caller = await self._authenticate(params)
        self._authorise(caller)
        model = self._core.store.models[self._model_uuid] if self._model_uuid else None
        result = self._result(caller, model)
        self._remember(caller, model)
        self.session = Session(
            core=self._core,
            caller=caller,
            model_uuid=self._model_uuid,
            restriction=self._restriction(caller, model),
        )
        return result

    @method("RedirectInfo", versions=(3,))
    async def redirect_info(self) -> RedirectInfo:
        """Juju redirects with the error of the login alone."""
        raise Conflict("not redirected")

    def _restriction(self, caller: Caller, model: Model | None) -> Restriction:
        if model is None:
            return Restriction.NONE
        return login_restriction(model, by_token=caller.token is not None)

    def _redirect(self, params: LoginRequest) -> None:
        store = self._core.store
        if self._model_uuid is None or self._model_uuid in store.models:
            return
        user = parse_user_tag(params.auth_tag) if params.auth_tag else ""
        former = store.former[self._model_uuid]
        where = login_redirect_of_four if self._core.release.is_four else login_redirect
        redirect = where(former, user, by_token=bool(params.token))
        if redirect is None:
            raise InvalidLogin
        raise Redirected(redirect)

    async def _authenticate(self, params: LoginRequest) -> Caller:
        if params.token:
            return await self._tokens.caller(params.token)
        if params.macaroons and not params.credentials:
            return Caller(user=self._minted(params.macaroons))
        if not params.auth_tag:
            raise Unauthorized("failed to authenticate request: unauthorized")
        user = parse_user_tag(params.auth_tag)
        if "@" in user:
            raise Unauthorized("failed to authenticate request: unauthorized")
        if not params.credentials:
            raise NoCredentials
        found = self._core.store.users.get(user)
        if found is None or not rules.password_fits(found, params.credentials):
            raise InvalidLogin
        return Caller(user=user)

    def _minted(self, given: list[object]) -> str:
        user = macaroons.user_of(self._core, given)
        found = self._core.store.users.get(user)
        if found is None or found.disabled:
            raise Unauthorized("failed to authenticate request: unauthorized")
        return user

    def _authorise(self, caller: Caller) -> None:
        access = caller.controller_access(self._core)
        if self._model_uuid is None or caller.token is not None:
            # A token needs a level on the controller even for a model, and none on the model.
            if not access:
                raise Unauthorized
            return
        model = self._core.store.models[self._model_uuid]
        if not caller.model_access(self._core, model):
            raise Unauthorized

    def _result(self, caller: Caller, model: Model | None) -> LoginResult:
        core = self._core
        user: LocalUser | ExternalUser | None = core.store.users.get(caller.user)
        user = user or core.store.outsiders.get(caller.user)
        display_name = user.display_name if isinstance(user, LocalUser) else ""
        info = UserInfo(
            display_name=display_name,
            identity=user_tag(caller.user),
            last_connection=maybe_rfc3339(user.last_connection if user else None),
            controller_access=caller.controller_access(core),
            model_access=caller.model_access(core, model) if model is not None else "",
        )
        return LoginResult(
            servers=core.host_ports,
            model_tag=model_tag(model.uuid) if model is not None else "",
            controller_tag=controller_tag(core.uuid),
            user_info=info,
            facades=self._facades,
            server_version=core.store.controller.version,
        )

    def _remember(self, caller: Caller, model: Model | None) -> None:
        now = self._core.clock.now()
        store = self._core.store
        changed: list[Thing] = []
        if caller.user in store.users:
            user = store.users[caller.user]
            changed.append(msgspec.structs.replace(user, last_connection=now))
        elif "@" in caller.user:
            known = store.outsiders.get(caller.user)
            known = known or ExternalUser(name=caller.user, created=now)
            changed.append(msgspec.structs.replace(known, last_connection=now))
        if model is not None and caller.user in model.users:
            entry = msgspec.structs.replace(model.users[caller.user], last_connection=now)
            users = {**model.users, caller.user: entry}
            changed.append(msgspec.structs.replace(model, users=users))
        store.put(*changed)


def _has_secret(params: LoginRequest) -> bool:
    return bool(params.credentials or params.token or params.macaroons)


def check_version(request: Request) -> None:
    """Refuses any other ``Admin`` than 3, in the words that make clients try the next way.

    Raises:
        NotSupported: another version.
    """
    if request.type == "Admin" and request.version != 3:
        raise NotSupported("this version of Juju does not support login from old clients")
