"""Rows of bulk results."""

from collections.abc import Sequence
from typing import TypeVar

from jimm.controllers.link import Link
from jimm.wire.params.common import Error, ErrorResults

R = TypeVar("R")


def only(link: Link, rows: Sequence[R]) -> R:
    """The one row of a call with one input.

    Raises:
        LostAnswer: there are more or fewer.
    """
    return as_many(link, rows, 1)[0]


def as_many(link: Link, rows: Sequence[R], wanted: int) -> Sequence[R]:
    """The rows, one for each input.

    Raises:
        LostAnswer: there are more or fewer.
    """
    if len(rows) != wanted:
        raise link.unreadable(f"expected {wanted} result(s), got {len(rows)}")
    return rows


def refuse_error(error: Error | None) -> None:
    """Nothing for no error.

    Raises:
        RemoteError: the row's error.
    """
    if error is not None:
        raise error.raised()


def only_done(link: Link, results: ErrorResults) -> None:
    """Nothing, where the one row has no error.

    Raises:
        RemoteError: the row's error.
        LostAnswer: there are more rows or fewer.
    """
    refuse_error(only(link, results.results).error)


def present(link: Link, value: R | None) -> R:
    """The result of a row without an error.

    Raises:
        LostAnswer: the row has neither.
    """
    if value is None:
        raise link.unreadable("a result without content")
    return value
