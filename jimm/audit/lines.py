"""Records as lines of text, as Postgres's ``COPY ... FROM STDIN`` takes them. Pure.

A line is put together from parts that are made once: what is the same for a whole conversation,
the names of a method, and the ends that nearly all lines have.
"""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

PLAIN: Final = (
    "identity",
    "door",
    "model_uuid",
    "controller",
    "conversation",
    "client",
    "facade",
    "facade_version",
    "method",
    "at",
    "message_id",
    "params",
)
"""What the line of a plain call holds, in this order; the other columns are as their defaults."""

DETAILED: Final = (*PLAIN, "action", "outcome", "is_response", "object_id", "error", "error_code")
"""What any other line holds."""

LONGEST_NAME: Final = 256
"""Characters of a name that are kept; clients choose them."""

LONGEST_ERROR: Final = 1024
"""Characters of an error's text that are kept."""

WITHHELD: Final = '{"params": "redacted"}'
"""In place of parameters that are not kept, as JIMM has always shown it to auditors."""

GUESSED: Final = '{"params": "redacted", "name": "guessed"}'
"""The same for a message whose name itself is a guess from its head."""

LARGEST_NUMBER: Final = 2**63 - 1
UNKNOWN_NUMBER: Final = -1
"""The number of a message whose own does not fit: Juju's are unsigned 64-bit integers, and a
client may write anything."""

_LARGEST_VERSION: Final = 2**31 - 1

_ESCAPES: Final = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\N{REPLACEMENT CHARACTER}"}
)


def escape(text: str, longest: int = LONGEST_NAME) -> str:
    """A text as a column's value, cut off where it is longer.

    What Postgres can't hold (NUL, half of a surrogate pair) becomes a replacement character.
    """
    cut = text[:longest]
    if not cut.isascii():
        cut = cut.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return cut.translate(_ESCAPES)


def prefix(
    *, identity: str, door: str, model_uuid: str, controller: str, conversation: str, client: str
) -> str:
    """The beginning of each line of one conversation."""
    rest = "\t".join(escape(each) for each in (controller, conversation, client))
    return f"{escape(identity)}\t{escape(door)}\t{_uuid(model_uuid)}\t{rest}\t"


def names(facade: str, version: int, method: str) -> str:
    """A method's part of a line."""
    number = version if 0 <= version <= _LARGEST_VERSION else 0
    return f"{escape(facade)}\t{number}\t{escape(method)}\t"


def number(request_id: int) -> int:
    """A message's number as it can be kept."""
    return request_id if 0 <= request_id <= LARGEST_NUMBER else UNKNOWN_NUMBER


def time_text(moment: float) -> str:
    """Seconds since 1970 as Postgres reads a time."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S.%f}+00"


def end(params: str) -> str:
    """What follows the number in a plain line; ``params`` is JSON."""
    return f"\t{params.translate(_ESCAPES)}\n"


def called_end(object_id: str, params: str) -> str:
    """What follows it in any other line of a call."""
    return f"\t{params.translate(_ESCAPES)}\tcall\t\tf\t{escape(object_id)}\t\t\n"


def failed_end(error: str, code: str) -> str:
    """What follows it in the line of an answer that is an error."""
    return f"\t{{}}\tcall\tfailed\tt\t\t{escape(error, LONGEST_ERROR)}\t{escape(code)}\n"


def noted_end(action: str, params: str) -> str:
    """What follows it in the line of something that JIMM itself did."""
    return f"\t{params.translate(_ESCAPES)}\t{escape(action)}\tdone\tf\t\t\t\n"


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return r"\N"
