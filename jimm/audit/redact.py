"""Keeping secrets out of the trail. Pure."""

from collections.abc import Mapping
from typing import Final

REDACTED: Final = "<redacted>"

_SECRET_WORDS: Final = (
    "password",
    "secret",
    "credential-content",
    "attrs",
    "attributes",
    "token",
    "macaroon",
    "authorized-keys",
    "private",
    "ca-cert",
)


def redact(value: object) -> object:
    """The same value with whatever a key says is secret taken out, at any depth."""
    if isinstance(value, Mapping):
        return {
            str(key): REDACTED if _is_secret(str(key)) else redact(each)
            for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(each) for each in value]
    return value


def _is_secret(key: str) -> bool:
    folded = key.casefold().replace("_", "-")
    return any(word in folded for word in _SECRET_WORDS)
