"""What strikes one model alone, on the source or on the target, as faults of the simulator."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from jimm.migration.phases import Phase
from tests.system.migration_matrix.places import CALLS, WHOLE, point
from tests.unit.migration.juju import Fault, Party

LOOK: Final = "ModelManager.ModelInfo"
"""What JIMM asks a controller to see where a model is."""

INITIATE: Final = "Controller.InitiateMigration"

Spec = dict[str, Any]
"""The body of a fault, but for the model."""


@dataclass
class Told:
    """What the source said of a model when it lived there, and the target's uuid."""

    model: str
    target: str
    info: Mapping[str, Any] = field(default_factory=dict)

    def answer(self, **changes: Any) -> Spec:
        """The same, changed, as ``ModelInfo`` answers it; without a key that is ``None``."""
        merged = {**self.info, **changes}
        kept = {key: value for key, value in merged.items() if value is not None}
        return {"results": [{"result": kept}]}


def strike(cell: Fault, told: Told) -> Spec:
    """The fault of a cell; it waits where the held source, or JIMM's next look, comes by."""
    if cell.party is Party.SOURCE:
        return _asked(cell, told) if cell.phase is Phase.NONE else _of_source(cell, told)
    return _of_target(cell, told)


def is_asked(cell: Fault) -> bool:
    """Whether it strikes the call that is to begin the migration: nothing can be held there."""
    return (cell.phase, cell.party) == (Phase.NONE, Party.SOURCE)


def is_seen(cell: Fault) -> bool:
    """Whether it strikes what JIMM itself asks for: the models of one controller share a link,
    and one look, so that only one of them can be lied to."""
    if (cell.party, cell.kind) in WHOLE:
        return False
    return strike(cell, Told("", ""))["point"] in (LOOK, INITIATE)


def _asked(cell: Fault, told: Told) -> Spec:
    match cell.kind:
        case "refuse":
            text = "source prechecks failed: unit a/0 is dying"
            return {"point": "initiate", "action": "refuse", "message": text}
        case "cut":
            return {"point": INITIATE, "action": "drop-after"}
        case "lie:begun":
            row = {"model-tag": f"model-{told.model}", "migration-id": f"{told.model}:0"}
            return {"point": INITIATE, "action": "lie", "answer": {"results": [row]}}
        case "lie:refused":
            return {"point": "initiate.after", "action": "refuse", "message": "I am a teapot"}
    raise LookupError(cell)


def _of_source(cell: Fault, told: Told) -> Spec:
    is_working = cell.phase not in (Phase.DONE, Phase.ABORTDONE, Phase.REAPFAILED)
    if cell.kind == "refuse" and is_working:
        return {"point": point(cell.phase), "action": "refuse", "message": "no space"}
    return _seen(cell, told)


def _of_target(cell: Fault, told: Told) -> Spec:
    called = CALLS.get(cell.phase)
    if called is None or cell.kind not in ("refuse", "cut"):
        return _seen(cell, told)
    if cell.kind == "cut":
        return {"point": called, "action": "drop-after"}
    half = "lie-after" if cell.phase is Phase.IMPORT else "refuse"  # it has begun to import
    return {"point": called, "action": half, "message": "disk full"}


def _seen(cell: Fault, told: Told) -> Spec:
    """What only JIMM notices."""
    if cell.kind == "refuse":
        text = "unauthorized access"
        return {"point": LOOK, "action": "refuse", "message": text, "code": text, "times": 3}
    if cell.kind == "cut":
        return {"point": LOOK, "action": "drop-before", "times": 2}
    return {"point": LOOK, "action": "lie", "answer": _lie(cell.kind, told), "times": 2}


def _lie(kind: str, told: Told) -> Spec:
    now = datetime.now(UTC)
    reason = "aborted, removing model from target controller: a lie"
    available = {"status": "available", "info": "", "since": now.isoformat()}
    match kind.partition(":")[2]:
        case "gone":
            return _refusal("model not found", "not found")
        case "nothing":
            return told.answer(migration=None)
        case "stale":
            then = (now - timedelta(days=1)).isoformat()
            return told.answer(migration={"status": reason, "start": then, "end": then})
        case "ended":
            at = now.isoformat()
            return told.answer(migration={"status": reason, "start": at, "end": at})
        case "live":
            return told.answer(**{"controller-uuid": told.target, "status": available})
        case "other":
            return told.answer(**{"controller-uuid": str(uuid.uuid4()), "status": available})
        case "importing":
            return _refusal("migration in progress, model is importing", "")
        case "garbage":
            return {"results": "nonsense"}
    raise LookupError(kind)


def _refusal(message: str, code: str) -> Spec:
    return {"results": [{"error": {"message": message, "code": code}}]}
