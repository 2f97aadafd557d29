"""Questions that are asked all the time: compiled once, prepared once on each connection, and
answered in one round trip with nothing around it.

SQLAlchemy writes the statement and knows the types of the columns; what it does at each run of a
statement costs ten times as much as what Postgres and the driver do together.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

import psycopg
from psycopg.types.string import TextLoader
from sqlalchemy import Select
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from jimm.errors import NotValid

CONNECTIONS: Final = 4
"""For one process: an answer takes a millisecond, and one event loop reads them all."""

_UNSTORABLE: Final = "a value holds characters, or a number, that cannot be kept"

_OPTIONS: Final = (
    " -c default_transaction_read_only=on -c plan_cache_mode=force_generic_plan -c jit=off"
)
"""To plan such a statement takes longer than to run it, and its plan is always the same."""


class Question:
    """A statement with parameters; its columns have names of their own."""

    def __init__(self, statement: Select[Any]) -> None:
        dialect = _dialect()
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self.text = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        self._given = {name: _plain(value) for name, value in compiled.params.items()}
        self._columns = tuple(
            (str(column.key), column.type.dialect_impl(dialect).result_processor(dialect, None))
            for column in statement.selected_columns
        )

    def parameters(self, values: Mapping[str, object]) -> list[object]:
        """All of them in their order, once the open ones have these values."""
        given = self._given
        return [values[name] if name in values else given[name] for name in self._names]

    def record(self, row: tuple[Any, ...]) -> dict[str, Any]:
        """A row by the names of its columns."""
        return {
            name: value if process is None else process(value)
            for (name, process), value in zip(self._columns, row, strict=True)
        }


class Desk:
    """The connections on which questions are answered; ``patience`` is seconds for an answer,
    the wait for a free connection included."""

    def __init__(
        self,
        url: str,
        *,
        application_name: str,
        options: str,
        patience: float,
        connections: int = CONNECTIONS,
    ) -> None:
        self._url = url
        self._name = application_name
        self._options = options + _OPTIONS
        self._patience = patience
        self._turns = asyncio.Semaphore(connections)
        self._idle: list[psycopg.AsyncConnection[tuple[Any, ...]]] = []

    async def ask(self, question: Question, values: Mapping[str, object]) -> list[dict[str, Any]]:
        """The rows that answer it.

        Raises:
            NotValid: Postgres can't hold one of the values, such as a NUL.
            DBAPIError: the database does not answer.
        """
        try:
            async with asyncio.timeout(self._patience), self._turns:
                return await self._answer(question, question.parameters(values))
        except psycopg.DataError as error:
            raise NotValid(_UNSTORABLE) from error
        except (psycopg.Error, TimeoutError) as error:
            raise _failed(question, error) from error

    async def aclose(self) -> None:
        """Closes every connection."""
        idle, self._idle = self._idle, []
        for each in idle:
            await each.close()

    async def _answer(self, question: Question, parameters: list[object]) -> list[dict[str, Any]]:
        while self._idle:
            connection = self._idle.pop()
            try:
                return await self._on(connection, question, parameters)
            except psycopg.OperationalError:
                # One that nobody used may have died unseen; asking twice does no harm.
                if not connection.broken:
                    raise
        return await self._on(await self._new(), question, parameters)

    async def _on(
        self,
        connection: psycopg.AsyncConnection[tuple[Any, ...]],
        question: Question,
        parameters: list[object],
    ) -> list[dict[str, Any]]:
        try:
            cursor = await connection.execute(question.text, parameters, prepare=True)
            rows = await cursor.fetchall()
        except BaseException:
            if not connection.broken:
                await connection.close()
            raise
        self._idle.append(connection)
        return [question.record(row) for row in rows]

    async def _new(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        made = await psycopg.AsyncConnection.connect(
            self._url,
            autocommit=True,
            application_name=self._name,
            connect_timeout=10,
            cursor_factory=psycopg.AsyncRawCursor,
            options=self._options,
            tcp_user_timeout=int(self._patience * 1000),
        )
        made.adapters.register_loader("uuid", TextLoader)
        return made


def _dialect() -> Dialect:
    """The driver's, with parameters as Postgres itself numbers them."""
    kind: Callable[..., Dialect] = make_url("postgresql+psycopg://").get_dialect()
    return kind(paramstyle="numeric_dollar")


def _plain(value: object) -> object:
    """A constant of the statement; the driver would write a word of an enumeration otherwise."""
    return str(value) if isinstance(value, str) else value


def _failed(question: Question, error: Exception) -> DBAPIError:
    said = error if isinstance(error, psycopg.Error) else psycopg.OperationalError("no answer")
    return OperationalError(question.text, None, said, hide_parameters=True)
