"""What is JIMM's own: settings, signing keys, and the record of who did what."""

from datetime import datetime
from typing import Annotated, Final

from sqlalchemy import BigInteger, Identity, Index, PrimaryKeyConstraint, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column

from jimm.registry import audit_common
from jimm.registry.tables.base import Base, Created, UuidId, UuidText

Word = Annotated[str, mapped_column(Text(collation="C"))]
"""A text whose order means nothing, which is compared byte by byte whatever the database's
language: an index of it then costs less."""

_BLOOM: Final = "n_distinct_per_range = 1000, false_positive_rate = 0.05"
"""Some 5,000 records are in one range of pages. With more people, or models, among them a range
is read in vain more often."""


class SettingRow(Base):
    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class SealedSettingRow(Base):
    __tablename__ = "sealed_settings"

    key: Mapped[str] = mapped_column(primary_key=True)
    sealed: Mapped[bytes]


class SigningKeyRow(Base):
    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[Created]
    signs_from: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    public_jwk: Mapped[dict[str, object]]
    private_sealed: Mapped[bytes]


class AuditEventRow(Base):
    """Partitioned by month (:mod:`jimm.registry.audit_partitions`).

    Each index costs every call that passes a part of what the whole record costs. A full one for
    whom and what is searched by most would double it: so that one only says in which pages they
    may be, and is written by the autovacuum once those are full. The others leave out what is
    common.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        PrimaryKeyConstraint("at", "id"),
        Index(
            "ix_audit_events_may_be_in",
            "at",
            "identity",
            "model_uuid",
            postgresql_using="brin",
            postgresql_ops={
                "identity": f"text_bloom_ops ({_BLOOM})",
                "model_uuid": f"uuid_bloom_ops ({_BLOOM})",
            },
            postgresql_with={"autosummarize": "on"},
        ),
        Index(
            "ix_audit_events_action_at",
            "action",
            "at",
            postgresql_where=text(audit_common.OWN_ACTION),
        ),
        Index("ix_audit_events_went_wrong", "at", postgresql_where=text(audit_common.WENT_WRONG)),
        Index(
            "ix_audit_events_method_at",
            "method",
            "at",
            postgresql_where=text(audit_common.SELDOM_METHOD),
        ),
        Index(
            "ix_audit_events_facade_at",
            "facade",
            "at",
            postgresql_where=text(audit_common.SELDOM_FACADE),
        ),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    at: Mapped[Created]
    identity: Mapped[Word]
    door: Mapped[str]
    action: Mapped[Word] = mapped_column(server_default="call")
    model_uuid: Mapped[UuidText | None]
    controller: Mapped[str] = mapped_column(server_default="")
    params: Mapped[dict[str, object]] = mapped_column(server_default=text("'{}'::jsonb"))
    outcome: Mapped[str] = mapped_column(server_default="")
    error_code: Mapped[str] = mapped_column(server_default="")
    conversation: Mapped[str] = mapped_column(server_default="")
    message_id: Mapped[int] = mapped_column(BigInteger, server_default="0")
    facade: Mapped[Word] = mapped_column(server_default="")
    facade_version: Mapped[int] = mapped_column(server_default="0")
    method: Mapped[Word] = mapped_column(server_default="")
    object_id: Mapped[str] = mapped_column(server_default="")
    is_response: Mapped[bool] = mapped_column(server_default=false())
    error: Mapped[str] = mapped_column(server_default="")
    client: Mapped[str] = mapped_column(server_default="")


class AuditWriterRow(Base):
    """How many batches a process has written, so that none is written twice."""

    __tablename__ = "audit_writers"

    id: Mapped[UuidId]
    batches: Mapped[int] = mapped_column(BigInteger)
    seen: Mapped[Created]
