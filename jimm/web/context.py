"""What the pages are built on."""

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import Request

from jimm.access.devices import DeviceLogins
from jimm.access.logins import Logins
from jimm.access.names import shown
from jimm.access.tokens import SessionTokens
from jimm.registry.session import Registry
from jimm.settings import Settings
from jimm.web.envelope import Envelope
from jimm.web.guesses import Guesses

if TYPE_CHECKING:  # brings an HTTP client
    from jimm.access.oidc_logins import OidcLogins


@dataclass(frozen=True)
class Web:
    """The use cases behind the pages; ``oidc`` where people sign in with a provider."""

    settings: Settings
    registry: Registry
    logins: Logins
    tokens: SessionTokens
    devices: DeviceLogins
    oidc: "OidcLogins | None"
    envelope: Envelope
    guesses: Guesses

    @property
    def secure(self) -> bool:
        """Whether browsers reach JIMM over TLS."""
        return self.settings.url.startswith("https:")

    def user_id(self, identity: str) -> str:
        """An identity as it is shown: bare for the local domain."""
        return shown(identity, self.settings.local_domain)

    def target(self, wanted: str) -> str:
        """Where a browser goes after signing in: as it wished, if that is a page of JIMM's own
        or of an origin that the operator trusts; else to the Dashboard, or the code's form."""
        if _is_own_path(wanted) or self._is_trusted(wanted):
            return wanted
        return self.settings.dashboard_url or "/login"

    def address_of(self, request: Request) -> str:
        """The address of who asks, as a trusted proxy tells it; else empty.

        Each proxy adds the address that it was asked from, so the last one that is no trusted
        proxy's is the one to believe.
        """
        peer = request.client.host if request.client else ""
        if not self._is_proxy(peer):
            return ""
        told = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        return next(
            (each for each in map(str.strip, reversed(told)) if not self._is_proxy(each)), ""
        )

    def _is_trusted(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        origin = f"{parts.scheme}://{parts.netloc}"
        return bool(parts.netloc) and self.logins.welcomes(origin)

    def _is_proxy(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        networks = (
            ipaddress.ip_network(each, strict=False) for each in self.settings.trusted_proxies
        )
        return any(known in each for each in networks)


def _is_own_path(text: str) -> bool:
    """Whether a browser takes it for a path here: ``//host`` and ``/\\host`` lead elsewhere."""
    return text.startswith("/") and text[1:2] not in {"/", "\\"} and text.isprintable()
