"""The login dialogue: every kind of login, and device logins beside them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import FatalLogin, InvalidLogin, JimmError, SessionTokenInvalid
from jimm.wire.envelope import Request
from jimm.wire.login import (
    Accepted,
    Authenticate,
    AwaitDevice,
    BeginDevice,
    ClientCredentialsLogin,
    Command,
    CookieLogin,
    DeviceBegun,
    DeviceConfirmed,
    DeviceFailed,
    Dialogue,
    Door,
    DropDevices,
    PasswordLogin,
    Refused,
    Reply,
    RequestReceived,
    SessionTokenLogin,
    State,
    read,
)
from jimm.wire.secret import Secret

URI = "https://jimm.local:17070/login"
TOKEN = Authenticate(SessionTokenLogin(Secret("t")))


def asks(number: int, method: str, params: object = None, version: int = 4) -> RequestReceived:
    return RequestReceived(
        Request(request_id=number, type="Admin", version=version, request=method, params=params)
    )


def wish(method: str, params: object = None, version: int = 4) -> object:
    return read(asks(1, method, params, version).request)


def told(commands: list[Command]) -> list[dict[str, Any]]:
    return [json.loads(each.message) for each in commands if isinstance(each, Reply)]


@pytest.fixture(params=list(Door))
def dialogue(request: pytest.FixtureRequest) -> Dialogue:
    return Dialogue(request.param)


def test_each_method_is_read_as_what_it_wants() -> None:
    assert wish("LoginWithSessionToken", {"session-token": "t"}) == SessionTokenLogin(Secret("t"))
    credentials = {"client-id": "ci", "client-secret": "s"}
    assert wish("LoginWithClientCredentials", credentials) == ClientCredentialsLogin(
        "ci", Secret("s")
    )
    given_params: list[object] = [None, {}, [], {"x": 1}]
    for params in given_params:
        assert wish("LoginWithSessionCookie", params) == CookieLogin()


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"auth-tag": "user-ci@serviceaccount", "credentials": "s"}, ("ci@serviceaccount", "s")),
        ({"auth-tag": "user-alice@local", "credentials": "s"}, ("alice", "s")),
        ({"auth-tag": None, "credentials": "token"}, ("", "token")),
        ({"auth-tag": "", "credentials": "token"}, ("", "token")),
    ],
)
def test_a_login_of_version_3_is_read(params: dict[str, Any], expected: tuple[str, str]) -> None:
    name, password = expected
    assert wish("Login", params, 3) == PasswordLogin(name, Secret(password))


@pytest.mark.parametrize("tag", [None, ""])
def test_the_null_tag_may_come_with_a_client_and_its_secret(tag: str | None) -> None:
    found = wish("Login", {"auth-tag": tag, "credentials": "ci:a:b"}, 3)
    assert found == ClientCredentialsLogin("ci", Secret("a:b"))


NO_TOKENS: list[object] = [None, {}, {"session-token": ""}, {"session-token": 5}, []]


@pytest.mark.parametrize("params", NO_TOKENS)
def test_a_token_that_is_none_starts_a_device_login(params: object) -> None:
    with pytest.raises(SessionTokenInvalid):
        wish("LoginWithSessionToken", params)


@pytest.mark.parametrize(
    "params", [None, {}, {"client-id": "ci"}, {"client-id": "", "client-secret": "s"}]
)
def test_half_of_a_service_account_is_refused(params: object) -> None:
    with pytest.raises(InvalidLogin):
        wish("LoginWithClientCredentials", params)


def test_the_kinds_follow_each_other_on_one_socket(dialogue: Dialogue) -> None:
    """As the juju client tries them: credentials, token, device, token."""
    credentials = {"client-id": "ci", "client-secret": "wrong"}
    assert len(dialogue.receive(asks(1, "LoginWithClientCredentials", credentials))) == 1
    assert told(dialogue.receive(Refused(InvalidLogin())))[0]["error-code"] == "unauthorized access"
    (reply,) = told(dialogue.receive(asks(2, "LoginWithSessionToken", {"session-token": ""})))
    assert reply["error-code"] == "session token invalid"
    assert dialogue.receive(asks(3, "LoginDevice")) == [BeginDevice(1)]
    assert told(dialogue.receive(DeviceBegun(1, "id", "BCDF-GHJK", URI))) == [
        {"request-id": 3, "response": {"user-code": "BCDF-GHJK", "verification-uri": URI}}
    ]
    assert dialogue.receive(asks(4, "GetDeviceSessionToken")) == [AwaitDevice(2, "id")]
    assert told(dialogue.receive(DeviceConfirmed(2, Secret("t")))) == [
        {"request-id": 4, "response": {"session-token": "t"}}
    ]
    assert dialogue.state is State.ANONYMOUS
    assert dialogue.receive(asks(5, "LoginWithSessionToken", {"session-token": "t"})) == [TOKEN]
    assert told(dialogue.receive(Accepted({"ok": True}))) == [
        {"request-id": 5, "response": {"ok": True}}
    ]


def test_nothing_is_waited_for_that_was_not_begun(dialogue: Dialogue) -> None:
    (reply,) = told(dialogue.receive(asks(1, "GetDeviceSessionToken")))
    assert (reply["request-id"], reply["error-code"]) == (1, "bad request")
    assert "LoginDevice" in reply["error"]


def test_a_wait_that_comes_early_is_kept(dialogue: Dialogue) -> None:
    assert dialogue.receive(asks(1, "LoginDevice")) == [BeginDevice(1)]
    assert dialogue.receive(asks(2, "GetDeviceSessionToken")) == []
    reply, wait = dialogue.receive(DeviceBegun(1, "id", "c", URI))
    assert wait == AwaitDevice(2, "id")
    assert told([reply])[0]["request-id"] == 1


def test_a_wait_for_what_could_not_begin_is_refused(dialogue: Dialogue) -> None:
    dialogue.receive(asks(1, "LoginDevice"))
    dialogue.receive(asks(2, "GetDeviceSessionToken"))
    replies = told(dialogue.receive(DeviceFailed(1, JimmError("no"))))
    assert [each["request-id"] for each in replies] == [1, 2]
    assert all("error" in each for each in replies)


def test_a_refusal_by_the_person_is_final_and_the_socket_stays(dialogue: Dialogue) -> None:
    dialogue.receive(asks(1, "LoginDevice"))
    dialogue.receive(DeviceBegun(1, "id", "c", URI))
    dialogue.receive(asks(2, "GetDeviceSessionToken"))
    (reply,) = told(dialogue.receive(DeviceFailed(2, FatalLogin("refused"))))
    assert (reply["error"], reply["error-code"]) == ("refused", "fatal login error")
    assert dialogue.receive(asks(3, "LoginDevice")) == [BeginDevice(3)]


def test_a_login_goes_on_while_a_device_is_waited_for(dialogue: Dialogue) -> None:
    dialogue.receive(asks(1, "LoginDevice"))
    dialogue.receive(DeviceBegun(1, "id", "c", URI))
    assert dialogue.receive(asks(2, "LoginWithSessionToken", {"session-token": "t"})) == [TOKEN]
    assert dialogue.receive(asks(3, "GetDeviceSessionToken")) == [AwaitDevice(2, "id")]
    *replies, drop = dialogue.receive(Accepted({}))
    assert drop == DropDevices()
    assert told(list(replies)) == [
        {"request-id": 2, "response": {}},
        {"request-id": 3, "error": "already logged in", "response": {}},
    ]
    assert dialogue.receive(DeviceConfirmed(2, Secret("late"))) == []


def test_not_more_than_a_few_wait_on_one_socket(dialogue: Dialogue) -> None:
    dialogue.receive(asks(1, "LoginDevice"))
    dialogue.receive(DeviceBegun(1, "id", "c", URI))
    for number in range(2, 10):
        assert len(dialogue.receive(asks(number, "GetDeviceSessionToken"))) == 1
    for method in ("GetDeviceSessionToken", "LoginDevice"):
        assert told(dialogue.receive(asks(10, method)))[0]["error-code"] == "try again"


METHODS: list[tuple[str, int, dict[str, str] | None]] = [
    ("Login", 3, {"auth-tag": "user-alice", "credentials": "s"}),
    ("LoginWithSessionToken", 4, {"session-token": "t"}),
    ("LoginWithSessionToken", 4, {}),
    ("LoginWithClientCredentials", 4, {"client-id": "ci", "client-secret": "s"}),
    ("LoginWithSessionCookie", 4, None),
    ("LoginDevice", 4, None),
    ("GetDeviceSessionToken", 4, None),
    ("RedirectInfo", 3, None),
    ("Nonsense", 4, None),
]


@given(st.lists(st.integers(0, 99), max_size=60), st.sampled_from(Door))
def test_every_request_gets_just_one_reply_in_any_order(moves: list[int], door: Door) -> None:
    """A door that answers as the numbers say, at the times that they say."""
    dialogue, asked, replies = Dialogue(door), 0, list[int]()
    pending: list[Command] = []

    def obey(commands: list[Command]) -> None:
        for each in commands:
            if isinstance(each, DropDevices):
                pending[:] = [one for one in pending if isinstance(one, Authenticate)]
            elif not isinstance(each, Reply):
                pending.append(each)
        replies.extend(each["request-id"] for each in told(commands))

    def settle(number: int) -> None:
        match pending.pop(number % len(pending)):
            case Authenticate():
                obey(dialogue.receive(Accepted({}) if number > 90 else Refused(InvalidLogin())))
            case BeginDevice(ticket):
                obey(dialogue.receive(DeviceBegun(ticket, "id", "c", URI)))
            case AwaitDevice(ticket, login_id):
                assert login_id == "id"
                obey(dialogue.receive(DeviceFailed(ticket, FatalLogin("no"))))

    for number in moves:
        if number % 2 and pending:
            settle(number)
        elif dialogue.state is not State.LOGGED_IN:
            asked += 1
            method, version, params = METHODS[number % len(METHODS)]
            obey(dialogue.receive(asks(asked, method, params, version)))
    while pending:
        settle(0)
    assert sorted(replies) == list(range(1, asked + 1))


def test_no_secret_is_shown() -> None:
    for method, version, params in METHODS[1:4]:
        if params:
            values = [str(each) for each in params.values()]
            assert f"'{values[-1]}'" not in repr(wish(method, params, version))
    assert "hush" not in repr(DeviceConfirmed(1, Secret("hush")))
