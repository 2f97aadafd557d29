"""Several addresses at once: the first that answers wins, the others leave no trace."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import ControllerUnavailable, NotValid
from jimm.net.certificates import Authority
from jimm.net.dial import Address, open_connection, race
from jimm.net.tls import client_context, server_context
from tests.eventually import eventually


@given(
    host=st.one_of(
        st.ip_addresses().map(str),
        st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True),
    ),
    port=st.integers(min_value=1, max_value=65535),
)
def test_an_address_reads_as_it_is_written(host: str, port: int) -> None:
    address = Address(host, port)
    assert Address.parse(str(address)) == address


@given(st.text(max_size=30))
def test_any_text_is_an_address_or_not_valid(text: str) -> None:
    with suppress(NotValid):
        assert 0 < Address.parse(text).port < 65536


@pytest.mark.parametrize(
    "text",
    ["", "host", "host:", ":17070", "host:0", "host:65536", "host:x", "::1:17070", "[]:1"],
)
def test_a_host_and_a_port_are_both_needed(text: str) -> None:
    with pytest.raises(NotValid, match="use host:port"):
        Address.parse(text)


@pytest.mark.parametrize("text", ["h/p:1", "user@h:1", "h:\N{ARABIC-INDIC DIGIT ONE}", "a b:1"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(NotValid, match="use host:port"):
        Address.parse(text)


class Opened:
    """What an attempt opened, and whether it was discarded."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.discarded = False

    def discard(self) -> None:
        self.discarded = True


async def test_the_first_success_wins_and_a_success_besides_is_discarded() -> None:
    together = asyncio.Barrier(3)
    opened: list[Opened] = []

    async def attempt(address: Address) -> Opened:
        await together.wait()
        opened.append(Opened(address))
        return opened[-1]

    won = await race(
        ["a:1", "b:1", "c:1"], attempt, discard=Opened.discard, deadline=5, stagger=0.0
    )
    assert len(opened) == 3
    assert not won.discarded
    assert sum(each.discarded for each in opened) == 2


async def test_a_failure_starts_the_next_at_once() -> None:
    tried: list[str] = []

    async def attempt(address: Address) -> Opened:
        tried.append(address.host)
        if address.host != "c":
            raise ConnectionRefusedError
        return Opened(address)

    async with asyncio.timeout(5):
        won = await race(
            ["a:1", "b:1", "c:1"], attempt, discard=Opened.discard, deadline=60, stagger=60
        )
    assert (won.address.host, tried) == ("c", ["a", "b", "c"])


async def test_the_losers_are_cancelled() -> None:
    cancelled: list[str] = []
    started = asyncio.Event()

    async def attempt(address: Address) -> Opened:
        if address.host == "a":
            await started.wait()
            return Opened(address)
        try:
            started.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(address.host)
            raise
        raise AssertionError

    await race(["a:1", "b:1"], attempt, discard=Opened.discard, deadline=5, stagger=0.001)
    assert cancelled == ["b"]


async def test_nothing_is_left_of_a_race_that_was_given_up() -> None:
    ended = asyncio.Event()
    started = asyncio.Event()

    async def attempt(_: Address) -> Opened:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    async with asyncio.TaskGroup() as group:
        racing = group.create_task(race(["a:1"], attempt, discard=Opened.discard, deadline=60))
        await started.wait()
        racing.cancel()
    assert ended.is_set()


async def test_the_error_names_each_address_and_why() -> None:
    async def attempt(address: Address) -> Opened:
        match address.host:
            case "a":
                raise ConnectionRefusedError
            case "b":
                raise socket.gaierror(socket.EAI_NONAME, "unknown")
            case "c":
                raise OSError(113, "No route to host")
            case _:
                await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(ControllerUnavailable) as caught:
        await race(["a:1", "b:1", "c:1"], attempt, discard=Opened.discard, deadline=5, stagger=0.0)
    assert str(caught.value) == (
        "cannot reach the controller at a:1 (connection refused), "
        "b:1 (its name cannot be resolved), c:1 (no route to host)"
    )
    with pytest.raises(ControllerUnavailable, match=r"f:1 \(no answer within 0\.05 s\), 2 more"):
        await race(
            ["d:1", "e:1", "f:1", "g:1", "a:1"],
            attempt,
            discard=Opened.discard,
            deadline=0.05,
            stagger=0.0,
        )


async def test_without_an_address_there_is_nothing_to_dial() -> None:
    async def attempt(address: Address) -> Opened:
        return Opened(address)

    with pytest.raises(ControllerUnavailable, match="no known address"):
        await race([], attempt, discard=Opened.discard, deadline=5)


class Recording(asyncio.Protocol):
    """Knows whether it is connected."""

    def __init__(self) -> None:
        self.connected = False

    def connection_made(self, _: asyncio.BaseTransport) -> None:
        self.connected = True

    def connection_lost(self, _: Exception | None) -> None:
        self.connected = False


@asynccontextmanager
async def listening(authority: Authority) -> AsyncIterator[str]:
    context = server_context(authority.issue(["127.0.0.1"]))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0, ssl=context)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


async def test_a_connection_by_tls_to_the_address_that_answers() -> None:
    authority = Authority.create("ours")
    made: list[Recording] = []

    def factory() -> Recording:
        made.append(Recording())
        return made[-1]

    async with listening(authority) as address:
        transport, protocol = await open_connection(
            [_closed_port(), address, address],
            factory,
            ssl=client_context(authority.certificate_pem),
            server_hostname="juju-apiserver",
            deadline=5,
        )
        assert protocol.connected
        await eventually(lambda: sum(each.connected for each in made) == 1)
        transport.abort()
        await eventually(lambda: not protocol.connected)


@pytest.mark.parametrize(
    ("stranger", "name", "why"),
    [
        (True, "juju-apiserver", "its certificate is not signed by the registered CA"),
        (False, "elsewhere.example.com", "its certificate is for another name"),
    ],
)
async def test_a_certificate_that_does_not_prove_it_is_said(
    stranger: bool, name: str, why: str
) -> None:
    authority = Authority.create("ours")
    trusted = Authority.create("another") if stranger else authority
    async with listening(authority) as address:
        with pytest.raises(ControllerUnavailable, match=why):
            await open_connection(
                [address],
                Recording,
                ssl=client_context(trusted.certificate_pem),
                server_hostname=name,
                deadline=5,
            )


async def test_a_peer_that_never_shakes_hands_is_left_at_the_deadline() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        with pytest.raises(ControllerUnavailable, match=r"no answer within 0\.1 s"):
            await open_connection(
                [f"{host}:{port}"],
                Recording,
                ssl=client_context(None),
                server_hostname="juju-apiserver",
                deadline=0.1,
            )


def _closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host, port = probe.getsockname()
        return f"{host}:{port}"
