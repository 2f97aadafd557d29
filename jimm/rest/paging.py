"""Cursors: opaque to clients, a sort key to us."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, TypeVar
from uuid import UUID

import msgspec
from fastapi import Query

from jimm.errors import NotValid

T = TypeVar("T")

_LONGEST_NUMBER: Final = 18
"""Digits that fit into Postgres' bigint."""

LimitParam = Annotated[int, Query(ge=1, le=500, description="Rows in a page.")]
CursorParam = Annotated[str, Query(description="`next` of the page before.")]


def encode(*key: str) -> str:
    """The cursor after the row with this sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode(cursor: str, parts: int) -> tuple[str, ...]:
    """The sort key in a cursor; empty texts for no cursor.

    Raises:
        NotValid: it is none of ours.
    """
    if not cursor:
        return ("",) * parts
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        key = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=tuple[str, ...])
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise NotValid("the cursor is none of JIMM's", field="cursor") from error
    if len(key) != parts or any("\0" in part for part in key):
        raise of_another_listing()
    return key


def number(cursor: str) -> int | None:
    """The sort key of a listing that is sorted by a number; ``None`` for no cursor.

    Raises:
        NotValid: it is none of ours, or of another listing.
    """
    (key,) = decode(cursor, 1)
    return _number(key) if key else None


def time_and_id(cursor: str) -> tuple[datetime, str] | None:
    """The sort key of a listing that is sorted by time, and by uuid where times are equal;
    ``None`` for no cursor.

    Raises:
        NotValid: it is none of ours, or of another listing.
    """
    if not cursor:
        return None
    time, uuid = decode(cursor, 2)
    try:
        return _time(time), str(UUID(uuid))
    except ValueError as error:
        raise of_another_listing() from error


def time_and_number(cursor: str) -> tuple[datetime, int] | None:
    """The sort key of a listing that is sorted by time, and by number where times are equal;
    ``None`` for no cursor.

    Raises:
        NotValid: it is none of ours, or of another listing.
    """
    if not cursor:
        return None
    time, number = decode(cursor, 2)
    return _time(time), _number(number)


def of_another_listing() -> NotValid:
    """The error of a cursor whose key can't be one of this listing."""
    return NotValid("the cursor is of another listing", field="cursor")


def cut(rows: Sequence[T], limit: int) -> tuple[Sequence[T], bool]:
    """One page of rows of which one more than ``limit`` was read, and whether more follow."""
    return rows[:limit], len(rows) > limit


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise of_another_listing() from error
    if time.tzinfo is None:
        raise of_another_listing()
    return time


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > _LONGEST_NUMBER:
        raise of_another_listing()
    return int(text)
