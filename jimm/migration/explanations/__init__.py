"""What Juju says when a migration is refused or fails, in plain words. Pure.

A *text* is what Juju says; a *rule* knows one of them; a *place* is the part of Juju that a text
comes from, told by its opening words; an *explanation* is what JIMM tells instead: a code that
stays the same through Juju's versions, a sentence, and a remedy.

Sources: Juju 3.6 ``migration/precheck.go``, ``apiserver/facades/client/controller``,
``apiserver/facades/controller/migrationtarget``, ``state/{modelmigration,migration_import}.go``,
``internal/worker/migrationmaster``; 4.0 ``internal/migration/precheck.go``,
``domain/*/modelmigration``.
"""

import re
from typing import Final

from jimm.migration.explanations import (
    asking,
    connecting,
    importing,
    moving,
    preparing,
    source,
    target,
)
from jimm.migration.explanations.rule import Explanation, Reading, first
from jimm.migration.reasons import LONGEST, redact_reason

__all__ = ["JUJU_REFUSED", "READINGS", "Explanation", "explain"]

JUJU_REFUSED: Final = "juju-refused"
"""The code of a text that no rule knows."""

_ABORTED: Final = re.compile(r"(?:migrating: )?aborted, removing model from target controller:\s*")

READINGS: Final[tuple[Reading, ...]] = (
    *source.READINGS,
    *connecting.READINGS,
    *target.READINGS,
    *moving.READINGS,
    *importing.READINGS,
    *asking.READINGS,
    *preparing.READINGS,
)
"""All there are, in the order in which they are tried."""


def explain(text: str) -> Explanation:
    """What a text of ``Controller.InitiateMigration``, or the reason of a failed migration,
    means. The text is taken as Juju said it, ``aborted, …`` included; nothing that it may hold
    of a credential is told."""
    reason, aborted = _ABORTED.subn("", text[:LONGEST].strip(), count=1)
    if aborted and not reason:
        return moving.REASON_LOST
    found = first(READINGS, reason) or _unknown(reason)
    return Explanation(found.code, redact_reason(found.sentence), redact_reason(found.remedy))


def _unknown(text: str) -> Explanation:
    return Explanation(
        JUJU_REFUSED,
        redact_reason(text) or "Juju gave no reason",
        "look for the reason in the source's log (juju debug-log -m controller "
        "--include-module juju.worker.migrationmaster), mend it, then try again",
    )
