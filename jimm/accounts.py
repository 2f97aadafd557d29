"""What ``jimm user`` does: the users made in JIMM, from the machine that has the settings."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Concatenate, ParamSpec

from jimm.access import accounts
from jimm.errors import ConfigurationError
from jimm.registry import schema
from jimm.registry.session import Registry
from jimm.settings import Settings
from jimm.wire.secret import Secret

P = ParamSpec("P")


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
    async with _registry(settings) as registry:
        await accounts.add_user(
            registry, name, Secret(password), admin=admin, local_domain=settings.local_domain
        )


async def set_password(settings: Settings, name: str, password: str) -> None:
    """Gives a user another password; all sessions end.

    Raises:
        NotValid: the password can't be one.
        UserNotFound: there is no such user.
    """
    async with _registry(settings) as registry:
        await accounts.set_password(
            registry, name, Secret(password), local_domain=settings.local_domain
        )


async def disable(settings: Settings, name: str) -> None:
    """Keeps a user from logging in; all sessions end.

    Raises:
        UserNotFound: there is no such user.
    """
    async with _registry(settings) as registry:
        await accounts.disable_user(registry, name, local_domain=settings.local_domain)


@asynccontextmanager
async def _registry(settings: Settings) -> AsyncIterator[Registry]:
    registry = Registry(
        settings.database_url.get_secret_value(), application_name="jimm-user", pool_size=1
    )
    try:
        yield registry
    finally:
        await registry.aclose()
