"""The porter, as conversations: this arrives, that is done."""

import dataclasses
import itertools
import json
from typing import Any

import pytest

from jimm.errors import (
    ControllerUnavailable,
    FatalLogin,
    InvalidLogin,
    ModelNotFound,
    SessionTokenInvalid,
    Unauthorized,
)
from jimm.proxy import porter
from jimm.proxy.porter import Introduction, Porter, Shown, State
from jimm.wire import login
from jimm.wire.login import PasswordLogin
from jimm.wire.params.admin import HostPort, LoginRequest
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID, ModelUUID

JIMM = ControllerUUID("6bd9cd3b-0b6e-4f0c-8a25-8c0b0d8c9b34")
CONTROLLER = ControllerUUID("51ec7ac7-6f20-43d1-8a62-a685060223fe")
MODEL = ModelUUID("0d2ba4c6-0ee5-4bf6-8a29-74f3a9a4e1d5")
ALICE = PasswordLogin("alice", Secret("secret"))
ADDRESS = HostPort(value="jimm.local", type="hostname", scope="public", port=17070)
INTRODUCTION = Introduction(
    controller_name="north",
    controller_uuid=CONTROLLER,
    model_uuid=MODEL,
    user_tag="user-alice",
    login=LoginRequest(
        auth_tag="user-alice@jimm", credentials="", nonce="", user_data="", token="t"
    ),
    shown=Shown(JIMM, ((ADDRESS,),), "jimm.local"),
)
RESULT: dict[str, Any] = {
    "servers": [[{"value": "10.0.0.1", "type": "ipv4", "scope": "public", "port": 17070}]],
    "public-dns-name": "north.local",
    "model-tag": f"model-{MODEL}",
    "controller-tag": f"controller-{CONTROLLER}",
    "user-info": {
        "display-name": "Alice",
        "identity": "user-alice@jimm",
        "controller-access": "login",
        "model-access": "admin",
        "kept": True,
    },
    "facades": [
        {"name": "Client", "versions": [6, 7]},
        {"name": "HighAvailability", "versions": [2, 3]},
    ],
    "server-version": "3.6.9",
    "unknown": 12345678901234567890123,
}


def request(number: int = 1, facade: str = "Admin") -> porter.ClientSpoke:
    params = {"auth-tag": "user-alice", "credentials": "secret"}
    body = {"request-id": number, "type": facade, "version": 3, "request": "Login"}
    return porter.ClientSpoke(json.dumps(body | {"params": params}).encode())


def answer(result: dict[str, Any] | None = None, **other: Any) -> porter.ControllerSpoke:
    body = {"request-id": 1, "response": RESULT if result is None else result}
    return porter.ControllerSpoke(json.dumps(body | other).encode())


def told(command: porter.Command) -> dict[str, Any]:
    assert isinstance(command, porter.Tell)
    found = json.loads(command.message)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def at_the_door() -> Porter:
    return Porter()


def introduced(at_the_door: Porter) -> Porter:
    assert at_the_door.receive(request()) == [porter.Admit(ALICE)]
    assert at_the_door.receive(porter.Admitted(INTRODUCTION)) == [porter.OpenLeg()]
    (introduce,) = at_the_door.receive(porter.LegOpened())
    assert isinstance(introduce, porter.Introduce)
    assert json.loads(introduce.message) == {
        "request-id": 1,
        "type": "Admin",
        "version": 3,
        "request": "Login",
        "params": {
            "auth-tag": "user-alice@jimm",
            "credentials": "",
            "nonce": "",
            "token": "t",
            "user-data": "",
        },
    }
    return at_the_door


def opened() -> Porter:
    at_the_door = introduced(Porter())
    at_the_door.receive(answer())
    assert at_the_door.state is State.OPEN
    return at_the_door


def test_a_client_is_let_in_with_jimms_identity_and_addresses(at_the_door: Porter) -> None:
    tell, open_pipe = introduced(at_the_door).receive(answer())
    assert open_pipe == porter.OpenPipe()
    assert told(tell) == {
        "request-id": 1,
        "response": RESULT
        | {
            "servers": [
                [{"value": "jimm.local", "type": "hostname", "scope": "public", "port": 17070}]
            ],
            "public-dns-name": "jimm.local",
            "controller-tag": f"controller-{JIMM}",
            "user-info": RESULT["user-info"] | {"identity": "user-alice"},
            "facades": [
                {"name": "Client", "versions": [6, 7]},
                {"name": "HighAvailability", "versions": [2]},
            ],
        },
    }


def test_the_controllers_own_name_is_never_shown() -> None:
    nameless = Introduction(
        controller_name="north",
        controller_uuid=CONTROLLER,
        model_uuid=MODEL,
        user_tag="user-alice",
        login=INTRODUCTION.login,
        shown=Shown(JIMM, (), ""),
    )
    facades = [{"name": "HighAvailability", "versions": [3]}]
    shown = porter.show(RESULT | {"facades": facades, "user-info": None}, nameless)
    assert "public-dns-name" not in shown
    assert shown["servers"] == []
    assert shown["facades"] == []
    assert shown["user-info"] == {"display-name": "", "identity": "user-alice"}


def ask(number: int, method: str, **params: Any) -> porter.ClientSpoke:
    body = {"request-id": number, "type": "Admin", "version": 4, "request": method}
    return porter.ClientSpoke(json.dumps(body | {"params": params}).encode())


def test_a_device_login_goes_beside_the_others(at_the_door: Porter) -> None:
    assert at_the_door.receive(ask(1, "LoginDevice")) == [login.BeginDevice(1)]
    (shown,) = at_the_door.receive(login.DeviceBegun(1, "id", "BCDF-GHJK", "https://jimm/login"))
    assert told(shown)["response"]["user-code"] == "BCDF-GHJK"
    assert at_the_door.receive(ask(2, "GetDeviceSessionToken")) == [login.AwaitDevice(2, "id")]
    token = login.SessionTokenLogin(Secret("t"))
    tried = ask(3, "LoginWithSessionToken", **{"session-token": "t"})
    assert at_the_door.receive(tried) == [porter.Admit(token)]
    (denied,) = at_the_door.receive(porter.Denied(SessionTokenInvalid("no")))
    assert told(denied)["error-code"] == "session token invalid"
    (collected,) = at_the_door.receive(login.DeviceConfirmed(2, Secret("t")))
    assert told(collected)["response"] == {"session-token": "t"}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_device_s_answer_may_come_at_any_time(at_the_door: Porter, number: int) -> None:
    """Before the attempt, while it is checked, and while the controller is asked."""
    at_the_door.receive(ask(8, "LoginDevice"))
    steps: list[porter.Event] = [request(9), porter.Admitted(INTRODUCTION), porter.LegOpened()]
    for step in steps[:number]:
        at_the_door.receive(step)
    (tell,) = at_the_door.receive(login.DeviceFailed(1, FatalLogin("refused")))
    assert told(tell)["error-code"] == "fatal login error"


def test_the_pipe_opens_without_a_device_s_answer(at_the_door: Porter) -> None:
    at_the_door.receive(ask(8, "LoginDevice"))
    introduced(at_the_door)
    welcome, late, drop, open_pipe = at_the_door.receive(answer())
    assert told(welcome)["response"]["server-version"] == "3.6.9"
    assert told(late) == {"request-id": 8, "error": "already logged in", "response": {}}
    assert (drop, open_pipe) == (login.DropDevices(), porter.OpenPipe())
    assert at_the_door.receive(login.DeviceBegun(1, "id", "c", "u")) == []


def test_wrong_then_right_on_one_socket(at_the_door: Porter) -> None:
    for number in (1, 2):
        assert at_the_door.receive(request(number)) == [porter.Admit(ALICE)]
        (tell,) = at_the_door.receive(porter.Denied(InvalidLogin()))
        assert told(tell) == {
            "request-id": number,
            "error": "invalid entity name or password",
            "error-code": "unauthorized access",
            "response": {},
        }
    assert introduced(at_the_door).receive(answer())[-1] == porter.OpenPipe()


def test_an_unknown_model_is_told_at_login(at_the_door: Porter) -> None:
    at_the_door.receive(request())
    (tell,) = at_the_door.receive(porter.Denied(ModelNotFound('unknown model: "x"')))
    assert told(tell)["error-code"] == "model not found"
    assert at_the_door.state is State.WAITING


@pytest.mark.parametrize("state", [State.ADMITTING, State.DIALLING, State.INTRODUCING])
def test_other_facades_wait_for_nobody(state: State) -> None:
    at_the_door = reached(state)
    (tell,) = at_the_door.receive(request(5, "Client"))
    assert told(tell)["error-code"] == "not implemented"
    assert at_the_door.receive(request(6)) == []
    assert at_the_door.state is state


@pytest.mark.parametrize(
    "message",
    [b"nonsense", b"[]", b'{"request-id":0,"type":"A"}', b'{"request-id":1,"response":{}}'],
)
def test_what_is_no_request_is_answered_and_the_socket_goes_on(
    at_the_door: Porter, message: bytes
) -> None:
    (tell,) = at_the_door.receive(porter.ClientSpoke(message))
    assert told(tell)["error-code"] == "bad request"
    introduced(at_the_door)


@pytest.mark.parametrize("state", [State.DIALLING, State.INTRODUCING])
def test_a_controller_that_is_away(state: State) -> None:
    at_the_door = reached(state)
    (tell,) = at_the_door.receive(porter.LegLost(ControllerUnavailable("north is away")))
    assert told(tell)["error"] == "north is away"
    assert told(tell)["error-code"] == "connection failed"
    introduced(at_the_door)


def test_an_attempt_that_waited_is_tried_next(at_the_door: Porter) -> None:
    at_the_door.receive(request(1))
    assert at_the_door.receive(request(2)) == []
    tell, admit = at_the_door.receive(porter.Denied(InvalidLogin()))
    assert told(tell)["request-id"] == 1
    assert admit == porter.Admit(ALICE)
    assert at_the_door.state is State.ADMITTING


OTHER = "9a3f3f0a-1c0e-4d3e-8f6f-0a4f1b6c7d8e"


@pytest.mark.parametrize(
    ("welcome", "text"),
    [
        (answer(RESULT | {"controller-tag": f"controller-{OTHER}"}), "wrong controller"),
        (answer(RESULT | {"model-tag": f"model-{OTHER}"}), "another model"),
        (answer({"discharge-required": {"m": 1}, "facades": []}), "elsewhere first"),
        (answer({}), "answers strangely"),
        (answer(RESULT | {"facades": 5}), "answers strangely"),
        (porter.ControllerSpoke(b'{"request-id":2,"response":{}}'), "answers strangely"),
        (porter.ControllerSpoke(b"nonsense"), "answers strangely"),
        (
            answer(
                {}, error="invalid entity name or password", **{"error-code": "unauthorized access"}
            ),
            "does not let this model be used just now: invalid entity",
        ),
        (
            answer({}, error="gone", **{"error-code": "model not found"}),
            "does not let this model be used just now: gone",
        ),
        (
            answer({}, error="moved", **{"error-code": "redirection required", "error-info": {}}),
            "does not let this model be used just now: moved",
        ),
    ],
)
def test_what_a_controller_may_not_tell_a_client(
    at_the_door: Porter, welcome: porter.ControllerSpoke, text: str
) -> None:
    drop, tell = introduced(at_the_door).receive(welcome)
    assert drop == porter.DropLeg()
    assert text in told(tell)["error"]
    assert told(tell)["error-code"] == "connection failed"
    assert at_the_door.state is State.WAITING


@pytest.mark.parametrize("code", ["model not found", "not found"])
def test_a_model_that_is_being_destroyed_may_be_gone(at_the_door: Porter, code: str) -> None:
    at_the_door.receive(request())
    at_the_door.receive(porter.Admitted(dataclasses.replace(INTRODUCTION, going=True)))
    at_the_door.receive(porter.LegOpened())
    _, tell = at_the_door.receive(answer({}, error="gone", **{"error-code": code}))
    assert told(tell)["error-code"] == "model not found"
    assert told(tell)["error"] == f'unknown model: "{MODEL}"'


@pytest.mark.parametrize(
    ("text", "code"),
    [("model migration in progress", ""), ("upgrade in progress", "upgrade in progress")],
)
def test_what_a_client_is_to_hear_from_the_controller(
    at_the_door: Porter, text: str, code: str
) -> None:
    refusal = answer({}, error=text, **({"error-code": code} if code else {}))
    _, tell = introduced(at_the_door).receive(refusal)
    assert told(tell)["error"] == text
    assert told(tell).get("error-code", "") == code


def test_the_pipe_gets_a_leg_with_what_was_granted() -> None:
    at_the_door = opened()
    assert at_the_door.receive(porter.AccessRequired()) == [porter.Readmit()]
    assert at_the_door.receive(porter.Admitted(INTRODUCTION)) == [porter.OpenLeg()]
    at_the_door.receive(porter.LegOpened())
    assert at_the_door.receive(answer()) == [porter.ResumePipe()]
    assert at_the_door.state is State.OPEN


def test_the_pipe_keeps_its_leg_where_nothing_was_granted() -> None:
    at_the_door = opened()
    at_the_door.receive(porter.AccessRequired())
    error = Unauthorized()
    assert at_the_door.receive(porter.Denied(error)) == [porter.RefusePipe(error)]
    at_the_door.receive(porter.AccessRequired())
    at_the_door.receive(porter.Admitted(INTRODUCTION))
    away = ControllerUnavailable("away")
    assert at_the_door.receive(porter.LegLost(away)) == [porter.RefusePipe(away)]
    assert at_the_door.state is State.OPEN


def reached(state: State) -> Porter:
    at_the_door = Porter()
    if state is State.OPEN:
        return opened()
    if state is not State.WAITING:
        at_the_door.receive(request())
    if state in {State.DIALLING, State.INTRODUCING}:
        at_the_door.receive(porter.Admitted(INTRODUCTION))
    if state is State.INTRODUCING:
        at_the_door.receive(porter.LegOpened())
    assert at_the_door.state is state
    return at_the_door


EVENTS: list[porter.Event] = [
    request(3),
    porter.Admitted(INTRODUCTION),
    porter.Denied(InvalidLogin()),
    porter.LegOpened(),
    porter.LegLost(ControllerUnavailable("away")),
    answer(),
    porter.AccessRequired(),
]
ALLOWED: dict[State, set[type]] = {
    State.WAITING: {porter.ClientSpoke},
    State.ADMITTING: {porter.ClientSpoke, porter.Admitted, porter.Denied},
    State.DIALLING: {porter.ClientSpoke, porter.LegOpened, porter.LegLost},
    State.INTRODUCING: {porter.ClientSpoke, porter.ControllerSpoke, porter.LegLost},
    State.OPEN: {porter.AccessRequired},
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, EVENTS)))
def test_every_event_in_every_state(state: State, event: porter.Event) -> None:
    at_the_door = reached(state)
    if type(event) not in ALLOWED[state]:
        with pytest.raises(ValueError, match=f"while {state.value}"):
            at_the_door.receive(event)
        assert at_the_door.state is state
        return
    at_the_door.receive(event)
    # Only the controller's own welcome opens the pipe.
    opens = state is State.INTRODUCING and isinstance(event, porter.ControllerSpoke)
    assert (at_the_door.state is State.OPEN) == opens
