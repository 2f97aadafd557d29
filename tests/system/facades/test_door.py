"""``/api`` on raw sockets: the rules of the envelope, before and after login."""

import asyncio
import uuid
from typing import Any

import msgspec
import pytest

from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.juju_client import Refused, Socket, dialled
from tests.replies import judge


async def raw(socket: Socket, text: str | bytes) -> dict[str, Any]:
    """The next message after a frame that is sent as it is, on a connection nobody reads."""
    await socket.connection.send(text)
    await eventually(lambda: bool(socket.unasked), deadline=5, interval=0.001)
    found: dict[str, Any] = socket.unasked.pop(0)
    return found


async def test_before_login_nothing_but_admin_answers(dev: Dev) -> None:
    async with dialled(dev.registration()) as socket:
        for facade, version, method, text, code in (
            ("Pinger", 1, "Ping", 'unknown version (1) of interface "Pinger"', "not implemented"),
            ("ModelManager", 0, "ListModels", 'unknown object type "ModelManager"', None),
            ("Admin", 5, "LoginDevice", "login from old clients", "not supported"),
            ("Admin", 2, "Login", "login from old clients", "not supported"),
            ("Admin", 4, "Login", "no such request", "not implemented"),
            ("Admin", 3, "Nothing", "no such request", "not implemented"),
        ):
            reply = await socket.send(facade, version, method)
            judge(reply)
            assert text in reply["error"], reply
            assert code is None or reply["error-code"] == code
        # Any number of refusals, and then the one that is true.
        nobody = f"nobody-{uuid.uuid4().hex[:8]}"
        for _ in range(2):
            with pytest.raises(Refused, match="invalid entity name or password"):
                await socket.login(nobody, "wrong")
        await socket.login("alice", dev.password("alice"))


async def test_a_login_names_jimm_where_a_controller_would_be(dev: Dev) -> None:
    async with dialled(dev.registration()) as socket:
        result = await socket.login("alice", dev.password("alice"))
    assert result["controller-tag"] == f"controller-{dev.described['jimm_uuid']}"
    assert result["user-info"]["identity"] == "user-alice"
    assert result["server-version"].startswith("3.6.")
    assert "model-tag" not in result
    server = result["servers"][0][0]
    assert f"{server['value']}:{server['port']}" == dev.address
    listed = {each["name"]: each["versions"] for each in result["facades"]}
    assert listed["ModelManager"] == [9, 10, 11]
    assert listed["Controller"] == [11, 12, 13]
    assert {"Cloud", "JIMM", "ModelConfig", "Pinger", "UserManager"} <= listed.keys()


async def test_a_second_login_is_refused_and_the_connection_goes_on(dev: Dev) -> None:
    async with dev.socket() as socket:
        with pytest.raises(Refused):
            await socket.login("alice", dev.password("alice"))
        await socket.call("Pinger", 1, "Ping")


async def test_unknown_facade_version_and_method_have_juju_s_words(dev: Dev) -> None:
    async with dev.socket() as socket:
        for facade, version, method, text in (
            ("Nothing", 1, "Do", 'unknown version (1) of interface "Nothing"'),
            ("Nothing", 0, "Do", 'unknown object type "Nothing"'),
            ("ModelManager", 3, "ListModels", 'unknown version (3) of interface "ModelManager"'),
            ("ModelManager", 10, "Dance", "method ModelManager(10).Dance is not implemented"),
        ):
            with pytest.raises(Refused) as refused:
                await socket.call(facade, version, method)
            assert text in refused.value.message
            assert refused.value.code == "not implemented"


async def test_a_malformed_message_is_answered_and_the_connection_goes_on(dev: Dev) -> None:
    async with dev.socket() as socket:
        for text in (
            "{",
            "",
            "[]",
            "null",
            "7",
            '{"request-id": "one", "type": "Pinger", "version": 1, "request": "Ping"}',
            '{"request-id": 12, "type": 7, "request": "Ping"}',
            '{"request-id": 12, "type": "Pinger", "request": "Ping", "version": -1}',
            "[" * 100_000,
            b"\xff\xfe{}",
            '{"request-id": 14, "type": "Pinger", "request": "\\ud800"}',
            '{"request-id": 13, "type": "Pinger", "version": 1, "request": "Ping", "params": 3',
        ):
            reply = await raw(socket, text)
            judge(reply)
            assert "error" in reply, (text, reply)
        await socket.call("Pinger", 1, "Ping")


async def test_keys_are_read_in_any_case_and_null_is_absent(dev: Dev) -> None:
    async with dev.socket() as socket:
        reply = await raw(
            socket,
            '{"Request-Id": 900, "TYPE": "ModelManager", "Version": 10, "Request": "ListModels",'
            ' "Params": {"Tag": "user-alice"}}',
        )
        assert reply["request-id"] == 900
        assert "error" not in reply
        for params in ("null", "{}", '{"USER-TAG": null, "All": null}'):
            reply = await raw(
                socket,
                '{"request-id": 901, "type": "ModelManager", "version": 10,'
                f' "request": "ListModelSummaries", "params": {params}}}',
            )
            assert "error" not in reply, reply
        reply = await raw(
            socket,
            '{"request-id": 902, "type": "JIMM", "version": 4, "request": "ListControllers"}',
        )
        assert len(reply["response"]["controllers"]) == 4


async def test_big_numbers_are_echoed(dev: Dev) -> None:
    number = 2**64 - 1
    async with dev.socket() as socket:
        reply = await raw(
            socket,
            msgspec.json.encode(
                {"request-id": number, "type": "Pinger", "version": 1, "request": "Ping"}
            ).decode(),
        )
    assert reply == {"request-id": number, "response": {}}


async def test_many_requests_at_once_are_each_answered(dev: Dev) -> None:
    async with dev.socket() as socket:
        calls = [
            socket.call("Pinger", 1, "Ping")
            if number % 2
            else socket.call("ModelManager", 10, "ListModelSummaries", {"user-tag": "user-alice"})
            for number in range(300)
        ]
        answers = await asyncio.gather(*calls)
    assert all(answer == {} for answer in answers[1::2])
    assert all("results" in answer for answer in answers[::2])
