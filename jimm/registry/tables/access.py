"""Who there is, and what they may do."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from jimm.registry.tables.base import Base, BigId, Created, Texts, UuidId, one_of
from jimm.registry.words import ObjectKind, Relation


class IdentityRow(Base):
    __tablename__ = "identities"
    __table_args__ = (CheckConstraint("name LIKE '%_@_%'", name="name_has_domain"),)

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(unique=True)
    display_name: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]
    disabled_at: Mapped[datetime | None]
    last_login_at: Mapped[datetime | None]
    groups: Mapped[tuple[str, ...]] = mapped_column(Texts, server_default=text("'[]'::jsonb"))
    """What the identity provider said at the last login."""
    created_by: Mapped[str] = mapped_column(server_default="")
    """The identity that made this one; empty for those who came by themselves."""


class PasswordRow(Base):
    __tablename__ = "passwords"

    identity_id: Mapped[int] = mapped_column(
        ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True
    )
    hash: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class TokenRow(Base):
    __tablename__ = "tokens"

    id: Mapped[UuidId]
    identity_id: Mapped[int] = mapped_column(
        ForeignKey("identities.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(server_default="")
    hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[Created]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class ServiceAccountRow(Base):
    __tablename__ = "service_accounts"

    identity_id: Mapped[int] = mapped_column(
        ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True
    )
    client_id: Mapped[str] = mapped_column(unique=True)
    secret_hash: Mapped[bytes]
    created_by: Mapped[str]
    created_at: Mapped[Created]


class DeviceLoginRow(Base):
    __tablename__ = "device_logins"
    __table_args__ = (
        CheckConstraint(
            "(confirmed_at IS NOT NULL) = (identity_id IS NOT NULL)", name="confirmed_by"
        ),
    )

    id: Mapped[UuidId]
    user_code: Mapped[str] = mapped_column(unique=True)
    client: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[Created]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    identity_id: Mapped[int | None] = mapped_column(
        ForeignKey("identities.id", ondelete="CASCADE"), index=True
    )
    confirmed_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]
    collected_at: Mapped[datetime | None]


class RelationRow(Base):
    __tablename__ = "relations"
    __table_args__ = (
        CheckConstraint(one_of("relation", Relation), name="relation"),
        CheckConstraint(one_of("object_kind", ObjectKind), name="object_kind"),
        Index(None, "object_kind", "object_key"),
    )

    subject: Mapped[str] = mapped_column(primary_key=True)
    relation: Mapped[str] = mapped_column(primary_key=True)
    object_kind: Mapped[str] = mapped_column(primary_key=True)
    object_key: Mapped[str] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)


class RelationChangeRow(Base):
    __tablename__ = "relation_changes"

    revision: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    subject: Mapped[str]
    object_kind: Mapped[str]
    object_key: Mapped[str]
    changed_at: Mapped[Created]
