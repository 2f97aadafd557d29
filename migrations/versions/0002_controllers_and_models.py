"""Controllers, clouds, credentials, and models with their intents and placements."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the tables."""
    _clouds()
    _cloud_regions()
    _controllers()
    _controller_regions()
    _controller_users()
    _credentials()
    _controller_credentials()
    _models()
    _intents()
    _placements()


def downgrade() -> None:
    """Drops them, the newest first."""
    op.drop_table("placements")
    op.drop_table("intents")
    op.drop_table("models")
    op.drop_table("controller_credentials")
    op.drop_table("credentials")
    op.drop_table("controller_users")
    op.drop_table("controller_regions")
    op.drop_table("controllers")
    op.drop_table("cloud_regions")
    op.drop_table("clouds")


def _clouds() -> None:
    op.create_table(
        "clouds",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_clouds")),
    )


def _cloud_regions() -> None:
    op.create_table(
        "cloud_regions",
        sa.Column("cloud", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cloud"], ["clouds.name"], name=op.f("fk_cloud_regions_cloud"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cloud", "name", name=op.f("pk_cloud_regions")),
    )


def _controllers() -> None:
    op.create_table(
        "controllers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uuid", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("public_address", sa.Text(), server_default="", nullable=False),
        sa.Column("addresses", postgresql.JSONB(), nullable=False),
        sa.Column("tls_hostname", sa.Text(), server_default="", nullable=False),
        sa.Column("ca_certificate", sa.Text(), server_default="", nullable=False),
        sa.Column("trust", sa.Text(), nullable=False),
        sa.Column("admin_username", sa.Text(), server_default="", nullable=False),
        sa.Column("admin_password_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("cloud", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("controller_model_uuid", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("agent_version", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="unavailable", nullable=False),
        sa.Column("status_info", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "status_since",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deprecated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("name <> 'jimm'", name=op.f("ck_controllers_name_not_reserved")),
        sa.CheckConstraint(
            "status IN ('available', 'unavailable', 'quarantined')",
            name=op.f("ck_controllers_status"),
        ),
        sa.CheckConstraint("trust IN ('token', 'password')", name=op.f("ck_controllers_trust")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_controllers")),
        sa.UniqueConstraint("name", name=op.f("uq_controllers_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_controllers_uuid")),
    )


def _controller_regions() -> None:
    op.create_table(
        "controller_regions",
        sa.Column("controller_id", sa.BigInteger(), nullable=False),
        sa.Column("cloud", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cloud"], ["clouds.name"], name=op.f("fk_controller_regions_cloud")
        ),
        sa.ForeignKeyConstraint(
            ["controller_id"],
            ["controllers.id"],
            name=op.f("fk_controller_regions_controller_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "controller_id", "cloud", "region", name=op.f("pk_controller_regions")
        ),
    )
    op.create_index(
        op.f("ix_controller_regions_cloud_region"),
        "controller_regions",
        ["cloud", "region"],
        unique=False,
    )


def _controller_users() -> None:
    op.create_table(
        "controller_users",
        sa.Column("controller_id", sa.BigInteger(), nullable=False),
        sa.Column("identity_id", sa.BigInteger(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("prepared_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["controller_id"],
            ["controllers.id"],
            name=op.f("fk_controller_users_controller_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["identity_id"],
            ["identities.id"],
            name=op.f("fk_controller_users_identity_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("controller_id", "identity_id", name=op.f("pk_controller_users")),
    )
    op.create_index(
        op.f("ix_controller_users_identity_id"), "controller_users", ["identity_id"], unique=False
    )


def _credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("cloud", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("auth_type", sa.Text(), nullable=False),
        sa.Column("attributes_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("valid", sa.Boolean(), nullable=True),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["cloud"], ["clouds.name"], name=op.f("fk_credentials_cloud")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["identities.id"], name=op.f("fk_credentials_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
        sa.UniqueConstraint(
            "owner_id", "cloud", "name", name=op.f("uq_credentials_owner_id_cloud_name")
        ),
    )
    op.create_index(op.f("ix_credentials_cloud"), "credentials", ["cloud"], unique=False)


def _controller_credentials() -> None:
    op.create_table(
        "controller_credentials",
        sa.Column("controller_id", sa.BigInteger(), nullable=False),
        sa.Column("credential_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["controller_id"],
            ["controllers.id"],
            name=op.f("fk_controller_credentials_controller_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["credential_id"],
            ["credentials.id"],
            name=op.f("fk_controller_credentials_credential_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "controller_id", "credential_id", name=op.f("pk_controller_credentials")
        ),
    )
    op.create_index(
        op.f("ix_controller_credentials_credential_id"),
        "controller_credentials",
        ["credential_id"],
        unique=False,
    )


def _models() -> None:
    op.create_table(
        "models",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("uuid", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("controller_id", sa.BigInteger(), nullable=True),
        sa.Column("cloud", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("credential_id", sa.BigInteger(), nullable=True),
        sa.Column("type", sa.Text(), server_default="iaas", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("life", sa.Text(), server_default="alive", nullable=False),
        sa.Column("status", sa.Text(), server_default="", nullable=False),
        sa.Column("status_info", sa.Text(), server_default="", nullable=False),
        sa.Column("status_since", sa.Text(), nullable=True),
        sa.Column("agent_version", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "counts", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("migration", postgresql.JSONB(), nullable=True),
        sa.Column("facts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(missing_since IS NOT NULL) = (state = 'missing')",
            name=op.f("ck_models_missing_since"),
        ),
        sa.CheckConstraint(
            "controller_id IS NOT NULL OR state IN ('creating', 'unmanaged')",
            name=op.f("ck_models_controller_unless_unmanaged"),
        ),
        sa.CheckConstraint(
            "state IN ('creating', 'live', 'destroying', 'missing', 'unmanaged')",
            name=op.f("ck_models_state"),
        ),
        sa.CheckConstraint(
            "uuid IS NOT NULL OR state = 'creating'", name=op.f("ck_models_uuid_once_created")
        ),
        sa.ForeignKeyConstraint(
            ["controller_id"], ["controllers.id"], name=op.f("fk_models_controller_id")
        ),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credentials.id"], name=op.f("fk_models_credential_id")
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["identities.id"], name=op.f("fk_models_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_models")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_models_owner_id_name")),
        sa.UniqueConstraint("uuid", name=op.f("uq_models_uuid")),
    )
    op.create_index(op.f("ix_models_controller_id"), "models", ["controller_id"], unique=False)
    op.create_index(op.f("ix_models_credential_id"), "models", ["credential_id"], unique=False)


def _intents() -> None:
    op.create_table(
        "intents",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("model_id", sa.BigInteger(), nullable=True),
        sa.Column("controller_id", sa.BigInteger(), nullable=True),
        sa.Column("request", postgresql.JSONB(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "look_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("absent_before", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_expires", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("kind IN ('create', 'destroy')", name=op.f("ck_intents_kind")),
        sa.CheckConstraint(
            "state IN ('pending', 'done', 'abandoned')", name=op.f("ck_intents_state")
        ),
        sa.CheckConstraint(
            "(lease_owner IS NULL) = (lease_expires IS NULL)", name=op.f("ck_intents_lease_whole")
        ),
        sa.ForeignKeyConstraint(
            ["controller_id"],
            ["controllers.id"],
            name=op.f("fk_intents_controller_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_intents_model_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intents")),
    )
    op.create_index(op.f("ix_intents_controller_id"), "intents", ["controller_id"], unique=False)
    op.create_index(op.f("ix_intents_model_id"), "intents", ["model_id"], unique=False)
    op.create_index(
        "ix_intents_pending",
        "intents",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "uq_intents_one_pending",
        "intents",
        ["model_id"],
        unique=True,
        postgresql_where=sa.text("state = 'pending' AND model_id IS NOT NULL"),
    )


def _placements() -> None:
    op.create_table(
        "placements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("model_id", sa.BigInteger(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cloud", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("chosen", sa.Text(), nullable=True),
        sa.Column("candidates", postgresql.JSONB(), nullable=False),
        sa.Column(
            "attempts", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False
        ),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_placements_model_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placements")),
    )
    op.create_index(op.f("ix_placements_model_id"), "placements", ["model_id"], unique=False)
