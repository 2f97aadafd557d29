"""Who answers, and whether the login holds."""

from collections.abc import Awaitable, Callable

import pytest

from jimm.controllers.deadlines import Timing
from jimm.controllers.dial import dial, dial_stranger
from jimm.errors import ControllerUnavailable, RemoteError, WrongController
from jimm.net.certificates import Authority
from jimm.wire.tags import ModelUUID
from tests.unit.controllers.scripted import (
    LOGIN,
    MODEL,
    OTHER,
    UUID,
    Conversation,
    Peer,
    login_result,
)

Script = Callable[[Conversation], Awaitable[None]]


def answering(result: dict[str, object]) -> Script:
    async def script(peer: Conversation) -> None:
        await peer.log_in(result)

    return script


async def test_a_login_to_the_controller_goes_to_api(authority: Authority) -> None:
    async def script(peer: Conversation) -> None:
        assert peer.path == "/api"
        await peer.log_in()

    async with Peer(authority, script) as peer, await dial(peer.endpoint(), LOGIN) as link:
        assert link.login_result.server_version == "3.6.9"
        assert link.address == peer.address


async def test_a_login_to_a_model_goes_to_its_path(authority: Authority) -> None:
    async def script(peer: Conversation) -> None:
        assert peer.path == f"/model/{MODEL}/api"
        await peer.log_in(login_result(model_tag=f"model-{MODEL}"))

    async with Peer(authority, script) as peer:
        link = await dial(peer.endpoint(), LOGIN, model=ModelUUID(MODEL))
        await link.aclose()


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (login_result(OTHER), f"is controller {OTHER}, and not north-1"),
        (login_result("not-a-uuid"), "does not say which controller it is"),
        ({"facades": []}, "does not say which controller it is"),
        (login_result(model_tag=f"model-{MODEL}"), f'answered for "model-{MODEL}"'),
    ],
    ids=["another", "unreadable", "none", "a model"],
)
async def test_whoever_is_not_the_registered_controller_is_sent_nothing(
    authority: Authority, result: dict[str, object], text: str
) -> None:
    async with Peer(authority, answering(result)) as peer:
        with pytest.raises(WrongController, match=text):
            await dial(peer.endpoint(), LOGIN)


async def test_another_model_than_the_one_dialled_is_refused(authority: Authority) -> None:
    async with Peer(authority, answering(login_result(model_tag="model-else"))) as peer:
        with pytest.raises(WrongController, match='"model-else" in place of'):
            await dial(peer.endpoint(), LOGIN, model=ModelUUID(MODEL))


async def test_a_refused_login_is_the_controllers_own_error(authority: Authority) -> None:
    async def script(peer: Conversation) -> None:
        request = await peer.expect("Admin", "Login", 3)
        await peer.refuse(request, "invalid entity name or password", "unauthorized access")

    async with Peer(authority, script) as peer:
        with pytest.raises(RemoteError, match="invalid entity name or password") as caught:
            await dial(peer.endpoint(), LOGIN)
    assert caught.value.juju_code == "unauthorized access"
    assert "open sesame" not in repr(caught.value)


async def test_a_discharge_is_a_refusal(authority: Authority) -> None:
    macaroon: dict[str, object] = {"discharge-required": {"c": []}, "facades": []}
    async with Peer(authority, answering(macaroon)) as peer:
        with pytest.raises(RemoteError, match="login elsewhere") as caught:
            await dial(peer.endpoint(), LOGIN)
    assert caught.value.juju_code == "macaroon discharge required"


async def test_a_controller_signed_by_another_authority_never_sees_the_login(
    authority: Authority,
) -> None:
    another = Authority.create("another")
    async with Peer(authority) as peer:
        with pytest.raises(
            ControllerUnavailable, match="its certificate is not signed by the registered CA"
        ):
            await dial(peer.endpoint(ca=another.certificate_pem), LOGIN)


async def test_a_login_without_an_answer_ends_at_its_deadline(authority: Authority) -> None:
    async def script(peer: Conversation) -> None:
        await peer.expect("Admin", "Login", 3)

    async with Peer(authority, script) as peer:
        with pytest.raises(ControllerUnavailable, match=r"did not answer the login within 0\.1 s"):
            await dial(peer.endpoint(), LOGIN, timing=Timing(login=0.1))


@pytest.mark.parametrize(
    "garbage",
    [b"hello", b"[]", b'{"request-id": 7, "response": {}}', b'{"request-id": 1, "response": 3}'],
)
async def test_an_answer_that_is_not_jujus_is_no_login(
    authority: Authority, garbage: bytes
) -> None:
    async def script(peer: Conversation) -> None:
        await peer.expect("Admin", "Login", 3)
        await peer.say(garbage)

    async with Peer(authority, script) as peer:
        with pytest.raises(ControllerUnavailable, match="does not answer as a Juju controller"):
            await dial(peer.endpoint(), LOGIN)


async def test_a_cut_during_the_login_is_an_absence(authority: Authority) -> None:
    async def script(peer: Conversation) -> None:
        await peer.expect("Admin", "Login", 3)
        peer.cut()

    async with Peer(authority, script) as peer:
        with pytest.raises(ControllerUnavailable, match="before it answered the login"):
            await dial(peer.endpoint(), LOGIN)


async def test_a_strangers_uuid_is_learnt(authority: Authority) -> None:
    async with Peer(authority, answering(login_result(OTHER))) as peer:
        uuid, link = await dial_stranger(peer.endpoint(UUID), LOGIN)
        await link.aclose()
    assert uuid == OTHER
