"""Reading plain JSON objects whose sender is not trusted to keep the types."""

from collections.abc import Iterable, Mapping, Sequence

from jimmctl.errors import Check

Row = dict[str, object]
"""One object of the API, keys as the API spells them."""


def text(row: Mapping[str, object], key: str) -> str:
    """The value as text; ``""`` when it is absent or null."""
    value = row.get(key)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else str(value)


def child(row: Mapping[str, object], key: str) -> Row:
    """The object below ``key``; empty when there is none."""
    value = row.get(key)
    return value if isinstance(value, dict) else {}


def children(row: Mapping[str, object], key: str) -> list[Row]:
    """The objects in the list below ``key``; empty when there is none."""
    value = row.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def checks(row: Mapping[str, object]) -> tuple[Check, ...]:
    """The ``checks`` of a refusal, a dry run or a migration target."""
    return tuple(
        Check(
            text(one, "code"),
            text(one, "found"),
            text(one, "remedy"),
            advice=one.get("advice") is True,
            mendable=one.get("mendable") is True,
        )
        for one in children(row, "checks")
    )


def arranged(row: Mapping[str, object], first: Sequence[str], optional: Iterable[str]) -> Row:
    """The same object with the keys of ``first`` first and in that order.

    Optional keys that are null are left out: absent and null mean the same to a reader, and a
    script may then ask for the key alone.
    """
    kept = {key: row[key] for key in first if key in row}
    kept.update((key, value) for key, value in row.items() if key not in kept)
    dropped = {key for key in optional if kept.get(key) is None}
    return {key: value for key, value in kept.items() if key not in dropped}


def error_text(row: Mapping[str, object]) -> str:
    """The ``error`` of a row, which is a sentence or an object with a ``message``."""
    value = row.get("error")
    return text(value, "message") if isinstance(value, dict) else text(row, "error")
