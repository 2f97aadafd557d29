"""Links that are kept, lost, found again, and refused."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from jimm.controllers.deadlines import Timing
from jimm.controllers.endpoint import Endpoint
from jimm.controllers.health import Reading
from jimm.controllers.link import Link
from jimm.controllers.pool import Pool
from jimm.errors import ControllerError, ControllerUnavailable, RemoteError, WrongController
from jimm.net.certificates import Authority
from jimm.wire.params.admin import LoginRequest
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.unit.controllers.scripted import (
    LOGIN,
    MODEL,
    OTHER,
    UUID,
    Conversation,
    Peer,
    login_result,
)

QUICK = Timing(retry_first=0.01, retry_most=0.05, retry_refused=0.05, login=0.5)
SERVER = {"value": "10.0.0.1", "type": "ipv4", "scope": "local-cloud", "port": 17070}


async def supervised(peer: Conversation) -> None:
    """A controller as JIMM's own link finds it."""
    await peer.log_in(login_result(servers=[SERVER]))
    await peer.asked("Controller.ControllerVersion", {"version": "3.6.9", "git-commit": ""})


async def cut_after_measuring(peer: Conversation) -> None:
    await supervised(peer)
    peer.cut()


async def in_a_users_name(peer: Conversation) -> None:
    await peer.log_in()


async def log_in(_: Endpoint) -> LoginRequest:
    return LOGIN


class Watched:
    """A running pool and what it reported."""

    def __init__(self, timing: Timing = QUICK) -> None:
        self.readings: list[Reading] = []
        self.pool = Pool(log_in, report=self._take, timing=timing)

    async def linked(self) -> Link:
        found: Link | None = await eventually(self._link, deadline=5)
        assert found is not None
        return found

    async def away(self) -> ControllerError:
        found: ControllerError | None = await eventually(self._absence, deadline=5)
        assert found is not None
        return found

    def _link(self) -> Link | None:
        try:
            return self.pool.link(UUID)
        except ControllerError:
            return None

    def _absence(self) -> ControllerError | None:
        try:
            self.pool.link(UUID)
        except ControllerError as error:
            return error
        return None

    async def _take(self, reading: Reading) -> None:
        self.readings.append(reading)


@asynccontextmanager
async def running(endpoints: Sequence[Endpoint], timing: Timing = QUICK) -> AsyncIterator[Watched]:
    watched = Watched(timing)
    watched.pool.set_endpoints(endpoints)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(watched.pool.run())
        try:
            yield watched
        finally:
            task.cancel()


async def test_a_link_comes_up_and_is_measured(authority: Authority) -> None:
    async with Peer(authority, supervised) as peer, running([peer.endpoint()]) as watched:
        link = await watched.linked()
        assert link.endpoint.uuid == UUID
        await eventually(lambda: watched.readings)
    reading = watched.readings[0]
    assert reading.reachable
    assert (reading.agent_version, reading.servers) == ("3.6.9", ("10.0.0.1:17070",))
    assert reading.error == ""
    assert reading.latency is not None


async def test_an_unknown_controller_is_unavailable() -> None:
    with pytest.raises(ControllerUnavailable, match="is not connected here"):
        Watched().pool.link(UUID)


async def test_before_the_first_dial_the_answer_comes_at_once(authority: Authority) -> None:
    watched = Watched()
    async with Peer(authority) as peer:
        watched.pool.set_endpoints([peer.endpoint()])
    with pytest.raises(ControllerUnavailable, match="away since ") as away:
        watched.pool.link(UUID)
    assert away.value.why == "it has not been dialled yet"


async def test_a_lost_link_is_dialled_again(authority: Authority) -> None:
    async with (
        Peer(authority, cut_after_measuring, supervised) as peer,
        running([peer.endpoint()]) as watched,
    ):
        await eventually(lambda: len(watched.readings) >= 3)
        assert [each.reachable for each in watched.readings] == [True, False, True]
        assert "was closed" in watched.readings[1].error
        assert not (await watched.linked()).closed.is_set()


async def test_another_controller_is_quarantined_until_the_right_one_answers(
    authority: Authority,
) -> None:
    async def stranger(peer: Conversation) -> None:
        await peer.log_in(login_result(OTHER))

    async with (
        Peer(authority, stranger, supervised) as peer,
        running([peer.endpoint()], replace(QUICK, retry_refused=0.5)) as watched,
    ):
        await eventually(lambda: watched.readings)
        with pytest.raises(WrongController, match=f"is controller {OTHER}, and not north-1"):
            watched.pool.link(UUID)
        with pytest.raises(WrongController):
            async with watched.pool.as_user(peer.endpoint(), LOGIN):
                raise AssertionError
        assert watched.readings[0].quarantined
        assert "wrong controller" in watched.readings[0].error
        await watched.linked()


async def test_a_refused_login_is_told_as_the_reason(authority: Authority) -> None:
    async def refusing(peer: Conversation) -> None:
        request = await peer.expect("Admin", "Login")
        await peer.refuse(request, "invalid entity name or password", "unauthorized access")

    async with (
        Peer(authority, refusing) as peer,
        running([peer.endpoint()], replace(QUICK, retry_refused=60)) as watched,
    ):
        await eventually(lambda: watched.readings)
        error = await watched.away()
    assert isinstance(error, ControllerUnavailable)
    assert "it refuses JIMM's login: invalid entity name or password" in error.why


async def test_while_a_controller_is_away_its_breaker_answers_for_users_too(
    authority: Authority,
) -> None:
    async with Peer(authority) as peer:
        gone = peer.endpoint()
    async with running([gone]) as watched:
        await eventually(lambda: len(watched.readings) >= 3)
        with pytest.raises(ControllerUnavailable, match="away since ") as away:
            async with watched.pool.as_user(gone, LOGIN):
                raise AssertionError
    assert "connection refused" in away.value.why
    assert "127.0.0.1" not in str(away.value)
    assert not any(reading.quarantined for reading in watched.readings)


async def test_a_link_in_a_users_name_to_a_model_ends_with_its_use(authority: Authority) -> None:
    async def on_the_model(peer: Conversation) -> None:
        assert peer.path == f"/model/{MODEL}/api"
        await peer.log_in(login_result(model_tag=f"model-{MODEL}"))
        await peer.asked("ModelConfig.ModelGet", {"config": {}})

    async with Peer(authority, on_the_model) as peer:
        pool = Watched().pool
        async with pool.as_user(peer.endpoint(), LOGIN, model=ModelUUID(MODEL)) as link:
            await link.call_plain("ModelConfig", "ModelGet", None, versions=(3,), deadline=5)
        assert link.closed.is_set()


async def test_a_stranger_that_is_visited_has_a_link_meanwhile(authority: Authority) -> None:
    async with Peer(authority, in_a_users_name) as peer, running([]) as watched:
        async with watched.pool.visit(peer.endpoint(), LOGIN) as link:
            assert watched.pool.link(UUID) is link
        assert link.closed.is_set()
        with pytest.raises(ControllerUnavailable, match="not connected here"):
            watched.pool.link(UUID)


async def test_a_user_who_is_refused_opens_no_breaker(authority: Authority) -> None:
    async def refusing(peer: Conversation) -> None:
        request = await peer.expect("Admin", "Login")
        await peer.refuse(request, "permission denied", "unauthorized access")

    scripts = [supervised, *[refusing] * 4, in_a_users_name]
    async with Peer(authority, *scripts) as peer, running([peer.endpoint()]) as watched:
        await watched.linked()
        for _ in range(4):
            with pytest.raises(RemoteError, match="permission denied"):
                async with watched.pool.as_user(peer.endpoint(), LOGIN):
                    raise AssertionError
        async with watched.pool.as_user(peer.endpoint(), LOGIN) as link:
            assert not link.closed.is_set()


async def test_dials_that_fail_for_users_open_the_breaker_though_the_link_lives(
    authority: Authority,
) -> None:
    async def deaf(peer: Conversation) -> None:
        await peer.expect("Admin", "Login")
        peer.cut()

    async with (
        Peer(authority, supervised, deaf, deaf, deaf) as peer,
        running([peer.endpoint()]) as watched,
    ):
        await watched.linked()
        for _ in range(3):
            with pytest.raises(ControllerUnavailable, match="cannot be reached") as away:
                async with watched.pool.as_user(peer.endpoint(), LOGIN):
                    raise AssertionError
            assert "before it answered the login" in away.value.why
        with pytest.raises(ControllerUnavailable, match="takes no new connections just now"):
            async with watched.pool.as_user(peer.endpoint(), LOGIN):
                raise AssertionError


async def test_a_stranger_met_in_a_users_name_ends_the_shared_link(authority: Authority) -> None:
    async def stranger(peer: Conversation) -> None:
        await peer.log_in(login_result(OTHER))

    async with (
        Peer(authority, supervised, stranger) as peer,
        running([peer.endpoint()], replace(QUICK, retry_refused=60)) as watched,
    ):
        link = await watched.linked()
        with pytest.raises(WrongController):
            async with watched.pool.as_user(peer.endpoint(), LOGIN):
                raise AssertionError
        assert link.closed.is_set()
        assert isinstance(await watched.away(), WrongController)


async def test_setting_the_same_endpoints_again_or_new_addresses_keeps_the_link(
    authority: Authority,
) -> None:
    async with Peer(authority, supervised) as peer, running([peer.endpoint()]) as watched:
        link = await watched.linked()
        watched.pool.set_endpoints([peer.endpoint()])
        addresses = ("10.0.0.9:17070", peer.address)
        watched.pool.set_endpoints([replace(peer.endpoint(), name="b", addresses=addresses)])
        assert watched.pool.link(UUID) is link


async def test_a_new_ca_ends_the_link_and_dials_anew(authority: Authority) -> None:
    another = Authority.create("another").certificate_pem
    async with (
        Peer(authority, supervised, supervised) as peer,
        running([peer.endpoint()]) as watched,
    ):
        first = await watched.linked()
        both = another + authority.certificate_pem
        watched.pool.set_endpoints([peer.endpoint(ca=both)])
        assert first.closed.is_set()
        assert await watched.linked() is not first


async def test_a_dropped_controller_is_left(authority: Authority) -> None:
    async with Peer(authority, supervised) as peer, running([peer.endpoint()]) as watched:
        link = await watched.linked()
        watched.pool.set_endpoints([])
        with pytest.raises(ControllerUnavailable, match="is not connected here"):
            watched.pool.link(UUID)
        async with asyncio.timeout(5):
            await link.closed.wait()


async def test_new_addresses_are_dialled_at_once(authority: Authority) -> None:
    slow = replace(QUICK, retry_first=60, retry_most=60)
    async with Peer(authority, supervised) as peer:
        nowhere = replace(peer.endpoint(), addresses=("127.0.0.1:1",))
        async with running([nowhere], slow) as watched:
            await eventually(lambda: watched.readings)
            watched.pool.set_endpoints([peer.endpoint()])
            await watched.linked()


async def test_a_login_that_cannot_be_made_is_an_absence(
    authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: Endpoint) -> LoginRequest:
        raise LookupError("no key")

    readings: list[Reading] = []

    async def take(reading: Reading) -> None:
        readings.append(reading)

    pool = Pool(broken, report=take, timing=QUICK)
    async with Peer(authority) as peer:
        pool.set_endpoints([peer.endpoint()])
        async with asyncio.TaskGroup() as group:
            task = group.create_task(pool.run())
            await eventually(lambda: readings)
            task.cancel()
    assert readings[0].error == "JIMM could not make a login for it"
    assert "cannot be logged in to" in caplog.text
