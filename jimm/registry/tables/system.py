"""What is JIMM's own: settings, signing keys, and the record of who did what."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from jimm.registry.tables.base import Base, BigId, Created, UuidText


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
    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "at"),
        Index("ix_audit_events_identity_id", "identity", "id"),
        Index("ix_audit_events_model_uuid_id", "model_uuid", "id"),
    )

    id: Mapped[BigId]
    at: Mapped[Created]
    identity: Mapped[str]
    door: Mapped[str]
    action: Mapped[str]
    model_uuid: Mapped[UuidText | None]
    controller: Mapped[str] = mapped_column(server_default="")
    params: Mapped[dict[str, object]]
    outcome: Mapped[str]
    error_code: Mapped[str] = mapped_column(server_default="")
