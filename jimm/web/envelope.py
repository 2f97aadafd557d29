"""What JIMM lets a browser keep for it: sealed, for a purpose, for a while, for one holder.

So a sign-in that is under way needs no table, and any replica goes on with it.
"""

import base64
import binascii
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from jimm.errors import ConfigurationError
from jimm.registry.crypto import Sealer

_TABLE: Final = "browser"
"""The place that such values are sealed for; there is no such table."""


class _Sealed(msgspec.Struct):
    until: float
    values: dict[str, str]


class Envelope:
    """Seals and opens; ``now`` is the clock by which values run out."""

    def __init__(self, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._sealer = sealer
        self._now = now

    def seal(
        self, purpose: str, values: dict[str, str], *, life: timedelta, holder: str = ""
    ) -> str:
        """The values as a text fit for a cookie or a form; it opens only for this purpose and
        with the same ``holder``."""
        until = (self._now() + life).timestamp()
        plain = msgspec.json.encode(_Sealed(until, values))
        sealed = self._sealer.seal(plain, table=_TABLE, column=purpose, row=holder)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, purpose: str, text: str, *, holder: str = "") -> dict[str, str] | None:
        """The values; ``None`` for everything that was not sealed so, or has run out."""
        try:
            sealed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            plain = self._sealer.open_bytes(sealed, table=_TABLE, column=purpose, row=holder)
            found = msgspec.json.decode(plain, type=_Sealed)
        except (binascii.Error, ValueError, ConfigurationError):
            return None
        return found.values if found.until > self._now().timestamp() else None
