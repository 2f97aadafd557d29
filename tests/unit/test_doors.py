"""An application that is made at its first request."""

import asyncio
import threading

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Scope

from jimm.doors import MadeLater
from jimm.net.tasks import Tasks

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/"}


async def receive() -> Message:
    """Nothing more comes."""
    return {"type": "http.request"}


async def test_it_is_made_once_and_nobody_who_leaves_spoils_it_for_others() -> None:
    made: list[threading.Thread] = []
    go_on = threading.Event()

    def make() -> ASGIApp:
        made.append(threading.current_thread())
        go_on.wait(10)
        return PlainTextResponse("here")

    later, tasks, sent = MadeLater(make, Tasks()), Tasks(), list[Message]()

    async def send(message: Message) -> None:
        sent.append(message)

    asked = [tasks.spawn(later(SCOPE, receive, send), name="ask") for _ in range(3)]
    await asyncio.sleep(0)
    asked[0].cancel()
    go_on.set()
    await asyncio.wait_for(asyncio.gather(*asked[1:]), 10)
    await later(SCOPE, receive, send)
    assert [each["body"] for each in sent if "body" in each] == [b"here"] * 3
    assert len(made) == 1
    assert made[0] is not threading.main_thread()
