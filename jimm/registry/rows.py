"""From rows to records, and from constraints to domain errors."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute

from jimm.errors import JimmError
from jimm.registry.session import WriteSession
from jimm.registry.tables import Base

T = TypeVar("T")


def columns(row: type[Base], record: type[object]) -> list[InstrumentedAttribute[Any]]:
    """The columns of a table that a record has fields for, of the same names."""
    names = (field.name for field in fields(record))  # type: ignore[arg-type]
    return [getattr(row, name) for name in names if hasattr(row, name)]


def record(kind: type[T], row: Row[Any]) -> T:
    """The record whose fields are all in the row."""
    return kind(**row._mapping)


@asynccontextmanager
async def violations(session: WriteSession, errors: Mapping[str, JimmError]) -> AsyncIterator[None]:
    """A savepoint; a violated constraint raises its error, and the transaction can go on."""
    try:
        async with session.begin_nested():
            yield
    except IntegrityError as error:
        cause = error.orig
        name = cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
        if name is not None and name in errors:
            raise errors[name] from error
        raise
