"""TLS sessions that are taken up again, so that a connection to a known peer costs half.

asyncio and uvloop have no way to hand a session to a connection: it is put in where the context
makes the connection's TLS object, and fetched from an earlier one there. In TLS 1.3 the server
sends its ticket after the handshake (RFC 8446, section 4.6.1), so no moment earlier would do.
"""

import ssl
import time
from collections.abc import Callable
from typing import Any, Final

VERIFIED_FOR: Final = 3600.0
"""Seconds after which the peer has to show its certificate again."""

WATCHED_FOR: Final = 30.0
"""Seconds that a connection gets to bring its ticket."""


class ResumingObject(ssl.SSLObject):
    """One connection's TLS; a failed handshake is never tried again with the same session."""

    context: "ResumingContext"

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            self.context.forget()
            raise

    def getpeercert(self, binary_form: bool = False) -> Any:
        """Only what is asked for as it came: event loops have the certificate of each connection
        taken apart, and nobody reads it. OpenSSL has verified it before, by name too."""
        return super().getpeercert(binary_form=True) if binary_form else {}


class ResumingContext(ssl.SSLContext):
    """A client's context for one peer, whose sessions are its own.

    ``clock`` gives seconds that never go back.
    """

    sslobject_class = ResumingObject
    _peer: str
    _clock: Callable[[], float]
    _session: ssl.SSLSession | None
    _verified_at: float
    _watched: ssl.SSLObject | None
    _watched_at: float

    @classmethod
    def of(cls, peer: str, clock: Callable[[], float] = time.monotonic) -> "ResumingContext":
        """A context for the peer whose certificate carries that name."""
        made = cls(ssl.PROTOCOL_TLS_CLIENT)
        made._peer, made._clock = peer, clock
        made._session, made._watched = None, None
        made._verified_at = made._watched_at = 0.0
        return made

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """As :meth:`ssl.SSLContext.wrap_bio`; the peer's last session is offered to it."""
        if server_side or server_hostname != self._peer:
            return super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        now = self._clock()
        self._fetch(now)
        if now - self._verified_at >= VERIFIED_FOR:
            self._session = None
        made = super().wrap_bio(incoming, outgoing, False, server_hostname, self._session)
        if self._watched is None:
            self._watched, self._watched_at = made, now
        return made

    def forget(self) -> None:
        """The next handshake is a whole one."""
        self._session = self._watched = None

    def _fetch(self, now: float) -> None:
        """Takes the session of the connection that is watched, once it has one of its own."""
        watched = self._watched
        if watched is None:
            return
        if watched.version() is not None:  # the handshake is over
            if watched.session_reused:
                self._watched = None
                return
            session = watched.session
            if session is not None and session.has_ticket:
                self._session, self._verified_at = session, self._watched_at
                self._watched = None
                return
        if now - self._watched_at >= WATCHED_FOR:
            self._watched = None
