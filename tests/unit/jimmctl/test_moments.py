"""Times as people write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from jimmctl.errors import Usage
from jimmctl.moments import moment, written

NOW = datetime(2026, 11, 21, 20, 17, 58, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21 20:17", datetime(2026, 11, 21, 20, 17, tzinfo=UTC)),
        ("2026-11-21T20:17:58", datetime(2026, 11, 21, 20, 17, 58, tzinfo=UTC)),
        ("2026-11-21T20:17:58.25Z", datetime(2026, 11, 21, 20, 17, 58, 250_000, tzinfo=UTC)),
        ("2026-11-21T20:17:58+02:00", datetime(2026, 11, 21, 18, 17, 58, tzinfo=UTC)),
        ("now", NOW),
        (" Today ", datetime(2026, 11, 21, tzinfo=UTC)),
        ("yesterday", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2h ago", NOW - timedelta(hours=2)),
        ("2h", NOW - timedelta(hours=2)),
        ("90 min ago", NOW - timedelta(minutes=90)),
        ("1d6h ago", NOW - timedelta(days=1, hours=6)),
        ("1 day, 6 hours ago", NOW - timedelta(days=1, hours=6)),
        ("1.5h", NOW - timedelta(minutes=90)),
        ("2w", NOW - timedelta(weeks=2)),
        ("30s", NOW - timedelta(seconds=30)),
    ],
)
def test_a_time_is_read(text: str, meant: datetime) -> None:
    assert moment(text, NOW) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "soon",
        "2",
        "h",
        "ago",
        "2h 3",
        "2y",
        "2026-13-01",
        "2026-11-21T25:00",
        "9" * 30 + "d",
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(Usage, match="is not a time: give 2026-11-21"):
        moment(text, NOW)


def test_a_time_is_sent_in_utc() -> None:
    there = timezone(timedelta(hours=2))
    assert written(datetime(2026, 11, 21, 22, 0, tzinfo=there)) == "2026-11-21T20:00:00Z"
