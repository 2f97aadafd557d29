"""Juju's texts without the secrets in them. Pure.

``MigrationTarget.Import`` prints the attributes of two credentials that differ, as Go prints
maps (Juju ``state/migration_import.go``); a value may hold anything, brackets included.
"""

import re
from typing import Final

REDACTED: Final = "<redacted>"

_MAP: Final = re.compile(r"map\[(?:.*\]|.*$)", re.DOTALL)
_PEM: Final = re.compile(r"-----BEGIN .*?(?:-----END [^-]*-----|$)", re.DOTALL)
_NAMED: Final = re.compile(
    r"""(?P<name>["']?[\w.-]*(?:password|passphrase|passwd|secret|token|macaroon|private|api[-_]?key)
        [\w.-]*["']?\s*[:=]\s*)(?P<value><redacted>|"(?:\\.|[^"\\])*"|'[^']*'|\S+)""",
    re.IGNORECASE | re.VERBOSE,
)


def redact_reason(text: str) -> str:
    """The text with the contents of maps, of PEM blocks and of whatever is named as a secret
    taken out.

    What a map holds can't be told from what follows it, so everything goes up to the last
    closing bracket.
    """
    text = _MAP.sub(f"map[{REDACTED}]", text)
    text = _PEM.sub(REDACTED, text)
    return _NAMED.sub(lambda found: found["name"] + REDACTED, text)
