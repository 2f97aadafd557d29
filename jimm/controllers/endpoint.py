"""What is registered of a controller."""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from jimm.errors import NotValid
from jimm.net.dial import Address
from jimm.net.tls import JUJU_SERVER_NAME, resuming_context
from jimm.wire.params.admin import HostPort, LoginRequest, LoginResult
from jimm.wire.tags import ControllerUUID

_UNUSABLE_SCOPES = frozenset({"local-machine", "link-local"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a controller is, who it must be, and whose signature proves it.

    ``addresses`` are ``host:port``. ``ca_certificate`` is PEM, empty for the system's roots.
    ``tls_hostname`` is the name in its certificate, empty for Juju's own ``juju-apiserver``.
    """

    name: str
    uuid: ControllerUUID
    addresses: tuple[str, ...]
    ca_certificate: str
    tls_hostname: str = ""

    def __str__(self) -> str:
        return f"controller {self.name}" if self.name else "the controller"

    @property
    def server_name(self) -> str:
        """The name that its certificate must carry."""
        return self.tls_hostname or JUJU_SERVER_NAME

    def tls(self) -> ssl.SSLContext:
        """The context for dialling it, of its own: TLS sessions are taken up again there.

        Raises:
            NotValid: ``ca_certificate`` is no certificate.
        """
        return resuming_context(self.ca_certificate or None, self.server_name, self.uuid)

    def same_peer(self, other: "Endpoint") -> bool:
        """Whether a link made for one may serve the other: its proof is the same."""
        return (
            self.uuid == other.uuid
            and self.ca_certificate == other.ca_certificate
            and self.server_name == other.server_name
        )


Login = Callable[[Endpoint], Awaitable[LoginRequest]]
"""Makes a fresh login: mints a token, or unseals a password."""


def usable_servers(login: LoginResult) -> tuple[str, ...]:
    """The addresses in a login result that another machine can dial, in their order.

    The juju client leaves out the same scopes (Juju ``api/apiclient.go``).
    """
    every = (host for server in login.servers or [] for host in server)
    texts = (_written(host) for host in every if host.scope not in _UNUSABLE_SCOPES)
    return tuple(dict.fromkeys(text for text in texts if text))


def _written(host: HostPort) -> str:
    text = str(Address(host.value, host.port))
    try:
        return str(Address.parse(text))
    except NotValid:
        return ""
