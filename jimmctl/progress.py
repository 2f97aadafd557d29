"""What a migration's event means: the line to show, and whether it has come to its end."""

import json

from jimmctl import rows
from jimmctl.rows import Row
from jimmctl.sse import Event

MOVED = "done"
ENDS = ("done", "failed", "refused")
"""The states that a migration does not leave. ``stuck`` is none of them: it may go on by
itself, or by ``resolve-migration``."""


def data(event: Event) -> Row:
    """The event's JSON object; empty when it is none."""
    try:
        value = json.loads(event.data)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def line(name: str, change: Row) -> str:
    """One change of the migration of ``name``: ``<time> <name>: running IMPORT: <message>``."""
    state, phase, message = (rows.text(change, key) for key in ("state", "phase", "message"))
    start = " ".join(one for one in (rows.text(change, "at"), name) if one)
    stage = " ".join(one for one in (state, phase) if one)
    return ": ".join(one for one in (start, stage, message) if one)


def failure(migration: Row) -> str:
    """Why it did not move the model: one sentence; ``""`` when it did."""
    state = rows.text(migration, "state")
    if state == MOVED:
        return ""
    reason = rows.error_text(migration) or rows.text(migration, "message")
    return reason or f"the migration is {state or 'in an unknown state'}"
