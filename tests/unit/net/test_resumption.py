"""TLS sessions are taken up again: with the same peer alone, and not for ever."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvloop

from jimm.controllers.endpoint import Endpoint
from jimm.net.certificates import Authority
from jimm.net.resumption import VERIFIED_FOR, ResumingContext
from jimm.net.tls import JUJU_SERVER_NAME, client_context, resuming_context, server_context
from jimm.wire.tags import ControllerUUID

A = ControllerUUID("0d8b1a2c-2f6e-4c0e-9d0c-2f3d4e5f6a7b")
B = ControllerUUID("1d8b1a2c-2f6e-4c0e-9d0c-2f3d4e5f6a7b")


@asynccontextmanager
async def listening(context: ssl.SSLContext) -> AsyncIterator[int]:
    """A server that says whether each connection's session was taken up again; its port."""

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken_up = writer.get_extra_info("ssl_object").session_reused
        await reader.readline()
        writer.write(b"taken up\n" if taken_up else b"whole\n")
        writer.close()

    server = await asyncio.start_server(tell, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def ask(port: int, context: ssl.SSLContext, name: str = JUJU_SERVER_NAME) -> str:
    """What the server says, and the client's end agrees with."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=name
    )
    writer.write(b"hello\n")
    said = (await reader.readline()).decode().strip()
    assert writer.get_extra_info("ssl_object").session_reused is (said == "taken up")
    writer.close()
    return said


def trusting(authority: Authority, clock: Callable[[], float]) -> ResumingContext:
    context = ResumingContext.of(JUJU_SERVER_NAME, clock)
    context.load_verify_locations(cadata=authority.certificate_pem)
    return context


@pytest.fixture
def authority() -> Authority:
    return Authority.create("ours")


def endpoint(authority: Authority, uuid: ControllerUUID = A, name: str = "") -> Endpoint:
    return Endpoint("a", uuid, ("127.0.0.1:1",), authority.certificate_pem, name)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_the_next_connection_takes_up_the_session(
    authority: Authority, version: ssl.TLSVersion, run: Callable[..., list[str]]
) -> None:
    context = endpoint(authority).tls()
    serving = server_context(authority.issue([]))
    serving.maximum_version = version

    async def talk() -> list[str]:
        async with listening(serving) as port:
            return [await ask(port, context) for _ in range(4)]

    assert run(talk()) == ["whole", "taken up", "taken up", "taken up"]


async def test_many_at_once_begin_whole_and_go_on_taken_up(authority: Authority) -> None:
    context = endpoint(authority).tls()
    async with listening(server_context(authority.issue([]))) as port:
        first = await asyncio.gather(*(ask(port, context) for _ in range(8)))
        second = await asyncio.gather(*(ask(port, context) for _ in range(8)))
    assert set(first) == {"whole"}
    assert set(second) == {"taken up"}


async def test_each_peer_has_sessions_of_its_own(authority: Authority) -> None:
    context = endpoint(authority).tls()
    async with listening(server_context(authority.issue([]))) as port:
        await ask(port, context)
        assert endpoint(authority).tls() is context
        for other in (endpoint(authority, B), endpoint(authority, name="localhost")):
            assert other.tls() is not context
            assert await ask(port, other.tls(), other.server_name) == "whole"
        stranger = endpoint(authority, ControllerUUID("")).tls()
        assert [await ask(port, stranger) for _ in range(2)] == ["whole", "whole"]
        assert await ask(port, context, "localhost") == "whole"
        assert await ask(port, context) == "taken up"


async def test_another_authority_is_another_context(authority: Authority) -> None:
    other = Authority.create("another")
    async with listening(server_context(authority.issue([]))) as port:
        await ask(port, endpoint(authority).tls())
        with pytest.raises(ssl.SSLCertVerificationError):
            await ask(port, endpoint(other).tls())


async def test_the_certificate_is_shown_again_every_hour(authority: Authority) -> None:
    time = [0.0]
    context = trusting(authority, lambda: time[0])
    async with listening(server_context(authority.issue([]))) as port:
        assert [await ask(port, context) for _ in range(2)] == ["whole", "taken up"]
        time[0] += VERIFIED_FOR - 1
        assert await ask(port, context) == "taken up"
        time[0] += 1
        assert [await ask(port, context) for _ in range(2)] == ["whole", "taken up"]


async def test_a_server_that_forgot_is_met_anew(authority: Authority) -> None:
    context, issued = endpoint(authority).tls(), authority.issue([])
    for _ in range(2):  # each start has keys of its own
        async with listening(server_context(issued)) as port:
            assert [await ask(port, context) for _ in range(2)] == ["whole", "taken up"]


async def test_another_server_is_verified_though_a_session_is_offered(
    authority: Authority,
) -> None:
    context = endpoint(authority).tls()
    async with listening(server_context(authority.issue([]))) as port:
        assert [await ask(port, context) for _ in range(2)] == ["whole", "taken up"]
    async with listening(server_context(Authority.create("false").issue([]))) as port:
        with pytest.raises(ssl.SSLCertVerificationError):
            await ask(port, context)


async def test_a_peer_that_can_take_up_nothing_is_served(authority: Authority) -> None:
    serving = server_context(authority.issue([]))
    serving.num_tickets = 0
    context = endpoint(authority).tls()
    async with listening(serving) as port:
        assert [await ask(port, context) for _ in range(3)] == ["whole"] * 3


def test_it_trusts_as_any_other_context(authority: Authority) -> None:
    plain = client_context(authority.certificate_pem)
    resuming = resuming_context(authority.certificate_pem, JUJU_SERVER_NAME, A)
    assert resuming.verify_mode is plain.verify_mode
    assert resuming.verify_flags == plain.verify_flags
    assert resuming.check_hostname
    assert resuming.get_ca_certs() == plain.get_ca_certs()
