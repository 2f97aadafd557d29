"""The connection to a model's controller: upgrade, one answer, then the pipe."""

import asyncio
import base64
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol, cast

from jimm.errors import ProtocolError
from jimm.proxy.landing import (
    Forward,
    Landed,
    Landing,
    Passes,
    Place,
    nothing_lands,
    nothing_passes,
)
from jimm.proxy.limits import Limits
from jimm.wire import frames, handshake
from jimm.wire.frames import Control, Message, MessageReader


class Owner(Protocol):
    """Who hears what happens on a controller leg."""

    def leg_opened(self, leg: "ControllerLeg") -> None:
        """It is a websocket now."""

    def leg_spoke(self, leg: "ControllerLeg", message: bytes) -> None:
        """A whole message arrived, before :meth:`ControllerLeg.take_over`."""

    def leg_failed(self, leg: "ControllerLeg", why: str) -> None:
        """It came to nothing before it was taken over."""

    def controller_sent(self, leg: "ControllerLeg", data: bytes) -> None:
        """Bytes arrived after it was taken over."""

    def controller_ends(self, leg: "ControllerLeg") -> None:
        """It takes nothing more, and is soon gone."""

    def controller_lost(self, leg: "ControllerLeg") -> None:
        """It is gone after it was taken over."""

    def regulate(self) -> None:
        """:attr:`ControllerLeg.full` changed."""


class ControllerLeg(asyncio.BufferedProtocol):
    """It sends nothing before :meth:`begin`: of several dialled at once, one is used.

    ``lost`` means that the connection is gone, ``full`` that it takes nothing more just now.
    """

    get_buffer: Place
    buffer_updated: Landed

    def __init__(self, owner: Owner, limits: Limits, landing: Landing) -> None:
        self._owner = owner
        self._landing = landing
        self.get_buffer, self.buffer_updated = landing.place, partial(landing.landed, self)
        self._limits = limits
        self._response: handshake.ResponseReader | None = None
        self._reader: MessageReader | None = MessageReader(masked=False, limit=limits.answer)
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._begun = False
        self.passes: Passes = nothing_passes
        self.forward: Forward = nothing_passes
        self._piped = False
        self._dropped = False
        self.lost = False
        self.full = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._limits.buffer)

    def begin(self, host: str, path: str, headers: Mapping[str, str]) -> None:
        """Asks for the websocket; the client leg hears what comes of it."""
        self._begun = True
        if self.lost:
            self._fail("closed the connection")
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._limits.controller_login, self._late)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self._response = handshake.ResponseReader(key)
        self.write(handshake.build_request(host=host, path=path, key=key, headers=headers))

    def send(self, message: bytes) -> None:
        """Sends a message of JIMM's own."""
        self.write(frames.encode(frames.TEXT, message, mask=secrets.token_bytes(4)))

    def take_over(self, passes: Passes, forward: Forward) -> bytes:
        """From now on its bytes go to the pipe: to ``forward`` those that simply pass, to the
        client leg all others. Gives those that came already."""
        self._piped, self.passes, self.forward = True, passes, forward
        self._stop_timer()
        reader, self._reader = self._reader, None
        return b"" if reader is None else reader.rest()

    @property
    def way(self) -> Callable[[bytes], None]:
        """Writes bytes as they are, by the shortest way; for a leg that is open."""
        return self.write if self._transport is None else self._transport.write

    def detour(self) -> None:
        """Nothing simply passes any more, for the client takes no more."""
        self.passes = nothing_passes

    def write(self, data: bytes) -> None:
        """Writes bytes as they are."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def read(self, *, on: bool) -> None:
        """Reads on, or no further."""
        if self._transport is None or self._transport.is_closing():
            return
        if on:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def close(self) -> None:
        """Closes it once all is written."""
        if self._transport is not None:
            self._transport.close()

    def retire(self) -> None:
        """Another leg took its place: says goodbye, and is not heard any more."""
        self._silence()
        self.write(frames.close_frame(frames.NORMAL, mask=secrets.token_bytes(4)))
        self.close()

    def drop(self) -> None:
        """Drops it at once; the client leg hears nothing more of it."""
        self._silence()
        self._stop_timer()
        self.abort()

    def abort(self) -> None:
        """Cuts it, and the client leg hears of it."""
        if self._transport is not None:
            self._transport.abort()

    def receive(self, data: bytes) -> None:
        """Bytes arrived that do not simply pass."""
        if self._dropped:
            return
        if self._piped:
            self._owner.controller_sent(self, data)
        else:
            try:
                self._read(data)
            except ProtocolError as error:
                self._fail(f"does not keep to the protocol: {error}")

    def eof_received(self) -> None:
        self._landing.settle()
        if self._piped:
            self._owner.controller_ends(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._landing.settle()
        self.lost, self._transport = True, None
        self.passes, self.forward = nothing_passes, nothing_passes
        self.buffer_updated = nothing_lands
        self._stop_timer()
        if self._piped:
            self._owner.controller_lost(self)
        elif self._begun:
            self._fail("closed the connection")

    def pause_writing(self) -> None:
        self.full = True
        self._owner.regulate()

    def resume_writing(self) -> None:
        self.full = False
        self._owner.regulate()

    def _read(self, data: bytes) -> None:
        if self._response is not None:
            response = self._response.feed(data)
            if response is None:
                return
            data, self._response = self._response.rest(), None
            if response.status != 101:
                self._fail(f"answered HTTP {response.status} in place of a websocket")
                return
            self._owner.leg_opened(self)
        reader = self._reader
        if reader is None:
            return
        reader.feed(data)
        while not self._piped and not self._dropped and (item := reader.next()) is not None:
            match item:
                case Message(payload):
                    self._owner.leg_spoke(self, payload)
                case Control(frames.PING, payload):
                    pong = frames.encode(frames.PONG, payload, mask=secrets.token_bytes(4))
                    self.write(pong)
                case Control(frames.CLOSE):
                    self._fail("closed the connection")

    def _silence(self) -> None:
        self._dropped = True
        self.detour()

    def _late(self) -> None:
        self._fail(f"did not answer the login within {self._limits.controller_login:g} s")

    def _fail(self, why: str) -> None:
        if not self._dropped:
            self.drop()
            self._owner.leg_failed(self, why)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
