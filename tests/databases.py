"""Databases at the newest schema, each lent to one test after another.

To copy a template and drop the copy costs Postgres half a second of CPU, most of it for the first
connection to a database that nobody was connected to before. So one that comes back is given the
rows of the template again, and another name: whoever was left behind does not find it. One whose
schema was changed, or that holds too much to be emptied quickly, is dropped instead.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

Connection = psycopg.Connection[tuple[Any, ...]]

_TOO_MANY: Final = 1_000
"""Rows; those of more are gone sooner with the database than one by one."""

_SCHEMA: Final = """
SELECT md5(string_agg(line, ' ' ORDER BY line)) FROM (
  SELECT 'class ' || oid || ' ' || xmin FROM pg_class WHERE oid >= 16384
  UNION ALL SELECT 'column ' || attrelid || ' ' || attnum || ' ' || xmin
    FROM pg_attribute WHERE attrelid >= 16384
  UNION ALL SELECT 'constraint ' || oid || ' ' || xmin FROM pg_constraint WHERE oid >= 16384
  UNION ALL SELECT 'default ' || oid || ' ' || xmin FROM pg_attrdef
  UNION ALL SELECT 'trigger ' || oid || ' ' || xmin FROM pg_trigger
  UNION ALL SELECT 'function ' || oid || ' ' || xmin FROM pg_proc WHERE oid >= 16384
  UNION ALL SELECT 'type ' || oid || ' ' || xmin FROM pg_type WHERE oid >= 16384
  UNION ALL SELECT 'namespace ' || oid || ' ' || xmin FROM pg_namespace
  UNION ALL SELECT 'setting ' || setrole || ' ' || array_to_string(setconfig, ' ')
    FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS lines (line)
"""
"""Each statement that changes the schema writes the rows anew that tell of it."""

_TABLES: Final = """
SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
AND relnamespace = 'public'::regnamespace ORDER BY relname
"""

_SEQUENCES: Final = """
SELECT sequencename, coalesce(last_value, start_value), last_value IS NOT NULL
FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename
"""

_COPY_FROM: Final = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT")
_COPY_TO: Final = sql.SQL("COPY {} FROM STDIN")


class Databases:
    """Copies of one database; nobody may be connected to that."""

    def __init__(self, server_url: str, template: str) -> None:
        self._server_url = server_url
        self._template = template
        self._content: _Content | None = None
        self._free: list[str] = []

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The address of one that holds what the template holds; for the length of a block."""
        name = new_name()
        with connected(self._server_url) as connection:
            if self._free:
                _rename(connection, self._free.pop(), name)
            else:
                create(connection, name, self._template)
        try:
            yield url_of(self._server_url, name)
        finally:
            with connected(self._server_url) as connection:
                self._give_back(connection, name)

    def close(self) -> None:
        """Drops those that wait to be lent."""
        with connected(self._server_url) as connection:
            while self._free:
                drop(connection, self._free.pop())

    def _give_back(self, connection: Connection, name: str) -> None:
        renamed = self._taken_away(connection, name)
        if renamed is None:
            drop(connection, name)
        elif self._restored(renamed):
            self._free.append(renamed)
        else:
            drop(connection, renamed)

    def _taken_away(self, connection: Connection, name: str) -> str | None:
        """Its new name, when nobody is connected to it any more. Only a superuser can empty
        tables that refer to one another in any order."""
        if not _value(connection, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
            return None
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(ended, [name])
        renamed = new_name()
        try:
            _rename(connection, name, renamed)
        except psycopg.errors.ObjectInUse:  # somebody came back at once
            return None
        return renamed

    def _restored(self, name: str) -> bool:
        if self._content is None:
            self._content = _Content.of(url_of(self._server_url, self._template))
        with psycopg.connect(url_of(self._server_url, name)) as connection:
            return self._content.put_into(connection)


@dataclass(frozen=True)
class _Content:
    """What a database holds: its schema, in short, and its rows, as COPY writes them."""

    schema: str
    rows: dict[str, bytes]
    sequences: list[tuple[str, int, bool]]

    @classmethod
    def of(cls, url: str) -> "_Content":
        with psycopg.connect(url) as connection:
            schema = _value(connection, _SCHEMA)
            rows = {}
            for (table,) in connection.execute(_TABLES).fetchall():
                with connection.cursor().copy(_COPY_FROM.format(sql.Identifier(table))) as out:
                    rows[table] = b"".join(bytes(each) for each in out)
            return cls(schema, rows, connection.execute(_SEQUENCES).fetchall())

    def put_into(self, connection: Connection) -> bool:
        """Gives a database these rows instead of its own; ``False`` when it had better go."""
        if _value(connection, _SCHEMA) != self.schema:
            return False
        connection.execute("SET LOCAL session_replication_role = replica")
        deletes = [sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in self.rows]
        cursor = connection.execute(sql.SQL(";").join(deletes))
        gone = cursor.rowcount
        while cursor.nextset():
            gone += cursor.rowcount
        if gone > _TOO_MANY:
            return False
        for table, rows in self.rows.items():
            if rows:
                with cursor.copy(_COPY_TO.format(sql.Identifier(table))) as into:
                    into.write(rows)
        for sequence in self.sequences:
            connection.execute("SELECT setval(%s::regclass, %s, %s)", sequence)
        return True


def connected(server_url: str) -> Connection:
    """A connection to the server, on which databases may be made."""
    return psycopg.connect(server_url, autocommit=True)


def new_name() -> str:
    """A name that no database has."""
    return f"jimm_test_{secrets.token_hex(6)}"


def url_of(server_url: str, name: str) -> str:
    """The address of a database of a server."""
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def create(connection: Connection, name: str, template: str) -> None:
    """Makes a database that holds what the template holds."""
    made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    connection.execute(made.format(sql.Identifier(name), sql.Identifier(template)))


def drop(connection: Connection, name: str) -> None:
    """Removes a database, whoever is connected to it."""
    connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _rename(connection: Connection, old: str, new: str) -> None:
    renamed = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    connection.execute(renamed.format(sql.Identifier(old), sql.Identifier(new)))


def _value(connection: Connection, asked: LiteralString) -> Any:
    row = connection.execute(asked).fetchone()
    assert row is not None
    return row[0]
