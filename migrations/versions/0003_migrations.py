"""Models on their way, and the history of it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    _migrations()
    _migration_events()


def downgrade() -> None:
    """Drops them, the newest first."""
    op.drop_table("migration_events")
    op.drop_table("migrations")


def _migrations() -> None:
    op.create_table(
        "migrations",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("model_uuid", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("model_name", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("target_id", sa.BigInteger(), nullable=True),
        sa.Column("source_name", sa.Text(), nullable=False),
        sa.Column("target_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="requested", nullable=False),
        sa.Column("phase", sa.Text(), server_default="", nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("juju_id", sa.Text(), server_default="", nullable=False),
        sa.Column("recorded_start", sa.Text(), nullable=True),
        sa.Column("initiate_deadline", sa.DateTime(timezone=True), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column(
            "started", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column(
            "phase_since",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error_code", sa.Text(), server_default="", nullable=False),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "checks", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column(
            "next_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(ended IS NOT NULL) = (state IN ('done', 'failed', 'refused'))",
            name=op.f("ck_migrations_ended"),
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'checking', 'starting', 'running', "
            "'confirming', 'cleaning', 'stuck', 'done', 'failed', 'refused')",
            name=op.f("ck_migrations_state"),
        ),
        sa.CheckConstraint(
            "(lease_owner IS NULL) = (lease_expires IS NULL)",
            name=op.f("ck_migrations_lease_whole"),
        ),
        sa.CheckConstraint("source_name <> target_name", name=op.f("ck_migrations_moves")),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["controllers.id"],
            name=op.f("fk_migrations_source_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["target_id"],
            ["controllers.id"],
            name=op.f("fk_migrations_target_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_migrations")),
    )
    op.create_index(
        "ix_migrations_due",
        "migrations",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.create_index(
        "ix_migrations_model_uuid_started", "migrations", ["model_uuid", "started"], unique=False
    )
    op.create_index(op.f("ix_migrations_source_id"), "migrations", ["source_id"], unique=False)
    op.create_index("ix_migrations_started_id", "migrations", ["started", "id"], unique=False)
    op.create_index(op.f("ix_migrations_target_id"), "migrations", ["target_id"], unique=False)
    op.create_index(
        "uq_migrations_one_active",
        "migrations",
        ["model_uuid"],
        unique=True,
        postgresql_where=sa.text("ended IS NULL"),
    )


def _migration_events() -> None:
    op.create_table(
        "migration_events",
        sa.Column("migration_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.CheckConstraint("seq > 0", name=op.f("ck_migration_events_seq_positive")),
        sa.ForeignKeyConstraint(
            ["migration_id"],
            ["migrations.id"],
            name=op.f("fk_migration_events_migration_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("migration_id", "seq", name=op.f("pk_migration_events")),
    )
