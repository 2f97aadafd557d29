import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import text

from jimm.access.accounts import disable_user
from jimm.access.devices import LIFE, LOOK_EVERY, DeviceLogins
from jimm.access.tokens import Issued, SessionTokens
from jimm.errors import FatalLogin, NotFound, UserNotFound
from jimm.net.tasks import Tasks
from jimm.registry.session import Registry
from tests.eventually import eventually
from tests.system.access.clock import Clock


@pytest.fixture
async def replica(database_url: str, clock: Clock) -> AsyncIterator[Callable[[], DeviceLogins]]:
    """Makes device logins of one more replica."""
    opened: list[Registry] = []

    def make() -> DeviceLogins:
        opened.append(Registry(database_url))
        return DeviceLogins(opened[-1], SessionTokens(opened[-1], clock), clock)

    yield make
    for each in opened:
        await each.aclose()


@pytest.fixture
def devices(registry: Registry, session_tokens: SessionTokens, clock: Clock) -> DeviceLogins:
    return DeviceLogins(registry, session_tokens, clock)


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    made = Tasks()
    yield made
    await made.aclose()


async def test_who_confirms_is_who_the_client_acts_for(
    devices: DeviceLogins, session_tokens: SessionTokens, alice: str
) -> None:
    begun = await devices.begin("juju 3.6.26")
    pending = await devices.find(begun.user_code)
    assert (pending.id, pending.client) == (begun.id, "juju 3.6.26")
    assert pending.expires_at - pending.asked_at >= LIFE / 2
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(devices.wait(begun.id))
        await devices.confirm(begun.id, alice)
    issued = waiting.result()
    assert issued.identity == alice
    assert (await session_tokens.look_up(issued.token.reveal())).identity.name == alice
    assert [each.name for each in await session_tokens.of(alice)] == ["device login"]


async def test_a_code_is_read_in_any_way_that_people_write_it(devices: DeviceLogins) -> None:
    begun = await devices.begin("juju")
    code = begun.user_code
    for written in (code, code.lower(), code.replace("-", ""), f" {code[:4]} {code[4:]}\n"):
        assert (await devices.find(written)).id == begun.id


@pytest.mark.parametrize(
    "code", ["", "-", "AAAA-AAAA", "BCDF-GHJK", "\x00" * 8, "\ud800" * 8, "é" * 8, "B" * 10_000]
)
async def test_a_code_that_nobody_was_shown_finds_nothing(devices: DeviceLogins, code: str) -> None:
    with pytest.raises(NotFound):
        await devices.find(code)


async def test_what_the_client_says_of_itself_is_one_short_line(devices: DeviceLogins) -> None:
    begun = await devices.begin("juju\x00\n<b>\ud800" + "x" * 1000)
    client = (await devices.find(begun.user_code)).client
    assert client.startswith("juju  <b>")
    assert len(client) == 200


async def test_a_refusal_is_final(devices: DeviceLogins, alice: str) -> None:
    begun = await devices.begin("juju")
    await devices.refuse(begun.id)
    with pytest.raises(FatalLogin, match="refused"):
        await devices.wait(begun.id)
    with pytest.raises(NotFound):
        await devices.confirm(begun.id, alice)
    with pytest.raises(NotFound):
        await devices.find(begun.user_code)


async def test_a_login_ends_after_ten_minutes(
    devices: DeviceLogins, clock: Clock, alice: str, tasks: Tasks
) -> None:
    begun = await devices.begin("juju")
    waiting = tasks.spawn(devices.wait(begun.id), name="wait")
    clock.pass_by(minutes=10)
    with pytest.raises(NotFound):
        await devices.find(begun.user_code)
    for settle in (devices.confirm(begun.id, alice), devices.refuse(begun.id)):
        with pytest.raises(NotFound):
            await settle
    with pytest.raises(FatalLogin, match="not confirmed in time"):
        await waiting


async def test_what_was_confirmed_in_time_is_collected_a_little_later(
    devices: DeviceLogins, clock: Clock, alice: str
) -> None:
    begun = await devices.begin("juju")
    await devices.confirm(begun.id, alice)
    clock.pass_by(minutes=10, seconds=1)
    await devices.begin("another")
    assert (await devices.wait(begun.id)).identity == alice


async def test_expired_logins_leave_nothing_behind(
    devices: DeviceLogins, registry: Registry, clock: Clock
) -> None:
    for _ in range(3):
        await devices.begin("juju")
    clock.pass_by(minutes=12)
    last = await devices.begin("juju")
    async with registry.read() as session:
        rows = await session.scalars(text("SELECT id::text FROM device_logins"))
        assert list(rows) == [last.id]


async def test_there_is_one_token_for_one_login(
    devices: DeviceLogins,
    replica: Callable[[], DeviceLogins],
    session_tokens: SessionTokens,
    alice: str,
) -> None:
    begun = await devices.begin("juju")
    await devices.confirm(begun.id, alice)
    replicas = [devices, replica(), replica()]
    answers = await asyncio.gather(
        *(each.wait(begun.id) for each in replicas * 3), return_exceptions=True
    )
    assert len([each for each in answers if isinstance(each, Issued)]) == 1
    assert len([each for each in answers if isinstance(each, FatalLogin)]) == 8
    assert len(await session_tokens.of(alice)) == 1


async def test_who_was_disabled_meanwhile_gets_nothing(
    devices: DeviceLogins, registry: Registry, session_tokens: SessionTokens, alice: str
) -> None:
    begun = await devices.begin("juju")
    await devices.confirm(begun.id, alice)
    await disable_user(registry, alice, local_domain="jimm")
    with pytest.raises(FatalLogin):
        await devices.wait(begun.id)
    assert await session_tokens.of(alice) == []


async def test_nobody_confirms_who_is_not_there(devices: DeviceLogins) -> None:
    begun = await devices.begin("juju")
    with pytest.raises(UserNotFound):
        await devices.confirm(begun.id, "nobody@jimm")
    for unknown in ("no-uuid", "7a5a9a64-6b4e-4a53-9d0f-111111111111"):
        with pytest.raises(NotFound):
            await devices.refuse(unknown)


async def test_a_login_begun_here_is_confirmed_on_another_replica(
    devices: DeviceLogins, replica: Callable[[], DeviceLogins], alice: str, tasks: Tasks
) -> None:
    begun = await devices.begin("juju")
    waiting = tasks.spawn(devices.wait(begun.id), name="wait")
    elsewhere = replica()
    await elsewhere.confirm((await elsewhere.find(begun.user_code)).id, alice)
    async with asyncio.timeout(2 * LOOK_EVERY):  # nobody was told: found by looking
        assert (await waiting).identity == alice


async def test_a_hint_saves_the_pause(devices: DeviceLogins, alice: str, tasks: Tasks) -> None:
    begun = await devices.begin("juju")
    waiting = [tasks.spawn(devices.wait(begun.id), name="wait") for _ in range(2)]
    await devices.confirm(begun.id, alice)
    loop = asyncio.get_running_loop()
    start = loop.time()

    def is_over() -> bool:
        devices.told(begun.id)
        return any(each.done() for each in waiting)

    await eventually(is_over)
    assert loop.time() - start < LOOK_EVERY / 2


async def test_twenty_wait_with_one_look_for_all(
    devices: DeviceLogins, registry: Registry, alice: str, tasks: Tasks
) -> None:
    begun = [await devices.begin(f"juju {number}") for number in range(20)]
    waiting = [tasks.spawn(devices.wait(each.id), name="wait") for each in begun]
    left, others = waiting[:3], waiting[3:]  # the first of them is the one that looks
    for each in begun[3:]:
        await devices.confirm(each.id, alice)
    for task in left:
        task.cancel()
    async with asyncio.timeout(2 * LOOK_EVERY):
        issued = await asyncio.gather(*others)
    assert len({each.id for each in issued}) == 17
