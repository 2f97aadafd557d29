"""Migrations of many models at once: started one after the other, followed side by side."""

import asyncio
from collections.abc import Sequence

from jimmctl import progress, rows, watch
from jimmctl.attempt import Attempt
from jimmctl.client import Client
from jimmctl.errors import BadAnswer, JimmctlError, NotLoggedIn
from jimmctl.rows import Row

_STREAMS = 32  # migrations followed at a time


async def start(client: Client, attempts: Sequence[Attempt], options: Row) -> None:
    """Asks for each migration in turn; ``options`` are ``controller``, ``dry-run`` and
    ``prepare``.

    What goes wrong stands in the attempts; nothing is raised for it.
    """
    for at, attempt in enumerate(attempts):
        try:
            await _start_one(client, attempt, options)
        except NotLoggedIn as error:  # no other row will fare better
            for rest in attempts[at:]:
                rest.refuse(error)
            return
        except JimmctlError as error:
            attempt.refuse(error)


async def _start_one(client: Client, attempt: Attempt, options: Row) -> None:
    if not attempt.uuid:
        found = await client.get(attempt.model.path)
        attempt.uuid = rows.text(found, "model-uuid")
    answer = await client.post("/migrations", {"model": attempt.uuid, **options})
    attempt.answer = answer
    if options["dry-run"]:
        if answer.get("ready") is not True:
            attempt.fail("not ready to be migrated", "not ready")
    elif not attempt.migration:
        raise BadAnswer("JIMM's answer names no migration: look with `jimmctl migrations`")


async def follow(client: Client, attempts: Sequence[Attempt], patience: float | None) -> None:
    """Waits until all that were started have ended, or for ``patience`` seconds, and shows how
    they go on."""
    slots = asyncio.Semaphore(_STREAMS)
    started = [attempt for attempt in attempts if attempt.goes_on]
    if not started:
        return
    try:
        with watch.screen() as shown:
            shown.expect({one.migration: one.name for one in started})
            async with asyncio.timeout(patience), asyncio.TaskGroup() as group:
                for attempt in started:
                    work = _finish(client, attempt, slots, shown)
                    group.create_task(work, name=attempt.migration)
    except TimeoutError:
        for attempt in started:
            if not attempt.ended and attempt.error is None:
                attempt.fail(f"not at its end in time; {watch.goes_on(attempt.migration)}")


async def _finish(
    client: Client, attempt: Attempt, slots: asyncio.Semaphore, shown: watch.Screen
) -> None:
    async with slots:
        migration = attempt.migration
        try:
            answer = await watch.to_its_end(client, migration, shown)
        except JimmctlError as error:
            attempt.fail(f"{error.message.rstrip('.')}; {watch.goes_on(migration)}")
            return
        attempt.answer = {**answer, "migration-id": migration}
        attempt.ended = True
        if failure := progress.failure(answer):
            attempt.fail(failure, rows.text(rows.child(answer, "error"), "code"))
