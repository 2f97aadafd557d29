"""Who sends an HTTP request: the login is in its headers."""

import base64
import binascii
from collections.abc import Iterable
from typing import Protocol

from jimm.access.identity import Identity
from jimm.access.visitor import read_cookie
from jimm.errors import Unauthorized
from jimm.wire.secret import Secret


class Proofs(Protocol):
    """Checks what is shown (:class:`jimm.access.logins.Logins`)."""

    async def by_basic(self, user: str, password: Secret) -> Identity:
        """By name and password of a Basic header."""
        ...

    async def by_token(self, text: str) -> Identity:
        """By a session token."""
        ...

    def welcomes(self, origin: str) -> bool:
        """Whether pages of an origin may use the cookie of whoever looks at them."""
        ...


class Visitors:
    """Tells people by a Basic header, or by the browser's cookie."""

    def __init__(self, proofs: Proofs) -> None:
        self._proofs = proofs

    async def identify(self, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The full name of who sends these headers.

        Raises:
            Unauthorized: nothing is shown, or it proves nothing.
            SessionTokenInvalid: a session token that can't be used.
            TryAgain: the account failed too often just now.
        """
        shown = {name.lower(): value.decode("latin-1") for name, value in headers}
        if b"authorization" in shown:
            user, password = read_basic(shown[b"authorization"])
            return (await self._proofs.by_basic(user, password)).name
        token = read_cookie(shown.get(b"cookie", ""))
        if not token:
            raise Unauthorized("authentication failed: no credentials provided")
        origin = shown.get(b"origin", "")
        if not self._proofs.welcomes(origin):
            raise Unauthorized(f"authentication failed: {origin} is not an origin of JIMM's")
        return (await self._proofs.by_token(token)).name


def read_basic(header: str) -> tuple[str, Secret]:
    """Name and password of a Basic header (RFC 7617).

    Raises:
        Unauthorized: it is none.
    """
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        raise Unauthorized("authentication failed: use HTTP Basic authentication")
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unauthorized("authentication failed: the header can't be read") from error
    user, colon, password = text.partition(":")
    if not colon:
        raise Unauthorized("authentication failed: the header can't be read")
    return user, Secret(password)
