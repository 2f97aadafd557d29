"""A source's way to the target: dial, login, calls and uploads (Juju ``migration/dial.go``,
``api/controller/migrationtarget``)."""

import asyncio
import base64
import logging
from collections.abc import Mapping
from typing import Final, TypeVar

import httpx
import msgspec
from msgspec import Struct

from jimm.errors import ControllerUnavailable, RemoteError
from jimm.net.tls import JUJU_SERVER_NAME, client_context
from jimm.net.websocket import Websocket, open_websocket
from jimm.simulator.clock import Clock
from jimm.simulator.dialects import Release
from jimm.simulator.migration.record import Target
from jimm.wire import codes, tags
from jimm.wire.envelope import Request, Response, decode, encode_request
from jimm.wire.fold import convert
from jimm.wire.params.admin import LoginRequest, LoginResult, SessionToken

T = TypeVar("T")

log = logging.getLogger(__name__)

DIAL: Final = 3.0  # seconds for one try, real ones: a handshake takes what it takes
RETRY: Final = 0.1
PATIENCE: Final = 60.0
CALLED: Final[Mapping[str, tuple[int, ...]]] = {
    "Admin": (3,),
    "Controller": (11, 12),
    "MigrationTarget": (4, 5, 6),
    "UserManager": (3,),
}
"""The versions of each facade that a 3.6 source speaks."""

CALLED_BY_FOUR: Final[Mapping[str, tuple[int, ...]]] = {
    "Admin": (3,),
    "Controller": (12, 13, 14),
    "MigrationTarget": (4, 5, 6, 7, 8),
    "UserManager": (3,),
}
"""The same of a 4.0 source."""

UPLOAD_EXTENSIONS: Final = {"sni_hostname": JUJU_SERVER_NAME}
"""Makes httpx look for the name that is in every controller's certificate."""

MODEL_HEADER: Final = "X-Juju-Migration-Model-UUID"
MACAROONS_HEADER: Final = "Macaroons"
VERSION_HEADER: Final = "X-Juju-ClientVersion"


class Outbound:
    """One logged-in connection to a target, for one caller at a time."""

    def __init__(
        self,
        socket: Websocket,
        target: Target,
        login: LoginResult,
        called: Mapping[str, tuple[int, ...]],
    ) -> None:
        self._socket = socket
        self._target = target
        self._last_id = 1  # the login's
        self._called = called
        self.login = login

    @property
    def controller_tag(self) -> str:
        """Who answered."""
        return self.login.controller_tag

    def version(self, facade: str) -> int:
        """The best version of a facade that both ends know, 0 for none."""
        offered = {each.name: each.versions for each in self.login.facades}
        return max(set(self._called[facade]) & set(offered.get(facade, ())), default=0)

    async def aclose(self) -> None:
        """Ends the connection."""
        await self._socket.aclose()

    async def call(self, facade: str, method: str, params: Struct | None, result: type[T]) -> T:
        """The result of a call.

        Raises:
            RemoteError: the target refused.
            ConnectionError: the connection was lost; nobody knows whether it was carried out.
            ProtocolError: the answer makes no sense.
        """
        self._last_id += 1
        request = Request(
            request_id=self._last_id,
            type=facade,
            version=self.version(facade),
            request=method,
            params={} if params is None else params,
        )
        return convert(await _exchange(self._socket, request), result)

    def uploads(self, model_uuid: str) -> httpx.AsyncClient:
        """A new HTTP client for the ``/migrate`` routes; its requests need
        :data:`UPLOAD_EXTENSIONS`."""
        return httpx.AsyncClient(
            base_url=f"https://{self._socket.address}",
            verify=client_context(self._target.ca_certificate),
            headers=_headers(self._target, model_uuid),
            timeout=None,  # noqa: S113 - as long as the target takes; a stalled one stalls Juju
            trust_env=False,
        )

    async def open_log(self, model_uuid: str, source_version: str) -> Websocket:
        """The stream that takes a model's log.

        Raises:
            ControllerUnavailable: no such socket could be opened.
        """
        headers = _headers(self._target, model_uuid) | {VERSION_HEADER: source_version}
        return await open_websocket(
            [str(self._socket.address)],
            "/migrate/logtransfer",
            context=client_context(self._target.ca_certificate),
            server_hostname=JUJU_SERVER_NAME,
            deadline=DIAL,
            headers=headers,
        )


async def connect(target: Target, clock: Clock, version: str) -> Outbound:
    """A connection to the target, logged in.

    Raises:
        ControllerUnavailable: nobody answered within a minute of the clock, or somebody with
            another certificate.
        RemoteError: the login was refused.
        ConnectionError: the connection was lost in the middle of the login.
        ProtocolError: the answer makes no sense.
    """
    socket = await _dial(target, clock)
    try:
        login = await _log_in(socket, target, version)
    except BaseException:
        socket.abort()
        raise
    called = CALLED_BY_FOUR if Release.of(version).is_four else CALLED
    return Outbound(socket, target, login, called)


async def reach(target: Target) -> None:
    """Opens a connection to the target and closes it, as an agent does to try its new home.

    Raises:
        ControllerUnavailable: nobody answered.
    """
    socket = await _open(target)
    await socket.aclose()


async def _dial(target: Target, clock: Clock) -> Websocket:
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE / clock.speed
    while True:
        try:
            return await _open(target)
        except ControllerUnavailable as error:
            # A wrong certificate will not get better; Juju gives up on x509 errors, too.
            if "its certificate" in str(error) or loop.time() > end:
                raise ControllerUnavailable(f"unable to connect to API: {error}") from error
        await clock.sleep(RETRY)


async def _open(target: Target) -> Websocket:
    return await open_websocket(
        target.addresses,
        "/api",
        context=client_context(target.ca_certificate),
        server_hostname=JUJU_SERVER_NAME,
        deadline=DIAL,
    )


async def _log_in(socket: Websocket, target: Target, version: str) -> LoginResult:
    if target.token:
        token = SessionToken(session_token=target.token.reveal())
        request = _admin(4, "LoginWithSessionToken", token)
    else:
        request = _admin(3, "Login", _login(target, version))
    result = convert(await _exchange(socket, request), LoginResult)
    if result.discharge_required is not None:
        raise RemoteError("cannot log in with these macaroons", codes.UNAUTHORIZED)
    return result


def _login(target: Target, version: str) -> LoginRequest:
    is_local = "@" not in target.user
    return LoginRequest(
        auth_tag=tags.user_tag(target.user) if is_local else "",
        credentials=target.password.reveal(),
        nonce="",
        macaroons=_list(target.macaroons.reveal()),
        user_data="",
        client_version=version,
    )


def _list(macaroons: str) -> list[object] | None:
    return convert(msgspec.json.decode(macaroons), list[object]) if macaroons else None


def _admin(version: int, method: str, params: Struct) -> Request:
    return Request(request_id=1, type="Admin", version=version, request=method, params=params)


async def _exchange(socket: Websocket, request: Request) -> object:
    await socket.send(encode_request(request))
    while True:
        message = decode(await socket.receive())
        if isinstance(message, Response) and message.request_id == request.request_id:
            break
    if message.error is not None:
        raise RemoteError(message.error, message.error_code, message.error_info)
    return message.response


def _headers(target: Target, model_uuid: str) -> dict[str, str]:
    if target.macaroons and not target.password:
        encoded = base64.b64encode(target.macaroons.reveal().encode()).decode()
        return {MODEL_HEADER: model_uuid, MACAROONS_HEADER: encoded}
    user = "" if target.token else tags.user_tag(target.user)
    secret = target.token or target.password
    pair = base64.b64encode(f"{user}:{secret.reveal()}".encode()).decode()
    return {MODEL_HEADER: model_uuid, "Authorization": f"Basic {pair}"}
