"""The listening sockets of the one public port."""

import socket
from typing import Final

from jimm.errors import ConfigurationError
from jimm.settings import Settings

BACKLOG: Final = 4096
"""Connections that wait to be accepted; the system may allow fewer (``net.core.somaxconn``)."""


def listener(settings: Settings) -> socket.socket:
    """A socket that nobody else can share.

    Raises:
        ConfigurationError: somebody listens there already, or nobody may.
    """
    return _listening(settings, shared=False)


def shared_listeners(settings: Settings) -> list[socket.socket]:
    """A socket for each worker, over which the system spreads new connections.

    The first takes the port as a lone one would, so that a second JIMM, or anybody, is refused;
    only then is it opened to be shared, which counts for sockets of the same user alone.

    Raises:
        ConfigurationError: as :func:`listener`.
    """
    first = _bound(settings, shared=False)
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    first.listen(BACKLOG)
    return [first, *(shared_listener(settings) for _ in range(settings.workers - 1))]


def shared_listener(settings: Settings) -> socket.socket:
    """One more socket on a port that is shared.

    Raises:
        ConfigurationError: as :func:`listener`.
    """
    return _listening(settings, shared=True)


def _listening(settings: Settings, *, shared: bool) -> socket.socket:
    made = _bound(settings, shared=shared)
    made.listen(BACKLOG)
    return made


def _bound(settings: Settings, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    made = socket.socket(family)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family is socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((settings.host, settings.port))
    except OSError as error:
        made.close()
        why = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"JIMM can't listen on {settings.listen}: {why}") from error
    return made
