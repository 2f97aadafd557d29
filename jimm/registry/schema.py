"""The schema's revisions: where a database is, and how it gets to where the code is.

These functions block; a coroutine runs them in a thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

import migrations
from jimm.errors import ConfigurationError
from jimm.registry.audit_months import PARTITION
from jimm.registry.session import sqlalchemy_url
from jimm.registry.tables import Base


def upgrade(url: str, revision: str = "head") -> None:
    """Goes forward to a revision.

    Raises:
        ConfigurationError: the database does not answer.
    """
    with _connected(url) as connection:
        command.upgrade(_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Goes back to a revision; ``base`` is the empty database.

    Raises:
        ConfigurationError: the database does not answer.
    """
    with _connected(url) as connection:
        command.downgrade(_config(connection), revision)


def check(url: str) -> list[str]:
    """How the database differs from the code's tables, a line for each; empty when it doesn't.

    Raises:
        ConfigurationError: the database does not answer.
    """
    with _connected(url) as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": is_ours,
            },
        )
        return [repr(difference) for difference in compare_metadata(context, Base.metadata)]


def current(url: str) -> str | None:
    """The revision that a database is at; ``None`` when it was never upgraded.

    Raises:
        ConfigurationError: the database does not answer.
    """
    with _connected(url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """The revision that this code needs."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise ConfigurationError("this copy of JIMM has no schema revisions")
    return found


def is_ours(name: str | None, kind: str, _: object) -> bool:
    """Whether the code's tables say what this is like: partitions come and go by themselves."""
    return kind != "table" or name is None or not PARTITION.fullmatch(name)


def _config(connection: Connection | None = None) -> Config:
    folder = next(iter(migrations.__path__))
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = sqlalchemy.create_engine(
        sqlalchemy_url(url),
        poolclass=sqlalchemy.NullPool,
        connect_args={"application_name": "jimm-schema", "connect_timeout": 10},
    )
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as error:
        raise ConfigurationError(f"the database refuses: {error.orig}") from error
    finally:
        engine.dispose()
