"""What an upgrade request tells of who sends it, before anybody has said who they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from jimm.access.tokens import COOKIE
from jimm.wire.secret import Secret

CLIENT_VERSION: Final = "x-juju-clientversion"
"""The header in which juju 4.0 tells its version (Juju ``api/apiclient.go``)."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """``token`` is what the browser's cookie holds, ``origin`` the page behind the request, both
    empty for other clients. ``client`` describes it to a person; it is not to be trusted."""

    token: Secret
    origin: str
    client: str


NOBODY: Final = Visitor(Secret(""), "", "")
"""A visitor who shows nothing."""


def visitor(headers: Mapping[str, str], address: str) -> Visitor:
    """Reads the headers, by names in lower case; ``address`` is where the client comes from."""
    version = headers.get(CLIENT_VERSION, "")
    name = f"juju {version}" if version else headers.get("user-agent", "")
    return Visitor(
        token=Secret(read_cookie(headers.get("cookie", ""))),
        origin=headers.get("origin", ""),
        client=" at ".join(part for part in (name or "a client", address) if part),
    )


def read_cookie(header: str) -> str:
    """The session token among the cookies of a header; empty for none.

    Whatever else is in there, of other programs on the same host, does no harm.
    """
    for part in header.split(";"):
        name, _, value = part.partition("=")
        if name.strip() == COOKIE:
            return value.strip().strip('"')
    return ""
