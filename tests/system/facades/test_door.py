"""``/api`` on raw sockets: the rules of the envelope, before and after login."""

import asyncio
from typing import Any

import msgspec
import pytest

from jimm.facades.dispatch import FAILED, TABLE
from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.juju_client import Refused, Socket, dialled

NOBODY = "00000000-0000-4000-8000-000000000000"

SHAPES: tuple[Any, ...] = (
    {},
    None,
    [],
    3,
    "text",
    {"entities": 3},
    {"entities": None},
    {"entities": [None]},
    {"entities": [{}]},
    {"entities": [{"tag": 7}]},
    {"entities": [{"tag": "nonsense"}]},
    {"entities": [{"tag": "model-" + NOBODY}]},
    {"entities": [{"tag": "\u0000"}]},
    {"models": [{}], "changes": [{}], "credentials": [{}], "specs": [{}], "user-clouds": [{}]},
    {"models": {}, "changes": "x", "credentials": 1, "specs": {}, "user-clouds": [1]},
    {
        "changes": [{"model-tag": "model-" + NOBODY, "user-tag": "user-a b", "action": "eat"}],
        "models": [{"model-tag": "model-" + NOBODY}],
        "credentials": [{"tag": "cloudcred-metro_bob_x", "credential": {"attrs": {"a": 1}}}],
        "user-clouds": [{"user-tag": "user-bob", "cloud-tag": "metro"}],
        "specs": [{"model-tag": "x", "target-controller": "y"}],
    },
    {"tag": 5, "user-tag": 5, "name": 5, "model": 5, "model-tag": 5},
    {"tag": "user-", "user-tag": "user-", "name": "", "model": "", "model-tag": ""},
    {"name": "x\u0000y", "owner-tag": "user-alice", "model": "a/b", "model-tag": "alice/\u0000"},
    {"name": "ok-name", "owner-tag": "user-bob", "cloud-tag": "metro", "credential": "cloudcred-x"},
    {"name": "ok-name", "owner-tag": "user-bob", "config": [1]},
    {"credentials": [{"cloud-name": 1}], "include-secrets": "yes"},
    {"credentials": [{"cloud-name": "\u0000", "credential-name": "a_b"}]},
    {"api-addresses": "x", "name": "c", "uuid": "u"},
    {"api-addresses": ["x"], "name": "c", "uuid": "u"},
)
"""Parameters of the wrong shape for one method or another."""


async def raw(socket: Socket, text: str | bytes) -> dict[str, Any]:
    """The next message after a frame that is sent as it is, on a connection nobody reads."""
    await socket.connection.send(text)
    await eventually(lambda: bool(socket.unasked), deadline=5, interval=0.001)
    found: dict[str, Any] = socket.unasked.pop(0)
    return found


def judge(reply: dict[str, Any]) -> None:
    """The rules that all clients together impose on a reply."""
    assert isinstance(reply["request-id"], int)
    assert isinstance(reply["response"], dict)
    if "error" in reply:
        assert reply["error"]
        assert reply["error"] != FAILED
    else:
        assert "error-code" not in reply
    assert_no_null_error(reply["response"])


def assert_no_null_error(value: object) -> None:
    """No row has `"error": null`: python-libjuju breaks on it."""
    if isinstance(value, dict):
        assert value.get("error", "") is not None, value
        error = value.get("error")
        if isinstance(error, dict):
            assert error["message"] != FAILED, value
        for each in value.values():
            assert_no_null_error(each)
    elif isinstance(value, list):
        for each in value:
            assert_no_null_error(each)


async def test_before_login_nothing_but_admin_answers(dev: Dev) -> None:
    async with dialled(dev.registration()) as socket:
        for facade, version, method, text, code in (
            ("Pinger", 1, "Ping", 'unknown version (1) of interface "Pinger"', "not implemented"),
            ("ModelManager", 0, "ListModels", 'unknown object type "ModelManager"', None),
            ("Admin", 4, "LoginDevice", "login from old clients", "not supported"),
            ("Admin", 4, "Login", "login from old clients", "not supported"),
            ("Admin", 3, "Nothing", "no such request", "not implemented"),
        ):
            reply = await socket.send(facade, version, method)
            judge(reply)
            assert text in reply["error"], reply
            assert code is None or reply["error-code"] == code
        # Any number of refusals, and then the one that is true.
        for _ in range(2):
            with pytest.raises(Refused, match="invalid entity name or password"):
                await socket.login("nobody-here", "wrong")
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
    assert listed["ModelManager"] == [9, 10]
    assert listed["Controller"] == [11, 12]
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


@pytest.mark.parametrize("user", ["bob", "admin"])
async def test_no_parameters_whatever_break_a_method(dev: Dev, user: str) -> None:
    for facade, version, method in sorted(TABLE.methods()):
        async with dev.socket(user) as socket:
            replies = await asyncio.wait_for(
                asyncio.gather(*(socket.send(facade, version, method, each) for each in SHAPES)), 30
            )
            for params, reply in zip(SHAPES, replies, strict=True):
                try:
                    judge(reply)
                except AssertionError as error:
                    raise AssertionError(f"{facade}.{method} {params}: {reply}") from error
            await socket.call("Pinger", 1, "Ping")
