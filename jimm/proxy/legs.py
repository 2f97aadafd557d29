"""The asyncio protocols that obey the porter and the pipe.

A :class:`ClientLeg` owns everything of one client: its porter, then its pipe, and the
controller leg behind it. No task runs for a message; only a login has one.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Final, assert_never, cast

from jimm.access.visitor import CLIENT_VERSION, NOBODY, visitor
from jimm.audit.call import Asked
from jimm.errors import ControllerUnavailable, JimmError, TryAgain
from jimm.net.dial import open_connection
from jimm.proxy import pipe, porter
from jimm.proxy.controller_leg import ControllerLeg
from jimm.proxy.device_logins import NOT_NOW, DeviceLogins
from jimm.proxy.doorkeeper import Admission
from jimm.proxy.guarded_pipe import GuardedPipe
from jimm.proxy.landing import (
    Forward,
    Landed,
    Passes,
    Place,
    go_on,
    nothing_lands,
    nothing_passes,
)
from jimm.proxy.recorded import Record
from jimm.proxy.surroundings import Surroundings
from jimm.wire import frames, handshake, login
from jimm.wire.frames import Control, FrameError, Message, MessageReader

_TOO_MUCH: Final = "JIMM keeps too much for those that do not read"

log = logging.getLogger(__name__)


class ClientLeg(asyncio.BufferedProtocol):
    """A client's connection to one model, from the upgrade to its end."""

    get_buffer: Place
    buffer_updated: Landed

    def __init__(
        self, around: Surroundings, model: str, gone: Callable[["ClientLeg"], None]
    ) -> None:
        self._around = around
        self._landing = around.landing
        self.get_buffer, self.buffer_updated = (
            self._landing.place,
            partial(self._landing.landed, self),
        )
        self._model = model
        self._gone = gone
        self._visitor = NOBODY
        self._record: Record | None = None
        self._headers: dict[str, str] = {}
        self._reader: MessageReader | None = MessageReader(masked=True, limit=around.limits.message)
        self._porter = porter.Porter()
        self._pipe: pipe.Pipe | None = None
        self.passes: Passes = nothing_passes
        self.forward: Forward = nothing_passes
        self._admission: Admission | None = None
        self._leg: ControllerLeg | None = None
        self._new_leg: ControllerLeg | None = None
        self._task: asyncio.Task[None] | None = None
        self._devices: DeviceLogins | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._full = False
        self._held = False
        self._ended = False
        self.reads_client = True
        self.reads_controller = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=self._around.limits.buffer)

    def open(self, request: handshake.UpgradeRequest) -> None:
        """Answers the upgrade and listens for a login."""
        if version := request.headers.get(CLIENT_VERSION):
            self._headers[CLIENT_VERSION] = version
        client = _address(self._transport)
        self._visitor = visitor(request.headers, client)
        around = self._around
        if around.recorder is not None:
            self._record = Record(around.recorder, around.local_domain, self._model, client)
        self._write(handshake.accept(request))
        limit = self._around.limits.login
        self._end_in(
            limit, partial(self.close, frames.POLICY_VIOLATION, f"no login in {limit:g} s")
        )

    def data_received(self, data: bytes) -> None:
        """Bytes arrived before this was the transport's protocol."""
        go_on(self, data)

    def receive(self, data: bytes) -> None:
        """Bytes arrived that do not simply pass."""
        if self._pipe is not None:
            self._obey(self._pipe.client_sent(data))
        elif not self._ended and self._reader is not None:
            self._reader.feed(data)
            try:
                self._read(self._reader)
            except FrameError as error:
                self.close(error.close_code, str(error))

    def eof_received(self) -> None:
        self._landing.settle()
        if self._leg is not None:
            self._leg.detour()

    def connection_lost(self, exc: Exception | None) -> None:
        self._landing.settle()
        self._around.pipes.discard(self)
        self._gone(self)
        self._transport = None
        self.buffer_updated = nothing_lands
        self._around.rounds.discard(self)
        self._around.stalled.discard(self)
        if self._pipe is not None:
            self._obey(self._pipe.client_lost())
        self._ended = True
        self._abandon()
        self._rest_if_over()

    def pause_writing(self) -> None:
        self._full = True
        self.regulate()

    def resume_writing(self) -> None:
        self._full = False
        self.regulate()

    def shutdown(self) -> None:
        """uvicorn stops: the client is told, and connects again elsewhere or later."""
        self.close(frames.GOING_AWAY, "JIMM is stopping, connect again")

    def close(self, code: int, reason: str) -> None:
        """Tells both ends and ends it, within the deadline for closing."""
        if self._pipe is not None:
            self._obey(self._pipe.close(code, reason))
        elif not self._ended:
            self._ended = True
            self._abandon()
            self._write(frames.close_frame(code, reason))
            self._close_transport()
            self._end_in(self._around.limits.close, self._expire)

    def abort(self) -> None:
        """Cuts the client's connection."""
        if self._transport is not None:
            self._transport.abort()

    def regulate(self) -> None:
        """Each side is read from only as far as the other takes what is written to it, and the
        client only as far as there is room for a record of it. JIMM itself answers a client
        before the pipe is open, and on a guarded one."""
        leg, recorder, stalled = self._leg, self._around.recorder, self._around.stalled
        if self._transport is not None and (self._full or (leg is not None and leg.full)):
            stalled.add(self, asyncio.get_running_loop().time())
        else:
            stalled.discard(self)
        answers = leg is None or isinstance(self._pipe, GuardedPipe)
        reads_client = not (
            self._held
            or (answers and self._full)
            or (leg is not None and (leg.full or (recorder is not None and recorder.full)))
        )
        transport = self._transport
        if reads_client is not self.reads_client and transport is not None:
            self.reads_client = reads_client
            if reads_client:
                transport.resume_reading()
            else:
                transport.pause_reading()
        if leg is not None and self._full is self.reads_controller:
            self.reads_controller = not self._full
            leg.read(on=self.reads_controller)

    def tick(self) -> None:
        """Time went by."""
        if self._pipe is not None and self._transport is not None:
            now = asyncio.get_running_loop().time()
            reads = {"client_read": self.reads_client, "controller_read": self.reads_controller}
            self._obey(self._pipe.tick(now, **reads))
            if self._around.stalled.has_to_go(self, now):
                self.close(frames.POLICY_VIOLATION, _TOO_MUCH)

    def controller_sent(self, leg: ControllerLeg, data: bytes) -> None:
        """The controller leg of the pipe has bytes."""
        if leg is self._leg and self._pipe is not None:
            self._obey(self._pipe.controller_sent(data))

    def controller_ends(self, leg: ControllerLeg) -> None:
        """The controller leg of the pipe takes nothing more."""
        if leg is self._leg:
            self.passes = nothing_passes

    def controller_lost(self, leg: ControllerLeg) -> None:
        """The controller leg of the pipe is gone."""
        if leg is self._leg and self._pipe is not None:
            self._obey(self._pipe.controller_lost())
            self._rest_if_over()

    def leg_opened(self, leg: ControllerLeg) -> None:
        """A new controller leg is a websocket now."""
        if leg is self._new_leg:
            self._hear(porter.LegOpened())

    def leg_spoke(self, leg: ControllerLeg, message: bytes) -> None:
        """A new controller leg answered the login."""
        if leg is self._new_leg:
            self._hear(porter.ControllerSpoke(message))

    def leg_failed(self, leg: ControllerLeg, why: str) -> None:
        """A new controller leg came to nothing."""
        if leg is self._new_leg and self._admission is not None:
            self._new_leg = None
            error = ControllerUnavailable(f"{self._admission.endpoint} {why}")
            self._hear(porter.LegLost(error))

    def _read(self, reader: MessageReader) -> None:
        while self._pipe is None and not self._ended:
            match reader.next():
                case None:
                    return
                case Message(payload):
                    self._hear(porter.ClientSpoke(payload))
                case Control(frames.PING, payload):
                    self._write(frames.encode(frames.PONG, payload))
                case Control(frames.CLOSE, payload):
                    self.close(*frames.parse_close(payload))

    def _do(self, commands: list[porter.Command]) -> None:
        for command in commands:
            match command:
                case porter.Tell(message):
                    if self._record is not None:
                        self._record.told(message)
                    self._write(frames.encode(frames.TEXT, message))
                case porter.Admit(attempt):
                    doorkeeper = self._around.doorkeeper
                    ask = partial(doorkeeper.admit, self._model, attempt, self._visitor)
                    self._spawn(self._ask(ask, attempt), "admit to")
                case porter.Readmit():
                    ask = partial(self._around.doorkeeper.readmit, self._admitted)
                    self._spawn(self._ask(ask), "readmit to")
                case porter.OpenLeg():
                    self._spawn(self._dial(), "dial")
                case porter.Introduce(message):
                    self._newest.send(message)
                case porter.DropLeg():
                    self._newest.drop()
                    self._new_leg = None
                case porter.OpenPipe():
                    self._open_pipe()
                case porter.ResumePipe():
                    self._resume_pipe()
                case porter.RefusePipe(error):
                    if self._pipe is not None:
                        self._obey(self._pipe.refused(error))
                case login.BeginDevice(ticket):
                    self._logins.begin(ticket, self._visitor)
                case login.AwaitDevice(ticket, login_id):
                    self._logins.wait(ticket, login_id)
                case login.DropDevices():
                    self._logins.drop()
                case _:
                    assert_never(command)

    def _obey(self, commands: list[pipe.Command]) -> None:
        for command in commands:
            match command:
                case pipe.ToController():
                    self._current.write(command.data)
                case pipe.ToClient():
                    self._write(command.data)
                case pipe.CloseController():
                    self._current.close()
                case pipe.CloseClient():
                    self._close_transport()
                case pipe.CutController():
                    self._current.drop()
                case pipe.CutClient():
                    self.abort()
                case pipe.HoldClient():
                    self._hold(True)
                case pipe.ReleaseClient():
                    self._hold(False)
                case pipe.AskForAccess():
                    self._hear(porter.AccessRequired())
                case pipe.BeginClosing():
                    self._end_in(self._around.limits.close, self._expire)
                case _:
                    assert_never(command)

    async def _ask(
        self, ask: Callable[[], Awaitable[Admission]], attempt: login.Attempt | None = None
    ) -> None:
        event: porter.Event
        admission: Admission | None = None
        try:
            admission = await ask()
        except JimmError as error:
            event = porter.Denied(error)
        except Exception:
            log.exception("a login to model %s could not be checked", self._model)
            event = porter.Denied(TryAgain(NOT_NOW))
        else:
            self._admission = admission.remembered()
            self._around.pipes.add(self, self._admission)
            event = porter.Admitted(admission.introduction())
        if self._record is not None and attempt is not None:
            self._record.tried(self._porter.checking, attempt, admission)
        self._hear(event)

    async def _dial(self) -> None:
        endpoint, limits = self._admitted.endpoint, self._around.limits
        try:
            _, leg = await open_connection(
                endpoint.addresses,
                lambda: ControllerLeg(self, limits, self._landing),
                ssl=endpoint.tls(),
                server_hostname=endpoint.server_name,
                deadline=limits.dial,
            )
        except JimmError as error:
            log.warning("%s, for model %s: %s", endpoint, self._model, error)
            # The text names the controller's addresses, which clients don't learn.
            unavailable = ControllerUnavailable(f"{endpoint} cannot be reached, try again later")
            self._hear(porter.LegLost(unavailable))
            return
        self._new_leg = leg
        path = f"/model/{self._admitted.model_uuid}/api"
        leg.begin(endpoint.server_name, path, self._headers)

    def _open_pipe(self) -> None:
        self._leg, self._new_leg = self._newest, None
        self._stop_deadline()
        opened = self._pipe = self._new_pipe()
        early = self._join(self._leg, opened)
        unread = b"" if self._reader is None else self._reader.rest()
        self._reader = self._task = None  # an open pipe waits for years, and needs neither
        self._around.rounds.add(self)
        self.regulate()
        if unread:
            self._obey(opened.client_sent(unread))
        if early:
            self._obey(opened.controller_sent(early))

    def _new_pipe(self) -> pipe.Pipe:
        restriction, record = self._admitted.restriction, self._record
        note: pipe.Note = _ignore
        failed = None
        if record is not None:
            note, failed = record.called, record.failed
        if self._around.note is not None:
            note = _both(partial(self._around.note, self._admitted), note)
        make = pipe.Pipe if restriction is None else partial(GuardedPipe, restriction)
        return make(token=secrets.token_bytes(8), new_mask=_new_mask, note=note, failed=failed)

    def _resume_pipe(self) -> None:
        leg, self._new_leg = self._newest, None
        if self._pipe is None or self._pipe.state is not pipe.State.ASKING:
            leg.drop()
            return
        self._current.retire()
        self._leg, self.reads_controller = leg, True
        early = self._join(leg, self._pipe)
        self._obey(self._pipe.readmitted())
        self.regulate()
        if early:
            self._obey(self._pipe.controller_sent(early))

    def _join(self, leg: ControllerLeg, through: pipe.Pipe) -> bytes:
        """What simply passes goes from one transport to the other from now on."""
        self.passes, self.forward = through.client_passes, leg.way
        way = self._write if self._transport is None else self._transport.write
        return leg.take_over(through.controller_passes, way)

    def _hold(self, on: bool) -> None:
        self._held = on
        self.regulate()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _close_transport(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _expire(self) -> None:
        self.abort()
        if self._leg is not None:
            self._leg.drop()

    def _abandon(self) -> None:
        if self._devices is not None:
            self._devices.drop()
        if self._task is not None:
            self._task.cancel()
        if self._new_leg is not None:
            self._new_leg.drop()
            self._new_leg = None

    def _rest_if_over(self) -> None:
        if self._transport is None and (self._leg is None or self._leg.lost):
            self._stop_deadline()
            # Nothing of a pipe that is over is left for the garbage collector to find.
            self._leg, self.passes, self.forward = None, nothing_passes, nothing_passes

    def _end_in(self, seconds: float, end: Callable[[], None]) -> None:
        self._stop_deadline()
        self._deadline = asyncio.get_running_loop().call_later(seconds, end)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _spawn(self, coroutine: Coroutine[None, None, None], what: str) -> None:
        self._task = self._around.tasks.spawn(coroutine, name=f"{what} model {self._model}")

    @property
    def _logins(self) -> DeviceLogins:
        if self._devices is None:
            around = self._around
            self._devices = DeviceLogins(around.doorkeeper, around.tasks, self._hear)
        return self._devices

    def _hear(self, event: porter.Event) -> None:
        self._do(self._porter.receive(event))

    @property
    def _admitted(self) -> Admission:
        assert self._admission is not None
        return self._admission

    @property
    def _current(self) -> ControllerLeg:
        assert self._leg is not None
        return self._leg

    @property
    def _newest(self) -> ControllerLeg:
        assert self._new_leg is not None
        return self._new_leg


def _address(transport: asyncio.Transport | None) -> str:
    peer = None if transport is None else transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""


def _both(first: pipe.Note, second: pipe.Note) -> pipe.Note:
    def note(call: Asked) -> None:
        first(call)
        second(call)

    return note


def _new_mask() -> bytes:
    return secrets.token_bytes(4)


def _ignore(*_: object) -> None:
    """Nobody keeps a record of what passes."""
