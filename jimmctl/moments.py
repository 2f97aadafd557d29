"""Points in time as people write them. What has no zone is UTC, as is all that is printed."""

import re
from datetime import UTC, datetime, timedelta

from jimmctl.errors import Usage

_PART = r"(\d+(?:\.\d+)?)\s*(s|m|h|d|w)[a-z]*"
_AGO = re.compile(rf"((?:{_PART}[\s,]*)+?)(?:\s*ago)?", re.IGNORECASE)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(argument: str, now: datetime) -> datetime:
    """A time: ``2026-11-21``, ``2026-11-21 20:17``, RFC 3339, ``2h ago``, ``90m``, ``1d 6h ago``,
    ``now``, ``today`` or ``yesterday``.

    Raises:
        Usage: none of these.
    """
    text = argument.strip()
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    words = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    try:
        if text.lower() in words:
            return words[text.lower()]
        if _AGO.fullmatch(text):
            return now - _length(text)
        return _with_zone(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise Usage(
            f'"{argument}" is not a time: give 2026-11-21, "2026-11-21 20:17", '
            '2026-11-21T20:17:58Z, or "2h ago"'
        ) from error


def written(time: datetime) -> str:
    """As JIMM's API takes it."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _length(text: str) -> timedelta:
    total = timedelta()
    for count, unit in re.findall(_PART, text, re.IGNORECASE):
        total += timedelta(**{_UNITS[unit.lower()]: float(count)})
    return total


def _with_zone(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)
