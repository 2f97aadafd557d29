"""Keeping secrets out of what use cases tell of themselves. Pure.

Default is to tell nothing: of a parameter whose name is not declared here only the name is kept.
(What clients' calls carry is :mod:`jimm.audit.kept`'s.)
"""

from collections.abc import Mapping
from typing import Final

REDACTED: Final = "<redacted>"

LONGEST: Final = 1024
"""Characters of a text that are kept."""

DECLARED: Final = frozenset(
    {
        "access",
        "action",
        "addresses",
        "administrator",
        "after",
        "application",
        "before",
        "client",
        "client-id",
        "cloud",
        "credential",
        "destination",
        "door",
        "facade",
        "force",
        "id",
        "keys",
        "kind",
        "method",
        "migration-id",
        "model",
        "models",
        "name",
        "offer",
        "outcome",
        "owner",
        "owner-there",
        "plan-id",
        "prepare",
        "reason",
        "region",
        "removed",
        "source",
        "unmanaged",
        "user",
        "uuid",
        "version",
    }
)
"""The names, tags, numbers and switches that use cases tell. A name that says what a credential,
a key or a client *is called* is here; none that holds one."""


def redact(value: object) -> object:
    """The same value with whatever is not declared taken out, at any depth."""
    if isinstance(value, Mapping):
        return {
            str(key): redact(each) if key in DECLARED else REDACTED for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(each) for each in value]
    return value[:LONGEST] if isinstance(value, str) else value
