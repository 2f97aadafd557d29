"""The login dialogue: password logins as a conversation, and every event in every state."""

import itertools
import json
from typing import Any

import pytest

from jimm.errors import FatalLogin, InvalidLogin, ModelNotFound
from jimm.wire.envelope import Request
from jimm.wire.login import (
    Accepted,
    Authenticate,
    Command,
    DeviceBegun,
    DeviceConfirmed,
    DeviceFailed,
    Dialogue,
    Door,
    Event,
    PasswordLogin,
    Refused,
    Reply,
    RequestReceived,
    Serve,
    State,
)
from jimm.wire.secret import Secret

NO_PASSWORD = (
    "log in with a user and a password, or with `juju login`: no other login is taken here"
)
CREDENTIALS = {"auth-tag": "user-alice", "credentials": "secret", "client-version": "3.6.9"}
ALICE = PasswordLogin("alice", Secret("secret"), "3.6.9")


def asks(
    number: int,
    facade: str = "Admin",
    version: int = 3,
    method: str = "Login",
    params: object = None,
) -> RequestReceived:
    return RequestReceived(
        Request(
            request_id=number,
            type=facade,
            version=version,
            request=method,
            params=CREDENTIALS if params is None else params,
        )
    )


def told(commands: list[Command]) -> list[dict[str, Any]]:
    return [json.loads(each.message) for each in commands if isinstance(each, Reply)]


def refusal(commands: list[Command]) -> tuple[str, str]:
    (reply,) = told(commands)
    assert reply["response"] == {}
    return reply["error"], reply.get("error-code", "")


@pytest.fixture(params=list(Door))
def dialogue(request: pytest.FixtureRequest) -> Dialogue:
    return Dialogue(request.param)


def test_a_wrong_password_and_then_the_right_one_on_one_socket(dialogue: Dialogue) -> None:
    for number in (1, 2, 3):
        assert dialogue.receive(asks(number)) == [Authenticate(ALICE)]
        refused = dialogue.receive(Refused(InvalidLogin()))
        assert told(refused)[0]["request-id"] == number
        assert refusal(refused) == ("invalid entity name or password", "unauthorized access")
        assert dialogue.state is State.ANONYMOUS
    assert dialogue.receive(asks(4)) == [Authenticate(ALICE)]
    accepted = dialogue.receive(Accepted({"server-version": "3.6.9"}))
    assert told(accepted) == [{"request-id": 4, "response": {"server-version": "3.6.9"}}]
    assert dialogue.state is State.LOGGED_IN


def test_other_errors_come_with_their_own_code(dialogue: Dialogue) -> None:
    dialogue.receive(asks(1))
    answer = dialogue.receive(Refused(ModelNotFound('unknown model: "x"')))
    assert refusal(answer) == ('unknown model: "x"', "model not found")


@pytest.mark.parametrize(
    ("event", "text", "code"),
    [
        (
            asks(1, "Client", 6, "FullStatus"),
            'unknown version (6) of interface "Client"',
            "not implemented",
        ),
        (asks(1, "Client", 0, "X"), 'unknown object type "Client"', "not implemented"),
        (
            asks(1, "Admin", 5, "LoginWithSessionToken"),
            "this version of Juju does not support login from old clients",
            "not supported",
        ),
        (
            asks(1, "Admin", 4),
            "no such request - method Admin(4).Login is not implemented",
            "not implemented",
        ),
        (
            asks(1, "Admin", 3, "LoginDevice"),
            "no such request - method Admin.LoginDevice is not implemented",
            "not implemented",
        ),
        (
            asks(1, "Admin", 2),
            "this version of Juju does not support login from old clients",
            "not supported",
        ),
        (asks(1, method="RedirectInfo"), "not redirected", ""),
        (
            asks(1, method="Logout"),
            "no such request - method Admin.Logout is not implemented",
            "not implemented",
        ),
        (
            asks(1, params={"auth-tag": "machine-0", "credentials": "x"}),
            "invalid entity name or password",
            "unauthorized access",
        ),
        (
            asks(1, params={"auth-tag": None, "macaroons": [[]]}),
            NO_PASSWORD,
            "unauthorized access",
        ),
        (
            asks(1, params={"token": "e30="}),
            NO_PASSWORD,
            "unauthorized access",
        ),
    ],
)
@pytest.mark.parametrize("checking", [False, True])
def test_before_login_nothing_else_is_answered(
    dialogue: Dialogue, checking: bool, event: RequestReceived, text: str, code: str
) -> None:
    if checking:
        dialogue.receive(asks(9))
    assert refusal(dialogue.receive(event)) == (text, code)


def test_parameters_of_the_wrong_type_are_a_bad_request(dialogue: Dialogue) -> None:
    text, code = refusal(dialogue.receive(asks(1, params={"auth-tag": 5})))
    assert text.startswith("cannot read the parameters of the login: ")
    assert code == "bad request"


def test_attempts_at_once_wait_for_each_other(dialogue: Dialogue) -> None:
    dialogue.receive(asks(1))
    assert dialogue.receive(asks(2)) == []
    assert dialogue.receive(asks(3)) == []
    reply, following = dialogue.receive(Refused(InvalidLogin()))
    assert told([reply])[0]["request-id"] == 1
    assert following == Authenticate(ALICE)
    answers = told(dialogue.receive(Accepted({})))
    assert answers == [
        {"request-id": 2, "response": {}},
        {"request-id": 3, "error": "already logged in", "response": {}},
    ]


def test_too_many_attempts_at_once_are_refused(dialogue: Dialogue) -> None:
    for number in range(1, 10):
        dialogue.receive(asks(number))
    assert refusal(dialogue.receive(asks(10)))[1] == "try again"


@pytest.mark.parametrize(
    ("door", "text", "code"),
    [
        (
            Door.CONTROLLER,
            'facade "Admin" not supported for controller API connection',
            "not supported",
        ),
        (Door.MODEL, 'unknown version (3) of interface "Admin"', "not implemented"),
    ],
)
def test_after_login_admin_is_gone(door: Door, text: str, code: str) -> None:
    dialogue = Dialogue(door)
    dialogue.receive(asks(1))
    dialogue.receive(Accepted({}))
    assert refusal(dialogue.receive(asks(2))) == (text, code)
    other = asks(3, "Pinger", 1, "Ping")
    assert dialogue.receive(other) == [Serve(other.request)]


def reached(state: State) -> Dialogue:
    dialogue = Dialogue(Door.MODEL)
    if state is not State.ANONYMOUS:
        dialogue.receive(asks(1))
    if state is State.LOGGED_IN:
        dialogue.receive(Accepted({}))
    assert dialogue.state is state
    return dialogue


EVENTS: list[Event] = [
    asks(2),
    asks(2, "Client", 6, "FullStatus"),
    Accepted({}),
    Refused(InvalidLogin()),
    DeviceBegun(1, "id", "BCDF-GHJK", "https://jimm/login"),
    DeviceConfirmed(1, Secret("token")),
    DeviceFailed(1, FatalLogin("refused")),
]
BANNED = {
    (state, type(event))
    for state in (State.ANONYMOUS, State.LOGGED_IN)
    for event in EVENTS
    if isinstance(event, Accepted | Refused)
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, EVENTS)))
def test_every_event_in_every_state(state: State, event: Event) -> None:
    dialogue = reached(state)
    if (state, type(event)) in BANNED:
        with pytest.raises(ValueError, match=f"while {state.value}"):
            dialogue.receive(event)
        assert dialogue.state is state
        return
    commands = dialogue.receive(event)
    # Whatever happens, nobody is let in by anything but an accepted attempt.
    assert (dialogue.state is State.LOGGED_IN) == (
        state is State.LOGGED_IN or isinstance(event, Accepted)
    )
    assert not any(isinstance(each, Serve) for each in commands) or state is State.LOGGED_IN


def test_no_secret_is_shown() -> None:
    assert "secret" not in repr(Dialogue(Door.MODEL).receive(asks(1)))
