import asyncio
from collections.abc import Iterator

import pytest
from argon2 import extract_parameters

from jimm.access import passwords
from jimm.access.passwords import FREE_FAILURES, LONGEST_PAUSE, Passwords, Slowing, hashed
from jimm.errors import NotValid, TryAgain
from jimm.net.tasks import Tasks
from jimm.wire.secret import Secret

GOOD = Secret("correct horse")
BAD = Secret("wrong horse")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def checks(clock: Clock) -> Iterator[Passwords]:
    made = Passwords(clock)
    yield made
    made.close()


@pytest.fixture(scope="module")
def stored() -> str:
    return hashed(GOOD)


def test_the_hash_is_argon2id_at_nineteen_mebibytes(stored: str) -> None:
    parameters = extract_parameters(stored)
    assert stored.startswith("$argon2id$")
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19456, 2, 1)
    assert hashed(GOOD) != stored


def test_nobodys_hash_costs_as_much(stored: str) -> None:
    assert extract_parameters(passwords._NOBODY) == extract_parameters(stored)


@pytest.mark.parametrize("text", ["", "seven77", "x" * 1025, "lone\ud800surrogate"])
def test_what_cannot_be_a_password_is_refused(text: str) -> None:
    with pytest.raises(NotValid) as refused:
        hashed(Secret(text))
    assert refused.value.field == "password"


async def test_right_and_wrong(checks: Passwords, stored: str) -> None:
    assert await checks.check("alice@jimm", GOOD, stored)
    assert not await checks.check("alice@jimm", BAD, stored)
    assert not await checks.check("nobody@jimm", GOOD, None)
    assert not await checks.check("alice@jimm", Secret("x" * 2000), stored)
    assert not await checks.check("alice@jimm", Secret("\ud800 surrogate"), stored)


async def test_an_unreadable_hash_is_a_wrong_password(checks: Passwords) -> None:
    assert not await checks.check("alice@jimm", GOOD, "no hash")


async def test_failures_slow_the_account_before_the_check(
    checks: Passwords, clock: Clock, stored: str
) -> None:
    for _ in range(FREE_FAILURES + 1):
        assert not await checks.check("alice@jimm", BAD, stored)
    with pytest.raises(TryAgain, match="try again in 1 s"):
        await checks.check("alice@jimm", GOOD, stored)
    assert await checks.check("bob@jimm", GOOD, stored)
    clock.seconds += 1
    assert await checks.check("alice@jimm", GOOD, stored)
    assert not await checks.check("alice@jimm", BAD, stored)
    assert await checks.check("alice@jimm", GOOD, stored)


async def test_unknown_accounts_are_slowed_alike(checks: Passwords) -> None:
    for _ in range(FREE_FAILURES + 1):
        assert not await checks.check("nobody@jimm", BAD, None)
    with pytest.raises(TryAgain):
        await checks.check("nobody@jimm", BAD, None)


async def test_guesses_sent_at_once_are_no_more_than_guesses_in_turn(
    checks: Passwords, stored: str
) -> None:
    outcomes = await asyncio.gather(
        *(checks.check("alice@jimm", Secret(f"guess {n:04}"), stored) for n in range(50)),
        return_exceptions=True,
    )
    looked_at = [each for each in outcomes if each is False]
    assert len(looked_at) == FREE_FAILURES + 1
    assert all(isinstance(each, TryAgain) for each in outcomes if each is not False)


async def test_many_right_logins_at_once_are_all_let_in(checks: Passwords, stored: str) -> None:
    logins = (checks.check("alice@jimm", GOOD, stored) for _ in range(200))
    assert all(await asyncio.gather(*logins))


async def test_a_login_that_hangs_up_has_failed(checks: Passwords, stored: str) -> None:
    tasks = Tasks()
    for _ in range(FREE_FAILURES + 1):
        login = tasks.spawn(checks.check("alice@jimm", BAD, stored), name="login")
        await asyncio.sleep(0)
        login.cancel()
        with pytest.raises(asyncio.CancelledError):
            await login
    with pytest.raises(TryAgain):
        await checks.check("alice@jimm", GOOD, stored)


async def test_a_success_is_remembered_for_a_minute(
    checks: Passwords, clock: Clock, stored: str
) -> None:
    assert await checks.check("alice@jimm", GOOD, stored)
    checks.close()  # from here on nothing can be computed
    assert await checks.check("alice@jimm", GOOD, stored)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            await checks.check("alice@jimm", GOOD, hashed(GOOD))  # the hash has changed
    clock.seconds += 60
    with pytest.raises(RuntimeError):
        await checks.check("alice@jimm", GOOD, stored)


async def test_too_many_waiting_logins_are_refused(checks: Passwords, stored: str) -> None:
    outcomes = await asyncio.gather(
        *(checks.check("alice@jimm", GOOD, stored) for _ in range(passwords.WAITING + 5)),
        return_exceptions=True,
    )
    assert sum(isinstance(each, TryAgain) for each in outcomes) == 5


def test_pauses_double_up_to_a_bound(clock: Clock) -> None:
    slowing = Slowing(clock)
    pauses = []
    for _ in range(FREE_FAILURES + 8):
        slowing.failed("alice@jimm")
        began = clock.seconds
        while not admitted(slowing):
            clock.seconds += 1
        pauses.append(clock.seconds - began)
    assert pauses == [0, 0, 0, 0, 1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_failures_are_forgotten(clock: Clock) -> None:
    slowing = Slowing(clock)
    for _ in range(20):
        slowing.failed("alice@jimm")
    clock.seconds += passwords.FORGOTTEN_AFTER
    slowing.failed("alice@jimm")
    assert admitted(slowing)


def test_memory_is_bounded(clock: Clock) -> None:
    slowing = Slowing(clock, accounts=3)
    for _ in range(10):
        slowing.failed("alice@jimm")
    for name in ("bob", "carol"):
        slowing.failed(name)
    assert not admitted(slowing)
    slowing.failed("dave")
    assert admitted(slowing)


def admitted(slowing: Slowing) -> bool:
    try:
        slowing.admit("alice@jimm")
    except TryAgain:
        return False
    return True
