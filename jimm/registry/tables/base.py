"""What all tables share: names of constraints, and the types of columns."""

import enum
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, Identity, MetaData, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """The declarative base."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        str: Text(),
        datetime: DateTime(timezone=True),
        dict[str, object]: JSONB(none_as_null=True),
    }


class Texts(TypeDecorator[tuple[str, ...]]):
    """A list of texts as JSON, read back as a tuple."""

    impl = JSONB
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> list[str] | None:
        return None if value is None else list(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[str, ...] | None:
        return None if value is None else tuple(value)


class Objects(TypeDecorator[tuple[dict[str, object], ...]]):
    """A list of JSON objects, read back as a tuple."""

    impl = JSONB
    cache_ok = True

    def process_bind_param(
        self, value: Sequence[dict[str, object]] | None, dialect: Dialect
    ) -> list[dict[str, object]] | None:
        return None if value is None else list(value)

    def process_result_value(
        self, value: Any, dialect: Dialect
    ) -> tuple[dict[str, object], ...] | None:
        return None if value is None else tuple(value)


def one_of(column: str, values: type[enum.StrEnum]) -> str:
    """The text of a CHECK that a column has one of these values."""
    listed = ", ".join(f"'{value.value}'" for value in values)
    return f"{column} IN ({listed})"


BigId = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
"""A number given by the database."""

UuidId = Annotated[str, mapped_column(Uuid(as_uuid=False), primary_key=True)]
"""A uuid given by us, as text."""

UuidText = Annotated[str, mapped_column(Uuid(as_uuid=False))]
"""A uuid as text."""

Created = Annotated[datetime, mapped_column(server_default=func.now())]
"""When the row was made, by the database's clock."""
