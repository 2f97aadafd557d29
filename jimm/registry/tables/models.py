"""Models, what was intended with them, and why they are where they are."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from jimm.registry.tables.base import Base, BigId, Created, Objects, UuidId, UuidText, one_of
from jimm.registry.words import IntentKind, IntentState, ModelState


class ModelRow(Base):
    __tablename__ = "models"
    __table_args__ = (
        CheckConstraint(one_of("state", ModelState), name="state"),
        CheckConstraint("uuid IS NOT NULL OR state = 'creating'", name="uuid_once_created"),
        CheckConstraint(
            "controller_id IS NOT NULL OR state IN ('creating', 'unmanaged')",
            name="controller_unless_unmanaged",
        ),
        CheckConstraint("(missing_since IS NOT NULL) = (state = 'missing')", name="missing_since"),
        UniqueConstraint("owner_id", "name"),
    )

    id: Mapped[BigId]
    uuid: Mapped[UuidText | None] = mapped_column(unique=True)
    name: Mapped[str]
    owner_id: Mapped[int] = mapped_column(ForeignKey("identities.id"))
    controller_id: Mapped[int | None] = mapped_column(ForeignKey("controllers.id"), index=True)
    cloud: Mapped[str]
    region: Mapped[str]
    credential_id: Mapped[int | None] = mapped_column(ForeignKey("credentials.id"), index=True)
    type: Mapped[str] = mapped_column(server_default="iaas")
    state: Mapped[str]
    life: Mapped[str] = mapped_column(server_default="alive")
    status: Mapped[str] = mapped_column(server_default="")
    status_info: Mapped[str] = mapped_column(server_default="")
    status_since: Mapped[str | None]
    agent_version: Mapped[str] = mapped_column(server_default="")
    counts: Mapped[dict[str, object]] = mapped_column(server_default=text("'{}'::jsonb"))
    migration: Mapped[dict[str, object] | None]
    facts_at: Mapped[datetime | None]
    created_at: Mapped[Created]
    missing_since: Mapped[datetime | None]


class IntentRow(Base):
    __tablename__ = "intents"
    __table_args__ = (
        CheckConstraint(one_of("kind", IntentKind), name="kind"),
        CheckConstraint(one_of("state", IntentState), name="state"),
        CheckConstraint("(lease_owner IS NULL) = (lease_expires IS NULL)", name="lease_whole"),
        Index("ix_intents_pending", "created_at", postgresql_where=text("state = 'pending'")),
        Index(
            "uq_intents_one_pending",
            "model_id",
            unique=True,
            postgresql_where=text("state = 'pending' AND model_id IS NOT NULL"),
        ),
    )

    id: Mapped[UuidId]
    kind: Mapped[str]
    model_id: Mapped[int | None] = mapped_column(
        ForeignKey("models.id", ondelete="SET NULL"), index=True
    )
    controller_id: Mapped[int | None] = mapped_column(
        ForeignKey("controllers.id", ondelete="SET NULL"), index=True
    )
    request: Mapped[dict[str, object]]
    sent_at: Mapped[datetime | None]
    deadline_at: Mapped[datetime | None]
    look_at: Mapped[Created]
    state: Mapped[str] = mapped_column(server_default=IntentState.PENDING.value)
    outcome: Mapped[str] = mapped_column(server_default="")
    absent_before: Mapped[bool] = mapped_column(server_default=text("false"))
    lease_owner: Mapped[str | None]
    lease_expires: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_at: Mapped[Created]


class PlacementRow(Base):
    __tablename__ = "placements"

    id: Mapped[BigId]
    model_id: Mapped[int | None] = mapped_column(
        ForeignKey("models.id", ondelete="SET NULL"), index=True
    )
    owner: Mapped[str]
    name: Mapped[str]
    cloud: Mapped[str]
    region: Mapped[str]
    policy: Mapped[str]
    chosen: Mapped[str | None]
    candidates: Mapped[tuple[dict[str, object], ...]] = mapped_column(Objects)
    attempts: Mapped[tuple[dict[str, object], ...]] = mapped_column(
        Objects, server_default=text("'[]'::jsonb")
    )
    requested_by: Mapped[str]
    at: Mapped[Created]


class ModelConnectionRow(Base):
    __tablename__ = "model_connections"

    model_id: Mapped[int] = mapped_column(
        ForeignKey("models.id", ondelete="CASCADE"), primary_key=True
    )
    identity_id: Mapped[int] = mapped_column(
        ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    at: Mapped[Created]


class ModelDefaultsRow(Base):
    __tablename__ = "model_defaults"

    identity_id: Mapped[int] = mapped_column(
        ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True
    )
    cloud: Mapped[str] = mapped_column(
        ForeignKey("clouds.name", ondelete="CASCADE"), primary_key=True
    )
    region: Mapped[str] = mapped_column(primary_key=True)
    """Empty for the whole cloud."""
    settings: Mapped[dict[str, object]]


class OfferRow(Base):
    __tablename__ = "offers"
    __table_args__ = (UniqueConstraint("model_id", "name"),)

    id: Mapped[BigId]
    uuid: Mapped[UuidText] = mapped_column(unique=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    name: Mapped[str]
    application: Mapped[str]
    description: Mapped[str] = mapped_column(server_default="")
    charm_url: Mapped[str] = mapped_column(server_default="")
    endpoints: Mapped[tuple[dict[str, object], ...]] = mapped_column(Objects)
    created_at: Mapped[Created]
