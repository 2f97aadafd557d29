"""What Alembic runs for each command: one connection, given by ``jimm.registry.schema``.

Replicas that start together wait here for each other. A revision that can't get its locks in
``LOCK_TIMEOUT`` fails rather than hold up the requests that queue behind it.
"""

from alembic import context
from sqlalchemy import Connection, text

from jimm.registry.schema import is_ours
from jimm.registry.tables import Base

LOCK_TIMEOUT = "4s"
STATEMENT_TIMEOUT = "60s"
TURN_TIMEOUT = "300s"
ADVISORY_LOCK = 5_642_001
"""The advisory lock that one run of revisions holds; the number means nothing else."""


def run(connection: Connection) -> None:
    """Runs the command's revisions, each in a transaction of its own."""
    connection.execute(text(f"SET statement_timeout = '{TURN_TIMEOUT}'"))
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ADVISORY_LOCK})
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
    connection.commit()
    try:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_type=True,
            compare_server_default=True,
            include_name=is_ours,
        )
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ADVISORY_LOCK})
        connection.commit()


run(context.config.attributes["connection"])
