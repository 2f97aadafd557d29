"""Plans over many models, and what becomes of each."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from jimm.registry.tables.base import Base, Created, UuidId, UuidText, one_of
from jimm.registry.words import PLAN_ENDED, PlanItemState, PlanKind, PlanState

_ENDED = ", ".join(f"'{state.value}'" for state in sorted(PLAN_ENDED))


class PlanRow(Base):
    __tablename__ = "plans"
    __table_args__ = (
        CheckConstraint(one_of("kind", PlanKind), name="kind"),
        CheckConstraint(one_of("state", PlanState), name="state"),
        CheckConstraint(f"(ended IS NOT NULL) = (state IN ({_ENDED}))", name="ended"),
        CheckConstraint("(lease_owner IS NULL) = (lease_expires IS NULL)", name="lease_whole"),
        CheckConstraint("concurrency > 0", name="concurrency_positive"),
        Index("ix_plans_due", "next_at", postgresql_where=text("ended IS NULL")),
        Index("ix_plans_created_id", "created", "id"),
    )

    id: Mapped[UuidId]
    kind: Mapped[str]
    params: Mapped[dict[str, object]] = mapped_column(server_default=text("'{}'::jsonb"))
    state: Mapped[str] = mapped_column(server_default=PlanState.RUNNING.value)
    message: Mapped[str] = mapped_column(server_default="")
    requested_by: Mapped[str]
    concurrency: Mapped[int]
    stop_after: Mapped[int]
    failures_in_row: Mapped[int] = mapped_column(server_default="0")
    revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """Goes up with each change of the plan or of one of its items."""
    created: Mapped[Created]
    ended: Mapped[datetime | None]
    next_at: Mapped[Created]
    lease_owner: Mapped[str | None]
    lease_expires: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(BigInteger, server_default="0")


class PlanItemRow(Base):
    __tablename__ = "plan_items"
    __table_args__ = (
        CheckConstraint(one_of("state", PlanItemState), name="state"),
        Index("uq_plan_items_model", "plan_id", "model_uuid", unique=True),
        Index(
            "ix_plan_items_waiting", "plan_id", "seq", postgresql_where=text("state = 'waiting'")
        ),
        Index(
            "ix_plan_items_open",
            "plan_id",
            "seq",
            postgresql_where=text("state IN ('migrating', 'upgrading')"),
        ),
        Index(None, "plan_id", "revision"),
    )

    plan_id: Mapped[UuidId] = mapped_column(ForeignKey("plans.id", ondelete="CASCADE"))
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    job: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    """The item's number among all plans' items."""
    revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    """The plan's, when the item changed last."""
    model_uuid: Mapped[UuidText] = mapped_column(index=True)
    model_name: Mapped[str]
    source_name: Mapped[str]
    target_name: Mapped[str]
    together: Mapped[int]
    machines: Mapped[int] = mapped_column(server_default="0")
    state: Mapped[str] = mapped_column(server_default=PlanItemState.WAITING.value)
    migration_id: Mapped[str | None] = mapped_column(
        ForeignKey("migrations.id", ondelete="SET NULL"), index=True
    )
    attempts: Mapped[int] = mapped_column(server_default="0")
    message: Mapped[str] = mapped_column(server_default="")
    error_code: Mapped[str] = mapped_column(server_default="")
    error: Mapped[str] = mapped_column(server_default="")
    remedy: Mapped[str] = mapped_column(server_default="")
    started: Mapped[datetime | None]
    ended: Mapped[datetime | None]
