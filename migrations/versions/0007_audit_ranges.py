"""Whom and what the audit trail is searched by: an index of ranges in place of two of rows."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BLOOM = "n_distinct_per_range = 1000, false_positive_rate = 0.05"


def upgrade() -> None:
    """Puts the one in their place."""
    op.create_index(
        "ix_audit_events_may_be_in",
        "audit_events",
        ["at", "identity", "model_uuid"],
        postgresql_using="brin",
        postgresql_ops={
            "identity": f"text_bloom_ops ({_BLOOM})",
            "model_uuid": f"uuid_bloom_ops ({_BLOOM})",
        },
        postgresql_with={"autosummarize": "on"},
    )
    op.drop_index("ix_audit_events_identity_at", "audit_events")
    op.drop_index("ix_audit_events_model_uuid_at", "audit_events")


def downgrade() -> None:
    """Makes the two again."""
    op.create_index("ix_audit_events_identity_at", "audit_events", ["identity", "at"])
    op.create_index(
        "ix_audit_events_model_uuid_at",
        "audit_events",
        ["model_uuid", "at"],
        postgresql_where=sa.text("model_uuid IS NOT NULL"),
    )
    op.drop_index("ix_audit_events_may_be_in", "audit_events")
