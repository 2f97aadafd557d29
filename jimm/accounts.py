"""What ``jimm user`` does: the users made in JIMM, from the machine that has the settings."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Concatenate, Final, ParamSpec

from jimm.audit.months import make_ahead
from jimm.errors import ConfigurationError
from jimm.fleet import users
from jimm.fleet.caller import Caller
from jimm.fleet.users import Accounts
from jimm.registry import schema
from jimm.registry.session import Registry
from jimm.settings import Settings
from jimm.wire.secret import Secret

P = ParamSpec("P")

OPERATOR: Final = Caller("operator", admin=True, door="cli")
"""Whoever has the settings, and with them the database."""


def run(
    command: Callable[Concatenate[Settings, P], Coroutine[Any, Any, None]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    """Carries out one of the functions below with the settings of the environment.

    Raises:
        ConfigurationError: the database is not at this program's schema, or does not answer.
    """
    settings = Settings()
    if schema.current(settings.database_url.get_secret_value()) != schema.head():
        raise ConfigurationError(
            "the database is not at the schema of this program: run `jimm db upgrade`"
        )
    asyncio.run(command(settings, *args, **kwargs))


async def add(settings: Settings, name: str, password: str, *, admin: bool) -> None:
    """Adds a user.

    Raises:
        NotValid: the name or the password can't be one.
        AlreadyExists: there is such a user.
    """
    async with _accounts(settings) as kept:
        await users.add(kept, OPERATOR, name, Secret(password), admin=admin)


async def set_password(settings: Settings, name: str, password: str) -> None:
    """Gives a user another password; all sessions end.

    Raises:
        NotValid: the password can't be one.
        UserNotFound: there is no such user.
        NotSupported: they are of another domain.
    """
    async with _accounts(settings) as kept:
        await users.set_password(kept, OPERATOR, name, Secret(password))


async def disable(settings: Settings, name: str) -> None:
    """Keeps a user from logging in; all sessions end.

    Raises:
        UserNotFound: there is no such user.
    """
    async with _accounts(settings) as kept:
        await users.disable(kept, OPERATOR, name, even_the_last=True)


@asynccontextmanager
async def _accounts(settings: Settings) -> AsyncIterator[Accounts]:
    registry = Registry(
        settings.database_url.get_secret_value(), application_name="jimm-user", pool_size=1
    )
    try:
        await make_ahead(registry, datetime.now(UTC))
        yield Accounts(registry, settings.local_domain)
    finally:
        await registry.aclose()
