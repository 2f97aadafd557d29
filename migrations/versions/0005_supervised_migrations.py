"""What a migration was told, made and left; destinations outside; plans over many models."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables and columns."""
    for column in _columns():
        op.add_column("migrations", column)
    op.create_index(
        "ix_migrations_under_way",
        "migrations",
        ["next_at"],
        postgresql_where=sa.text("ended IS NULL AND state <> 'requested'"),
    )
    _migration_destinations()
    _plans()
    _plan_items()


def downgrade() -> None:
    """Drops them, the newest first."""
    op.drop_table("plan_items")
    op.drop_table("plans")
    op.drop_table("migration_destinations")
    op.drop_index("ix_migrations_under_way", "migrations")
    for column in reversed(_columns()):
        op.drop_column("migrations", column.name)


def _columns() -> list[sa.Column[Any]]:
    return [
        _text("remedy"),
        _text("debris"),
        sa.Column("prepare", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "prepared", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("machines", sa.Integer(), server_default="0", nullable=False),
        sa.Column("units", sa.Integer(), server_default="0", nullable=False),
    ]


def _migration_destinations() -> None:
    op.create_table(
        "migration_destinations",
        sa.Column("migration_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("uuid", sa.Uuid(as_uuid=False), nullable=False),
        _text("public_address"),
        sa.Column("addresses", postgresql.JSONB(), nullable=False),
        _text("tls_hostname"),
        sa.Column("ca_certificate", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["migration_id"],
            ["migrations.id"],
            name=op.f("fk_migration_destinations_migration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("migration_id", name=op.f("pk_migration_destinations")),
    )


def _plans() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "params", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("state", sa.Text(), server_default="running", nullable=False),
        _text("message"),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("stop_after", sa.Integer(), nullable=False),
        sa.Column("failures_in_row", sa.Integer(), server_default="0", nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        _now("created"),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        _now("next_at"),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "kind IN ('migrate', 'drain', 'rebalance', 'upgrade-to')", name=op.f("ck_plans_kind")
        ),
        sa.CheckConstraint(
            "state IN ('running', 'paused', 'done', 'failed', 'cancelled')",
            name=op.f("ck_plans_state"),
        ),
        sa.CheckConstraint(
            "(ended IS NOT NULL) = (state IN ('cancelled', 'done', 'failed'))",
            name=op.f("ck_plans_ended"),
        ),
        sa.CheckConstraint(
            "(lease_owner IS NULL) = (lease_expires IS NULL)", name=op.f("ck_plans_lease_whole")
        ),
        sa.CheckConstraint("concurrency > 0", name=op.f("ck_plans_concurrency_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plans")),
    )
    op.create_index("ix_plans_created_id", "plans", ["created", "id"])
    op.create_index("ix_plans_due", "plans", ["next_at"], postgresql_where=sa.text("ended IS NULL"))


def _plan_items() -> None:
    op.create_table(
        "plan_items",
        sa.Column("plan_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("job", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("model_uuid", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("target_name", sa.Text(), nullable=False),
        sa.Column("together", sa.Integer(), nullable=False),
        sa.Column("machines", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("migration_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        _text("message"),
        _text("error_code"),
        _text("error"),
        _text("remedy"),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'migrating', 'upgrading', 'done', 'failed', 'cancelled')",
            name=op.f("ck_plan_items_state"),
        ),
        sa.ForeignKeyConstraint(
            ["migration_id"],
            ["migrations.id"],
            name=op.f("fk_plan_items_migration_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.id"], name=op.f("fk_plan_items_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "seq", name=op.f("pk_plan_items")),
        sa.UniqueConstraint("job", name=op.f("uq_plan_items_job")),
    )
    _plan_item_indexes()


def _plan_item_indexes() -> None:
    for name, state in (("waiting", "= 'waiting'"), ("open", "IN ('migrating', 'upgrading')")):
        op.create_index(
            f"ix_plan_items_{name}",
            "plan_items",
            ["plan_id", "seq"],
            postgresql_where=sa.text(f"state {state}"),
        )
    op.create_index(op.f("ix_plan_items_plan_id_revision"), "plan_items", ["plan_id", "revision"])
    op.create_index(op.f("ix_plan_items_migration_id"), "plan_items", ["migration_id"])
    op.create_index(op.f("ix_plan_items_model_uuid"), "plan_items", ["model_uuid"])
    op.create_index("uq_plan_items_model", "plan_items", ["plan_id", "model_uuid"], unique=True)


def _text(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _now(name: str) -> sa.Column[Any]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )
