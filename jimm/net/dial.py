"""Reaching a controller at any of its addresses: all are tried, the first that answers wins.

As the juju client does it (Juju ``api/apiclient.go``): in parallel, 50 ms apart, and at once
when an earlier one fails.
"""

import asyncio
import os
import socket
import ssl as ssl_module
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from jimm.errors import ControllerUnavailable, NotValid
from jimm.net.tasks import Tasks

T = TypeVar("T")
P = TypeVar("P", bound=asyncio.BaseProtocol)

STAGGER: Final = 0.05
_PROBES: Final = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
_SHOWN: Final = 3  # addresses that an error names
_HOSTNAME_MISMATCH: Final = frozenset({62, 64})  # X509_V_ERR_{HOSTNAME,IP_ADDRESS}_MISMATCH
_EXPIRED: Final = frozenset({9, 10})  # X509_V_ERR_CERT_{NOT_YET_VALID,HAS_EXPIRED}


class Address(NamedTuple):
    """Where to connect to; written ``host:port``, an IPv6 host in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> "Address":
        """The address in ``host:port`` or ``[host]:port``.

        Raises:
            NotValid: anything else, a path or a missing port included.
        """
        host, _, port = text.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        bracketed = bare != host
        sound = bare and (bracketed or ":" not in bare) and not set(bare) & set("/@[]?# ")
        if not sound or not port.isascii() or not port.isdecimal() or not 0 < int(port) < 65536:
            raise NotValid(f'"{text}" is not an address: use host:port', field="api-addresses")
        return cls(bare, int(port))


async def open_connection(
    addresses: Sequence[str],
    protocol_factory: Callable[[], P],
    *,
    ssl: ssl_module.SSLContext | None,
    server_hostname: str | None,
    deadline: float,
) -> tuple[asyncio.Transport, P]:
    """A transport and its protocol, connected to the first address that answers.

    The factory is called once for each address tried: a loser's protocol may see
    ``connection_made`` and then ``connection_lost``, so a protocol should send nothing before
    it was returned from here. ``deadline`` is seconds for all of it, TLS included.

    Raises:
        ControllerUnavailable: none answered in time; says why, address by address.
    """
    loop = asyncio.get_running_loop()

    async def attempt(address: Address) -> tuple[asyncio.Transport, P]:
        return await loop.create_connection(
            protocol_factory,
            address.host,
            address.port,
            ssl=ssl,
            server_hostname=server_hostname if ssl is not None else None,
        )

    return await race(addresses, attempt, discard=lambda lost: lost[0].abort(), deadline=deadline)


async def race(
    addresses: Sequence[str],
    attempt: Callable[[Address], Awaitable[T]],
    *,
    discard: Callable[[T], None],
    deadline: float,
    stagger: float = STAGGER,
) -> T:
    """What the first successful attempt gave; the others are cancelled, or discarded.

    An attempt fails by ``OSError`` or :class:`ControllerUnavailable`; anything else is a fault
    of ours and comes out as it is.

    Raises:
        ControllerUnavailable: none succeeded within ``deadline`` seconds.
        NotValid: one of the addresses can't be read.
    """
    if not addresses:
        raise ControllerUnavailable("the controller has no known address")
    contest = _Race([Address.parse(text) for text in addresses], attempt, discard)
    if len(addresses) == 1:
        return await contest.walk(deadline)
    return await contest.run(deadline, stagger)


class _Fault(NamedTuple):
    reason: str


class _Race(Generic[T]):
    def __init__(
        self,
        addresses: Sequence[Address],
        attempt: Callable[[Address], Awaitable[T]],
        discard: Callable[[T], None],
    ) -> None:
        self._waiting = list(reversed(addresses))
        self._attempt = attempt
        self._discard = discard
        self._tasks = Tasks()
        self._started: dict[asyncio.Task[T | _Fault], Address] = {}
        self._faults: dict[Address, str] = {}

    async def walk(self, deadline: float) -> T:
        """The only attempt, for which no task is needed."""
        address = self._waiting.pop()
        try:
            async with asyncio.timeout(deadline):
                outcome = await self._try(address)
        except TimeoutError as error:
            raise _unavailable({address: f"no answer within {deadline:g} s"}) from error
        if isinstance(outcome, _Fault):
            raise _unavailable({address: outcome.reason})
        return outcome

    async def run(self, deadline: float, stagger: float) -> T:
        kept: T | None = None
        try:
            async with asyncio.timeout(deadline):
                won = await self._first(stagger)
            await self._tasks.aclose()
            kept = won
            return won
        except TimeoutError as error:
            silent = [*self._started.values(), *reversed(self._waiting)]
            faults = dict.fromkeys(silent, f"no answer within {deadline:g} s") | self._faults
            raise _unavailable(faults) from error
        finally:
            await self._tasks.aclose()
            self._discard_all_but(kept)

    async def _first(self, stagger: float) -> T:
        running: set[asyncio.Task[T | _Fault]] = set()
        while self._waiting or running:
            if self._waiting:
                running.add(self._start(self._waiting.pop()))
            done, running = await asyncio.wait(
                running,
                timeout=stagger if self._waiting else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                outcome = task.result()
                if not isinstance(outcome, _Fault):
                    return outcome
                self._faults[self._started[task]] = outcome.reason
        raise _unavailable(self._faults)

    def _start(self, address: Address) -> asyncio.Task[T | _Fault]:
        task = self._tasks.spawn(self._try(address), name=f"dial {address}")
        self._started[task] = address
        return task

    async def _try(self, address: Address) -> T | _Fault:
        try:
            return await self._attempt(address)
        except ControllerUnavailable as error:
            return _Fault(str(error))
        except OSError as error:
            return _Fault(reason(error))

    def _discard_all_but(self, kept: T | None) -> None:
        for task in self._started:
            if task.cancelled() or task.exception() is not None:
                continue
            outcome = task.result()
            if not isinstance(outcome, _Fault) and outcome is not kept:
                self._discard(outcome)


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Has the system find out within two minutes that a silent peer's machine is gone.

    For connections on which silence is no fault, and nobody answers pings.
    """
    found = transport.get_extra_info("socket")
    if found is None:
        return
    found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PROBES.items():
        if hasattr(socket, name):  # not on every system under the same name
            found.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def reason(error: OSError) -> str:
    """Why a connection failed, as half a sentence without secrets."""
    match error:
        case ssl_module.SSLCertVerificationError():
            return _certificate_reason(error)
        case ssl_module.SSLError():
            return "the TLS handshake failed"
        case socket.gaierror():
            return "its name cannot be resolved"
        case TimeoutError():
            return "no answer in time"
        case ConnectionRefusedError():
            return "connection refused"
        case ConnectionError():
            return "it closed the connection"
        case _:
            # Python sums up several failures of one name in one error without a number.
            return os.strerror(error.errno).lower() if error.errno else "connection failed"


def _certificate_reason(error: ssl_module.SSLCertVerificationError) -> str:
    if error.verify_code in _HOSTNAME_MISMATCH:
        return "its certificate is for another name"
    if error.verify_code in _EXPIRED:
        return "its certificate is expired or not yet valid"
    return "its certificate is not signed by the registered CA"


def _unavailable(faults: dict[Address, str]) -> ControllerUnavailable:
    shown = [f"{address} ({why})" for address, why in list(faults.items())[:_SHOWN]]
    if len(faults) > _SHOWN:
        shown.append(f"{len(faults) - _SHOWN} more")
    return ControllerUnavailable(f"cannot reach the controller at {', '.join(shown)}")
