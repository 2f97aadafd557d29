"""Many calls over one connection, and every way in which it can fail."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from jimm.controllers.dial import dial
from jimm.controllers.link import Link
from jimm.errors import ControllerUnavailable, LostAnswer, NotSupported, RemoteError
from jimm.net.certificates import Authority
from jimm.wire.envelope import Request, encode_request
from jimm.wire.params.common import StringResult
from tests.eventually import eventually
from tests.unit.controllers.scripted import LOGIN, Conversation, Peer, Script


class Question(msgspec.Struct):
    number: int


@asynccontextmanager
async def linked(
    authority: Authority, script: Script, **pings: tuple[float, float]
) -> AsyncIterator[Link]:
    async def after_login(peer: Conversation) -> None:
        await peer.log_in()
        await script(peer)

    async with Peer(authority, after_login) as peer:
        link = await dial(peer.endpoint(), LOGIN)
        link.start(ping_every=pings.get("ping_every"), ping_deadline=0.1)
        async with link:
            yield link


async def ask(link: Link, number: int = 1, deadline: float = 5.0) -> str:
    answer = await link.call(
        "Cloud", "Ask", Question(number), StringResult, versions=(7,), deadline=deadline
    )
    return answer.result


async def test_answers_find_their_calls_in_any_order(authority: Authority) -> None:
    async def backwards(peer: Conversation) -> None:
        asked = [await peer.expect("Cloud", "Ask", 7) for _ in range(20)]
        for request in reversed(asked):
            assert isinstance(request.params, dict)
            await peer.answer(request, {"result": f"answer {request.params['number']}"})

    async with linked(authority, backwards) as link:
        answers = await asyncio.gather(*(ask(link, number) for number in range(20)))
    assert answers == [f"answer {number}" for number in range(20)]


async def test_an_error_is_told_with_its_code_and_info(authority: Authority) -> None:
    async def refusing(peer: Conversation) -> None:
        request = await peer.expect("Cloud", "Ask")
        await peer.say(
            msgspec.json.encode(
                {
                    "request-id": request.request_id,
                    "error": "access permissions required",
                    "error-code": "access required",
                    "error-info": {"model-x": "admin"},
                }
            )
        )

    async with linked(authority, refusing) as link:
        with pytest.raises(RemoteError) as caught:
            await ask(link)
    assert caught.value.juju_code == "access required"
    assert caught.value.info == {"model-x": "admin"}


async def test_the_highest_common_version_is_called(authority: Authority) -> None:
    async def checking(peer: Conversation) -> None:
        await peer.asked("ModelManager.ListModels", {}, 10)

    async with linked(authority, checking) as link:
        assert link.version("Controller", 11, 13, 14) == 11
        await link.call_plain("ModelManager", "ListModels", None, versions=(9, 10, 11), deadline=5)


async def test_a_facade_that_is_not_offered_is_not_called(authority: Authority) -> None:
    async def nothing(peer: Conversation) -> None:
        return None

    async with linked(authority, nothing) as link:
        with pytest.raises(NotSupported, match="does not offer ModelManager in version 11, 12"):
            link.version("ModelManager", 12, 11)
        with pytest.raises(NotSupported):
            await link.call_plain("Nope", "Ask", None, versions=(1,), deadline=5)


async def test_an_answer_after_the_deadline_is_dropped_and_the_link_goes_on(
    authority: Authority,
) -> None:
    async def late(peer: Conversation) -> None:
        first = await peer.expect("Cloud", "Ask")
        second = await peer.expect("Cloud", "Ask")
        await peer.answer(first, {"result": "too late"})
        await peer.answer(second, {"result": "in time"})
        await peer.answer(second, {"result": "twice"})
        await peer.asked("Cloud.Ask", {"result": "still there"})

    async with linked(authority, late) as link:
        with pytest.raises(LostAnswer, match=r"did not answer Cloud\.Ask within 0\.1 s"):
            await ask(link, deadline=0.1)
        assert await ask(link) == "in time"
        assert await ask(link) == "still there"


async def test_a_caller_that_leaves_disturbs_nobody(authority: Authority) -> None:
    arrived = asyncio.Event()

    async def patient(peer: Conversation) -> None:
        left = await peer.expect("Cloud", "Ask")
        arrived.set()
        stayed = await peer.expect("Cloud", "Ask")
        await peer.answer(left, {"result": "for nobody"})
        await peer.answer(stayed, {"result": "for you"})

    async with linked(authority, patient) as link:
        async with asyncio.TaskGroup() as group:
            leaving = group.create_task(ask(link))
            await arrived.wait()
            leaving.cancel()
        assert await ask(link) == "for you"


async def test_a_cut_fails_what_was_sent_as_lost_and_later_calls_as_unavailable(
    authority: Authority,
) -> None:
    async def cutting(peer: Conversation) -> None:
        for _ in range(3):
            await peer.expect("Cloud", "Ask")
        peer.cut()

    async with linked(authority, cutting) as link:
        outcomes = await asyncio.gather(*(ask(link) for _ in range(3)), return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [LostAnswer] * 3
        assert link.closed.is_set()
        with pytest.raises(ControllerUnavailable, match=r"controller north-1 is away: the conn"):
            await ask(link)


async def test_a_closing_peer_is_answered_and_the_link_closes(authority: Authority) -> None:
    async def leaving(peer: Conversation) -> None:
        await peer.close()

    async with linked(authority, leaving) as link:
        async with asyncio.timeout(5):
            await link.closed.wait()
        assert "was closed (1001)" in link.why_closed


@pytest.mark.parametrize(
    "garbage",
    [
        b"hello",
        b'{"request-id": 0, "response": {}}',
        b'{"request-id": 900, "response": {}}',
        b"[" * 100_000,
        encode_request(Request(request_id=1, type="Admin", version=3, request="Login")),
    ],
    ids=["no json", "id 0", "never asked", "too deep", "a request"],
)
async def test_garbage_ends_the_link_and_what_was_in_flight(
    authority: Authority, garbage: bytes
) -> None:
    async def babbling(peer: Conversation) -> None:
        await peer.expect("Cloud", "Ask")
        await peer.say(garbage)

    async with linked(authority, babbling) as link:
        with pytest.raises(LostAnswer, match="does not keep to Juju's protocol"):
            await ask(link)
        assert link.closed.is_set()


@pytest.mark.parametrize("result", [[], 3, {"result": 3}])
async def test_an_answer_of_the_wrong_shape_is_lost_and_the_link_goes_on(
    authority: Authority, result: object
) -> None:
    async def misshapen(peer: Conversation) -> None:
        await peer.asked("Cloud.Ask", result)
        await peer.asked("Cloud.Ask", {"result": "better"})

    async with linked(authority, misshapen) as link:
        with pytest.raises(LostAnswer, match="an answer that JIMM cannot read"):
            await ask(link)
        assert await ask(link) == "better"


async def test_a_peer_that_answers_no_ping_is_dead(authority: Authority) -> None:
    async def stalled(peer: Conversation) -> None:
        await peer.expect("Pinger", "Ping", 1)

    async with linked(authority, stalled, ping_every=(0.01, 0.02)) as link:
        async with asyncio.timeout(5):
            await link.closed.wait()
        assert "did not answer a ping" in link.why_closed


async def test_a_ping_that_is_refused_is_a_sign_of_life(authority: Authority) -> None:
    refused = 0

    async def refusing(peer: Conversation) -> None:
        nonlocal refused
        while True:
            await peer.refuse(
                await peer.expect("Pinger", "Ping", 1),
                "migration in progress, model is importing",
            )
            refused += 1

    async with linked(authority, refusing, ping_every=(0.0, 0.01)) as link:
        await eventually(lambda: refused >= 3)
        assert not link.closed.is_set()


async def test_closing_fails_what_is_in_flight(authority: Authority) -> None:
    arrived = asyncio.Event()

    async def holding(peer: Conversation) -> None:
        await peer.expect("Cloud", "Ask")
        arrived.set()

    async with linked(authority, holding) as link, asyncio.TaskGroup() as group:
        asking = group.create_task(_outcome(link))
        await arrived.wait()
        await link.aclose()
        assert isinstance(await asking, LostAnswer)


async def _outcome(link: Link) -> object:
    try:
        return await ask(link)
    except LostAnswer as error:
        return error
