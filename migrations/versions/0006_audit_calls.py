"""Every call in the audit trail, a partition a month; the processes that write it."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEPT = "id, at, identity, door, action, model_uuid, controller, params, outcome, error_code"

_MONTHS = """
DO $$
DECLARE
    first timestamptz := date_trunc('month', least(now(), (SELECT min(at) FROM audit_events_old)),
                                    'UTC');
    last timestamptz := greatest(now() + interval '2 months',
                                 (SELECT max(at) FROM audit_events_old));
    next timestamptz;
BEGIN
    WHILE first <= last LOOP
        next := (first AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC';
        EXECUTE format('CREATE TABLE %I PARTITION OF audit_events FOR VALUES FROM (%L) TO (%L)',
                       to_char(first AT TIME ZONE 'UTC', '"audit_events_"YYYY"_"MM'), first, next);
        first := next;
    END LOOP;
END $$
"""

_NEXT_ID = """
SELECT setval(pg_get_serial_sequence('audit_events', 'id'), greatest(max(id), 1),
              max(id) IS NOT NULL)
FROM audit_events
"""


def upgrade() -> None:
    """Makes the table anew, with its rows; and the writers' own."""
    _put_aside()
    op.create_table(
        "audit_events",
        *_columns(sa.Text(collation="C")),
        *_new_columns(),
        sa.PrimaryKeyConstraint("at", "id", name=op.f("pk_audit_events")),
        postgresql_partition_by="RANGE (at)",
    )
    op.alter_column("audit_events", "action", server_default="call")
    op.alter_column("audit_events", "outcome", server_default="")
    op.alter_column("audit_events", "params", server_default=sa.text("'{}'::jsonb"))
    _indexes()
    op.execute(_MONTHS)
    op.execute(
        f"INSERT INTO audit_events ({_KEPT}) OVERRIDING SYSTEM VALUE"  # noqa: S608 - ours
        f" SELECT {_KEPT} FROM audit_events_old"
    )
    op.execute(_NEXT_ID)
    op.drop_table("audit_events_old")
    op.create_table(
        "audit_writers",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("batches", sa.BigInteger(), nullable=False),
        _now("seen"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_writers")),
    )


def downgrade() -> None:
    """Makes the table as it was, with its rows: what has no column there is among a row's
    parameters."""
    op.drop_table("audit_writers")
    _put_aside()
    op.create_table(
        "audit_events",
        *_columns(sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.execute(
        f"INSERT INTO audit_events ({_KEPT}) OVERRIDING SYSTEM VALUE"  # noqa: S608 - ours
        f" SELECT {_KEPT.replace('params', _FOLDED)} FROM audit_events_old"
    )
    op.execute(_NEXT_ID)
    op.drop_table("audit_events_old")
    op.create_index(op.f("ix_audit_events_at"), "audit_events", ["at"])
    op.create_index("ix_audit_events_identity_id", "audit_events", ["identity", "id"])
    op.create_index("ix_audit_events_model_uuid_id", "audit_events", ["model_uuid", "id"])


_FOLDED = """
CASE WHEN facade = '' AND NOT is_response THEN params ELSE params || jsonb_strip_nulls(
    jsonb_build_object('conversation-id', conversation, 'message-id', message_id,
        'facade-name', nullif(facade, ''), 'facade-method', nullif(method, ''),
        'object-id', nullif(object_id, ''), 'error', nullif(error, ''),
        'client', nullif(client, ''))) END
"""


def _indexes() -> None:
    op.create_index("ix_audit_events_identity_at", "audit_events", ["identity", "at"])
    for name, columns, condition in (
        ("model_uuid_at", ["model_uuid", "at"], "model_uuid IS NOT NULL"),
        ("action_at", ["action", "at"], "action <> 'call'"),
        ("went_wrong", ["at"], "outcome NOT IN ('', 'done')"),
        ("method_at", ["method", "at"], _seldom("method", _COMMON_METHODS)),
        ("facade_at", ["facade", "at"], _seldom("facade", _COMMON_FACADES)),
    ):
        op.create_index(
            f"ix_audit_events_{name}", "audit_events", columns, postgresql_where=sa.text(condition)
        )


def _seldom(column: str, common: str) -> str:
    listed = ", ".join(f"'{name}'" for name in common.split())
    return f"action = 'call' AND {column} NOT IN ({listed})"


_COMMON_METHODS = """
CheckRelation CheckRelations Clouds DisableControllerUUIDMasking FullStatus Get ListControllers
ListModelSummaries ListModels Login LoginWithClientCredentials LoginWithSessionToken ModelInfo
ModelStatus UserCredentials UserInfo WatchAll
"""
_COMMON_FACADES = """
Admin AllWatcher Annotations Application Client Cloud Controller JIMM ModelManager Pinger
UserManager
"""


def _put_aside() -> None:
    """The names of indexes and sequences are the whole schema's: the new table needs them."""
    op.rename_table("audit_events", "audit_events_old")
    op.execute("ALTER TABLE audit_events_old DROP CONSTRAINT pk_audit_events")
    op.execute("ALTER TABLE audit_events_old ALTER COLUMN id DROP IDENTITY")
    for name in (
        *("at", "identity_id", "model_uuid_id"),
        *("identity_at", "model_uuid_at", "action_at", "went_wrong", "method_at", "facade_at"),
    ):
        op.execute(f"DROP INDEX IF EXISTS ix_audit_events_{name}")


def _columns(word: sa.Text) -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        _now("at"),
        sa.Column("identity", word, nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("action", word, nullable=False),
        sa.Column("model_uuid", sa.Uuid(as_uuid=False), nullable=True),
        _text("controller"),
        sa.Column("params", postgresql.JSONB(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        _text("error_code"),
    ]


def _new_columns() -> list[sa.Column[Any]]:
    return [
        _text("conversation"),
        sa.Column("message_id", sa.BigInteger(), server_default="0", nullable=False),
        _text("facade", sa.Text(collation="C")),
        sa.Column("facade_version", sa.Integer(), server_default="0", nullable=False),
        _text("method", sa.Text(collation="C")),
        _text("object_id"),
        sa.Column("is_response", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        _text("error"),
        _text("client"),
    ]


def _text(name: str, kind: sa.Text | None = None) -> sa.Column[Any]:
    return sa.Column(name, kind or sa.Text(), server_default="", nullable=False)


def _now(name: str) -> sa.Column[Any]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )
