"""What the events of a plan mean for the bars and lines of its models. Pure."""

from collections.abc import Mapping
from typing import Final

from jimmctl import rows
from jimmctl.rows import Row

ENDS: Final = ("done", "failed", "cancelled")
"""The states that a plan does not leave by itself; paused, it waits for somebody."""

_STATES: Final[Mapping[str, str]] = {
    "waiting": "requested",
    "migrating": "requested",
    "cancelled": "refused",
}
"""A model's state in a plan as a migration's; the others are written alike."""

_NOT_YET: Final[Mapping[str, str]] = {
    "done": "confirming",
    "failed": "cleaning",
    "refused": "cleaning",
}
"""A migration that is over while its model's turn is not."""


def name(item: Row) -> str:
    """``owner/name``."""
    return f"{rows.text(item, 'owner')}/{rows.text(item, 'model-name')}"


def change(item: Row) -> Row:
    """A model's event as that of a migration."""
    state = rows.text(item, "state")
    target = rows.text(item, "target")
    message = rows.error_text(item) or rows.text(item, "message")
    told: Row = {
        "at": rows.text(item, "at"),
        "message": message or (f"to {target}" if target else ""),
    }
    moving = rows.text(item, "migration-state")
    if state == "migrating" and moving:
        return told | {
            "state": _NOT_YET.get(moving, moving),
            "phase": rows.text(item, "phase"),
            "phase-since": rows.text(item, "phase-since"),
            "expected-rest": item.get("expected-rest"),
            "slow": item.get("slow"),
        }
    return told | {"state": _STATES.get(state, state)}


def is_at_rest(plan: Row) -> bool:
    """Whether nothing more happens unless somebody does something."""
    state, counts = rows.text(plan, "state"), rows.child(plan, "counts")
    moving = any(counts.get(each) for each in ("migrating", "upgrading"))
    return state in ENDS or (state == "paused" and not moving)


def sentence(plan: Row) -> str:
    """A plan's state and message in one line."""
    state, message = rows.text(plan, "state"), rows.text(plan, "message")
    start = f"plan {rows.text(plan, 'plan-id')} is"
    if message.startswith(state):
        return f"{start} {message}"
    return f"{start} {state}: {message}" if message else f"{start} {state}"
