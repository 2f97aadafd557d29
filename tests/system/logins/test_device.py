"""Device logins through sockets; the person's page is another process."""

import asyncio
from typing import Any

import pytest

from jimm.access.devices import LOOK_EVERY, DeviceLogins
from jimm.access.tokens import SessionTokens
from tests.fix_dev import Dev
from tests.juju_client import Refused, Registration, Socket
from tests.system.logins.conftest import House

ALICE = "alice@jimm"


async def begin(socket: Socket) -> str:
    """The code that a client shows."""
    told = await socket.call("Admin", 4, "LoginDevice")
    return str(told["user-code"])


async def collect(socket: Socket) -> str:
    """The token that the person lets the client have."""
    told = await socket.call("Admin", 4, "GetDeviceSessionToken", deadline=30)
    return str(told["session-token"])


async def enter(socket: Socket, token: str) -> dict[str, Any]:
    """Logs in with it."""
    params = {"session-token": token}
    result: dict[str, Any] = await socket.call("Admin", 4, "LoginWithSessionToken", params)
    return result


async def confirm(page: DeviceLogins, code: str, identity: str = ALICE) -> None:
    """What a person does."""
    await page.confirm((await page.find(code)).id, identity)


async def test_juju_login(house: House, dev: Dev, page: DeviceLogins) -> None:
    async with house.socket(X_Juju_ClientVersion="4.0.13") as socket, asyncio.TaskGroup() as group:
        told = await socket.call("Admin", 4, "LoginDevice")
        assert told.keys() == {"user-code", "verification-uri"}
        assert told["verification-uri"] == f"https://{dev.address}/login"
        pending = await page.find(told["user-code"])
        assert pending.client == "juju 4.0.13 at 127.0.0.1"
        waiting = group.create_task(collect(socket))
        # The socket is as it was: anonymous, and not blocked.
        for facade, version, method in (("Pinger", 1, "Ping"), ("Admin", 4, "Nothing")):
            with pytest.raises(Refused) as raised:
                await socket.call(facade, version, method)
            assert raised.value.code == "not implemented"
        await (await socket.connection.ping())
        with pytest.raises(Refused, match="invalid entity name or password"):
            await socket.login("nobody-here", "wrong")
        assert not waiting.done()
        await confirm(page, told["user-code"])
        result = await enter(socket, await waiting)
        assert result["user-info"]["identity"] == "user-alice"
        await socket.call("Pinger", 1, "Ping")


async def test_a_refusal_ends_it_for_good(house: House, page: DeviceLogins) -> None:
    async with house.socket() as socket, asyncio.TaskGroup() as group:
        code = await begin(socket)
        waiting = group.create_task(socket.send("Admin", 4, "GetDeviceSessionToken"))
        await page.refuse((await page.find(code)).id)
        assert (await waiting)["error-code"] == "fatal login error"
        # Once more on the same socket.
        again = await begin(socket)
        await confirm(page, again)
        await enter(socket, await collect(socket))


async def test_nothing_to_wait_for(house: House) -> None:
    async with house.socket() as socket:
        with pytest.raises(Refused, match="LoginDevice") as raised:
            await collect(socket)
        assert raised.value.code == "bad request"


async def test_another_login_ends_the_wait(
    house: House, page: DeviceLogins, tokens: SessionTokens
) -> None:
    token = (await tokens.issue(ALICE)).token.reveal()
    async with house.socket() as socket, asyncio.TaskGroup() as group:
        code = await begin(socket)
        waiting = group.create_task(socket.send("Admin", 4, "GetDeviceSessionToken"))
        await enter(socket, token)
        assert (await waiting)["error"] == "already logged in"
        await confirm(page, code)
        await socket.call("Pinger", 1, "Ping")
        assert socket.unasked == []


async def test_who_left_gets_no_token(
    house: House, page: DeviceLogins, tokens: SessionTokens
) -> None:
    async with house.socket() as socket:
        code = await begin(socket)
        left = asyncio.get_running_loop().create_future()
        spawned = socket.spawn_call("Admin", 4, "GetDeviceSessionToken")
        spawned.add_done_callback(left.set_result)
        await socket.connection.close()
        await left
    before = len(await tokens.of(ALICE))
    pending = await page.find(code)
    await page.confirm(pending.id, ALICE)
    assert (await page.wait(pending.id)).identity == ALICE  # nobody else has collected it
    assert len(await tokens.of(ALICE)) == before + 1


async def test_twenty_at_once(house: House, page: DeviceLogins, tokens: SessionTokens) -> None:
    async def one() -> dict[str, Any]:
        async with house.socket() as socket, asyncio.TaskGroup() as group:
            code = await begin(socket)
            waiting = group.create_task(collect(socket))
            await confirm(page, code)
            return await enter(socket, await waiting)

    async with asyncio.timeout(20):
        results = await asyncio.gather(*(one() for _ in range(20)))
    assert {each["user-info"]["identity"] for each in results} == {"user-alice"}


async def test_two_replicas(
    house: House, second: Registration, page: DeviceLogins, tokens: SessionTokens
) -> None:
    """Begun on each, confirmed elsewhere, used on the other; a revocation counts on both."""
    other = House(second, house.path)
    async with asyncio.timeout(10 * LOOK_EVERY):
        for here, there in ((house, other), (other, house)):
            async with here.socket() as socket, asyncio.TaskGroup() as group:
                code = await begin(socket)
                waiting = group.create_task(collect(socket))
                await confirm(page, code)
                token = await waiting
                await enter(socket, token)
            async with there.socket() as elsewhere:
                await enter(elsewhere, token)
                holder = await tokens.look_up(token)
                await tokens.revoke(ALICE, holder.token_id)
                assert await elsewhere.closed() == 1001
            for replica in (here, there):
                async with replica.socket() as socket:
                    with pytest.raises(Refused) as raised:
                        await enter(socket, token)
                    assert raised.value.code == "session token invalid"
