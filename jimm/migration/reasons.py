"""Juju's texts without the secrets in them. Pure.

``MigrationTarget.Import`` prints the attributes of two credentials that differ, as Go prints
maps (Juju ``state/migration_import.go``); a value may hold anything, brackets included.
"""

import re
from typing import Final

REDACTED: Final = "<redacted>"

LONGEST: Final = 10_000
"""Characters of a text that are looked at; a controller may say anything."""

_MISMATCH: Final = re.compile(r"(credential attribute mismatch:\s*).*", re.DOTALL)
_MACAROONS: Final = re.compile(r"(invalid macaroons:\s*).*", re.DOTALL)
_MAP: Final = re.compile(r"map\[.*", re.DOTALL)
_LITERAL: Final = re.compile(r"map\[[\w.*]+\][\w.*\[\] ]*\{")
"""A map as ``%#v`` prints it: ``map[string]string{"password":"x"}``."""

_PEM: Final = re.compile(r"-----BEGIN .*?(?:-----END [^-]*-----|$)", re.DOTALL)
_LOGIN: Final = re.compile(
    r"\b(?P<kind>bearer|basic)\s+(?P<value>[\w.~+/-]{8,}=*)|(?<=://)[^/\s@:]*:[^/\s@]*(?=@)",
    re.IGNORECASE,
)
_NAMED: Final = re.compile(
    r"""(?P<name>(?:
        password|passphrase|passwd|secret|token|macaroon|private|oauth|cookie|authorization
        |(?:api|access|client|trust)[-_]?key)
        [\w.-]{0,64}["']?\s{0,8}[:=]\s{0,8})
        (?P<value><redacted>|"(?:\\.|[^"\\])*"?|'[^']*'?|\S+)""",
    re.IGNORECASE | re.VERBOSE,
)


def redact_reason(text: str) -> str:
    """The text with the contents of maps, of PEM blocks and of whatever is named as a secret
    taken out.

    What a map holds can't be told from what follows it, so everything goes up to the last
    closing bracket; up to the end, where there are fewer closing brackets than opening ones or
    where two maps are compared. What goes beyond :data:`LONGEST` is cut off.
    """
    text = text[:LONGEST]
    text = _MISMATCH.sub(rf"\1map[{REDACTED}]", text)
    text = _MACAROONS.sub(rf"\1{REDACTED}", text)
    text = _MAP.sub(_without_map, text)
    text = _PEM.sub(REDACTED, text)
    text = _LOGIN.sub(_without_login, text)
    return _NAMED.sub(lambda found: found["name"] + REDACTED, text)


def _without_map(found: re.Match[str]) -> str:
    text = found.group()
    rest = "" if _is_cut(text) else text.rpartition("]")[2]
    return f"map[{REDACTED}]{rest}"


def _is_cut(text: str) -> bool:
    literal = _LITERAL.match(text) is not None
    return literal or text.count("]") < text.count("[")


def _without_login(found: re.Match[str]) -> str:
    return f"{found['kind']} {REDACTED}" if found["kind"] else REDACTED
