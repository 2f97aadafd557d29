"""Models on their way from one controller to another."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from jimm.registry.tables.base import Base, Created, Objects, Texts, UuidId, UuidText, one_of
from jimm.registry.words import ENDED, MigrationState

_ENDED = ", ".join(f"'{state.value}'" for state in sorted(ENDED))


class MigrationRow(Base):
    __tablename__ = "migrations"
    __table_args__ = (
        CheckConstraint(one_of("state", MigrationState), name="state"),
        CheckConstraint(f"(ended IS NOT NULL) = (state IN ({_ENDED}))", name="ended"),
        CheckConstraint("(lease_owner IS NULL) = (lease_expires IS NULL)", name="lease_whole"),
        CheckConstraint("source_name <> target_name", name="moves"),
        Index(
            "uq_migrations_one_active",
            "model_uuid",
            unique=True,
            postgresql_where=text("ended IS NULL"),
        ),
        Index("ix_migrations_due", "next_at", postgresql_where=text("ended IS NULL")),
        Index(
            "ix_migrations_under_way",
            "next_at",
            postgresql_where=text("ended IS NULL AND state <> 'requested'"),
        ),
        Index("ix_migrations_model_uuid_started", "model_uuid", "started"),
        Index("ix_migrations_started_id", "started", "id"),
    )

    id: Mapped[UuidId]
    model_uuid: Mapped[UuidText]
    model_name: Mapped[str]
    source_id: Mapped[int | None] = mapped_column(
        ForeignKey("controllers.id", ondelete="SET NULL"), index=True
    )
    target_id: Mapped[int | None] = mapped_column(
        ForeignKey("controllers.id", ondelete="SET NULL"), index=True
    )
    source_name: Mapped[str]
    target_name: Mapped[str]
    state: Mapped[str] = mapped_column(server_default=MigrationState.REQUESTED.value)
    phase: Mapped[str] = mapped_column(server_default="")
    message: Mapped[str] = mapped_column(server_default="")
    juju_id: Mapped[str] = mapped_column(server_default="")
    recorded_start: Mapped[str | None]
    initiate_deadline: Mapped[datetime | None]
    requested_by: Mapped[str]
    started: Mapped[Created]
    phase_since: Mapped[Created]
    ended: Mapped[datetime | None]
    error_code: Mapped[str] = mapped_column(server_default="")
    error: Mapped[str] = mapped_column(server_default="")
    remedy: Mapped[str] = mapped_column(server_default="")
    debris: Mapped[str] = mapped_column(server_default="")
    checks: Mapped[tuple[dict[str, object], ...]] = mapped_column(
        Objects, server_default=text("'[]'::jsonb")
    )
    prepare: Mapped[bool] = mapped_column(server_default=text("false"))
    prepared: Mapped[tuple[dict[str, object], ...]] = mapped_column(
        Objects, server_default=text("'[]'::jsonb")
    )
    machines: Mapped[int] = mapped_column(server_default="0")
    units: Mapped[int] = mapped_column(server_default="0")
    next_at: Mapped[Created]
    lease_owner: Mapped[str | None]
    lease_expires: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(BigInteger, server_default="0")


class MigrationEventRow(Base):
    __tablename__ = "migration_events"
    __table_args__ = (CheckConstraint("seq > 0", name="seq_positive"),)

    migration_id: Mapped[UuidId] = mapped_column(ForeignKey("migrations.id", ondelete="CASCADE"))
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[Created]
    state: Mapped[str]
    phase: Mapped[str]
    message: Mapped[str]


class MigrationDestinationRow(Base):
    """Where a model goes that leaves the fleet: a controller that is not registered."""

    __tablename__ = "migration_destinations"

    migration_id: Mapped[UuidId] = mapped_column(ForeignKey("migrations.id", ondelete="CASCADE"))
    uuid: Mapped[UuidText]
    public_address: Mapped[str] = mapped_column(server_default="")
    addresses: Mapped[tuple[str, ...]] = mapped_column(Texts)
    tls_hostname: Mapped[str] = mapped_column(server_default="")
    ca_certificate: Mapped[str]
    username: Mapped[str]
    password_sealed: Mapped[bytes]
