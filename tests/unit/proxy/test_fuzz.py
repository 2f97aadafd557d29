"""The pipe compared byte by byte with a plain relay: whatever one end sends, the other gets.

Only these may differ: JIMM's own pings and the answers to them, a close, a code that no client
may see, and that control frames inside a message of the controller's may come before it.
"""

import random
import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.proxy.judge import End
from tests.unit.proxy.play import Play

seeds = st.integers(0, 2**32 - 1)
secrets = st.sampled_from((0.0, 0.1, 0.5))


@settings(deadline=None, max_examples=80)
@given(seed=seeds, count=st.integers(0, 10), secrets=secrets)
def test_what_one_end_sends_the_other_gets(seed: int, count: int, secrets: float) -> None:
    play = Play(random.Random(seed), count, secrets=secrets)
    play.run()
    play.judge()


@settings(deadline=None, max_examples=25)
@given(seed=seeds, count=st.integers(0, 6), secrets=secrets)
@pytest.mark.parametrize("end", [End.CLOSE, End.CUT, End.NONSENSE])
@pytest.mark.parametrize("side", ["up", "down"])
def test_it_may_end_anywhere(side: str, end: End, seed: int, count: int, secrets: float) -> None:
    up, down = (end, End.NOT) if side == "up" else (End.NOT, end)
    play = Play(random.Random(seed), count, up=up, down=down, secrets=secrets)
    play.run()
    play.judge()


@settings(deadline=None, max_examples=30)
@given(seed=seeds, count=st.integers(1, 6), step=st.integers(1, 40), secrets=secrets)
def test_jimm_may_end_it_at_any_time(seed: int, count: int, step: int, secrets: float) -> None:
    play = Play(random.Random(seed), count, secrets=secrets)
    play.run(closed_after=step)
    play.judge()


@settings(deadline=None, max_examples=60)
@given(seed=seeds, count=st.integers(1, 8), secrets=secrets)
def test_a_request_may_go_to_another_leg_in_the_middle(
    seed: int, count: int, secrets: float
) -> None:
    play = Play(random.Random(seed), 0, secrets=secrets)
    play.converse(count)
    play.judge()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_what_one_end_sends_the_other_gets_ten_thousand_times() -> None:
    first = random.SystemRandom().randrange(1 << 32)
    print(f"seeds from {first}")
    for seed in range(first, first + 10_000):
        rng = random.Random(seed)
        up, down = (rng.choice((End.NOT, End.NOT, *End)) for _ in range(2))
        secrets, count = rng.choice((0.0, 0.1, 0.5)), rng.randrange(12)
        play = Play(rng, count, up=up, down=down, secrets=secrets)
        play.run(closed_after=rng.choice((-1, -1, rng.randrange(1, 40))))
        assert judged(play), f"seed {seed}"
        play = Play(rng, 0, secrets=secrets)
        play.converse(count)
        assert judged(play), f"seed {seed}"


def judged(play: Play) -> bool:
    """Whether all is well; what is not is printed."""
    try:
        play.judge()
    except AssertionError:
        traceback.print_exc()
        return False
    return True
