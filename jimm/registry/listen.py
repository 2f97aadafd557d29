"""LISTEN on a connection of its own, made again whenever it is lost."""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

log = logging.getLogger(__name__)

RELATIONS = "jimm_relations"
"""A relation changed; the payload is its revision."""

IDENTITIES = "jimm_identities"
"""An identity was disabled, or lost its passwords or tokens; the payload is its name."""

CONTROLLERS = "jimm_controllers"
"""A controller was added, changed, deprecated or removed; the payload is its uuid."""

MODELS = "jimm_models"
"""A model came, went, or moved to another controller; the payload is its uuid."""

MIGRATIONS = "jimm_migrations"
"""A migration was asked for or went on; the payload is its id."""

PLANS = "jimm_plans"
"""A plan was asked for or went on; the payload is its id."""

INTENTS = "jimm_intents"
"""An intent waits for somebody; the payload is its id."""

DEVICE_LOGINS = "jimm_device_logins"
"""Somebody confirmed or refused a device login; the payload is its id."""

KEEPALIVE = 15.0
"""Seconds of silence after which the connection is tried."""

LONGEST_PAUSE = 5.0
"""Seconds between attempts to connect, at most."""


@dataclass(frozen=True)
class Notification:
    """Something was notified."""

    channel: str
    payload: str


@dataclass(frozen=True)
class Reconnected:
    """Listening (again): anything may have been missed before this."""


Event = Notification | Reconnected


async def notifications(
    url: str, channels: Sequence[str], *, application_name: str
) -> AsyncGenerator[Event, None]:
    """Events until cancelled or closed; never raises for a lost connection."""
    pause = 0.1
    while True:
        try:
            connection = await _connect(url, channels, application_name)
        except (psycopg.Error, OSError) as error:
            log.warning("cannot listen on the database, trying again: %s", type(error).__name__)
        else:
            pause = 0.1
            yield Reconnected()
            try:
                while True:
                    async for notified in connection.notifies(timeout=KEEPALIVE):
                        yield Notification(notified.channel, notified.payload)
                    async with asyncio.timeout(KEEPALIVE):
                        await connection.execute("SELECT 1")
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("lost the connection that listens: %s", type(error).__name__)
            finally:
                await connection.close()
        await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
        pause = min(pause * 2, LONGEST_PAUSE)


async def _connect(
    url: str, channels: Sequence[str], application_name: str
) -> psycopg.AsyncConnection[tuple[object, ...]]:
    connection = await psycopg.AsyncConnection.connect(
        url, autocommit=True, application_name=application_name, connect_timeout=10
    )
    try:
        for channel in channels:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    except BaseException:
        await connection.close()
        raise
    return connection
