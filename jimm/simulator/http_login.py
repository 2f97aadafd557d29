"""Who sends an HTTP request to a controller (Juju ``apiserver/httpcontext/auth.go``)."""

import base64
import binascii

import msgspec
from starlette.requests import HTTPConnection

from jimm.errors import JimmError
from jimm.simulator import rules
from jimm.simulator.access import Caller
from jimm.simulator.control import basic_credentials
from jimm.simulator.core import Core
from jimm.simulator.logins import Tokens
from jimm.simulator.migration import macaroons
from jimm.wire import codes


class Rejected(JimmError):
    """A request that is not served, with its HTTP status."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self._code = code

    @property
    def juju_code(self) -> str:
        return self._code


async def authenticate(core: Core, tokens: Tokens, connection: HTTPConnection) -> Caller:
    """Who it is, by a Bearer or a Basic header.

    Raises:
        Rejected: nobody.
    """
    header = connection.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    try:
        if scheme.lower() == "bearer":
            return await tokens.caller(value)
    except JimmError as error:
        text = f"authentication failed: {error}"
        raise Rejected(401, text, codes.UNAUTHORIZED) from error
    name = _by_macaroon(core, connection.headers.get("macaroons", ""))
    if name:
        return Caller(user=name)
    name, password = basic_credentials(header)
    user = core.store.users.get(name)
    if user is None or not rules.password_fits(user, password):
        text = "authentication failed: invalid entity name or password"
        raise Rejected(401, text, codes.UNAUTHORIZED)
    return Caller(user=name)


def _by_macaroon(core: Core, header: str) -> str:
    """The user whose macaroon is in the header, in base64; empty for none."""
    try:
        given = msgspec.json.decode(base64.b64decode(header), type=list[object])
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return ""
    name = macaroons.user_of(core, given)
    user = core.store.users.get(name)
    return name if user is not None and not user.disabled else ""
