"""Service accounts, device logins and groups; model defaults; offers."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    op.add_column(
        "identities",
        sa.Column(
            "groups", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
    )
    op.add_column(
        "identities", sa.Column("created_by", sa.Text(), server_default="", nullable=False)
    )
    _service_accounts()
    _device_logins()
    _model_connections()
    _model_defaults()
    _offers()


def downgrade() -> None:
    """Drops them, the newest first."""
    op.drop_table("offers")
    op.drop_table("model_defaults")
    op.drop_table("model_connections")
    op.drop_table("device_logins")
    op.drop_table("service_accounts")
    op.drop_column("identities", "created_by")
    op.drop_column("identities", "groups")


def _service_accounts() -> None:
    op.create_table(
        "service_accounts",
        sa.Column("identity_id", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        _now("created_at"),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identities.id"],
            name=op.f("fk_service_accounts_identity_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("identity_id", name=op.f("pk_service_accounts")),
        sa.UniqueConstraint("client_id", name=op.f("uq_service_accounts_client_id")),
    )


def _device_logins() -> None:
    op.create_table(
        "device_logins",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("user_code", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), server_default="", nullable=False),
        _now("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("identity_id", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(confirmed_at IS NOT NULL) = (identity_id IS NOT NULL)",
            name=op.f("ck_device_logins_confirmed_by"),
        ),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identities.id"],
            name=op.f("fk_device_logins_identity_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_logins")),
        sa.UniqueConstraint("user_code", name=op.f("uq_device_logins_user_code")),
    )
    op.create_index(op.f("ix_device_logins_expires_at"), "device_logins", ["expires_at"])
    op.create_index(op.f("ix_device_logins_identity_id"), "device_logins", ["identity_id"])


def _model_connections() -> None:
    op.create_table(
        "model_connections",
        sa.Column("model_id", sa.BigInteger(), nullable=False),
        sa.Column("identity_id", sa.BigInteger(), nullable=False),
        _now("at"),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identities.id"],
            name=op.f("fk_model_connections_identity_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"],
            ["models.id"],
            name=op.f("fk_model_connections_model_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("model_id", "identity_id", name=op.f("pk_model_connections")),
    )
    op.create_index(op.f("ix_model_connections_identity_id"), "model_connections", ["identity_id"])


def _model_defaults() -> None:
    op.create_table(
        "model_defaults",
        sa.Column("identity_id", sa.BigInteger(), nullable=False),
        sa.Column("cloud", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cloud"], ["clouds.name"], name=op.f("fk_model_defaults_cloud"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identities.id"],
            name=op.f("fk_model_defaults_identity_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("identity_id", "cloud", "region", name=op.f("pk_model_defaults")),
    )


def _offers() -> None:
    op.create_table(
        "offers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uuid", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("model_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("application", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("charm_url", sa.Text(), server_default="", nullable=False),
        sa.Column("endpoints", postgresql.JSONB(), nullable=False),
        _now("created_at"),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_offers_model_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
        sa.UniqueConstraint("model_id", "name", name=op.f("uq_offers_model_id_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_offers_uuid")),
    )


def _now(name: str) -> sa.Column[datetime]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )
