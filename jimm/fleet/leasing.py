"""Keeping a lease while something takes long."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from jimm.net.tasks import Tasks
from jimm.registry.held import Held
from jimm.registry.session import Registry, WriteSession

log = logging.getLogger(__name__)

LEASE: Final = 10.0
"""Seconds; after a worker's death another takes over within them."""

Renew = Callable[[WriteSession, Held, float], Awaitable[bool]]


@asynccontextmanager
async def kept(registry: Registry, renew: Renew, held: Held) -> AsyncIterator[None]:
    """Renews a lease until the block ends.

    A lease that was lost is not told here: each write is guarded by the fence.
    """
    tasks = Tasks()
    tasks.spawn(_renew(registry, renew, held), name=f"keep the lease of {held.id}")
    try:
        yield
    finally:
        await tasks.aclose()


async def _renew(registry: Registry, renew: Renew, held: Held) -> None:
    while True:
        await asyncio.sleep(LEASE / 3)
        try:
            async with registry.write() as session:
                if not await renew(session, held, LEASE):
                    return
        except Exception:
            log.warning("could not renew the lease of %s", held.id, exc_info=True)
