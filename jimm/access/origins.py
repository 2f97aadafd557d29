"""Which web pages may act with a browser's login (RFC 6454 origins)."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

_PORTS: Final = {"https": 443, "http": 80}


def allowed(origin: str, own: str, configured: Sequence[str]) -> bool:
    """Whether a page of that origin may use the cookie that logs a browser in.

    ``origin`` is the header as a browser sent it; empty means that no page is behind the
    request. ``own`` is JIMM's address, ``https://host:port``, or ``host:port`` for the same.
    ``configured`` are the origins that the operator trusts.
    """
    if not origin:
        return True
    asking = _place(origin)
    if asking is None:
        return False
    return asking in {
        _place(each if "://" in each else f"https://{each}") for each in (own, *configured)
    }


def _place(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port; ``None`` for what is no origin, such as ``null``."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if port is None or not parts.hostname or _says_more(parts):
        return None
    return parts.scheme, parts.hostname, port


def _says_more(parts: SplitResult) -> bool:
    return bool(parts.path or parts.query or parts.fragment or parts.username)
