"""How long a source waits for agents."""

import pytest

from jimm.simulator.migration.minions import WAIT_LIMIT, seconds_of


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("90s", 90.0),
        ("15m", 900.0),
        ("1h30m0s", 5400.0),
        ("", WAIT_LIMIT),
        ("soon", WAIT_LIMIT),
        ("5m and a bit", WAIT_LIMIT),
    ],
)
def test_durations_are_gos(duration: str, seconds: float) -> None:
    assert seconds_of(duration) == seconds
