"""What passes through a pipe leaves a record, and waits where there is no room for one."""

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection

from jimm.audit.recorder import Recorder
from jimm.net.tasks import Tasks
from jimm.proxy.limits import Limits
from tests.eventually import eventually
from tests.system.proxy.stage import CONTROLLER, JIMM, MODEL, ask, request, staged


class Pages:
    """Takes batches while the gate is open, and keeps them."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.rows: list[dict[str, str]] = []

    async def write(self, columns: tuple[str, ...], data: bytes) -> None:
        """Splits the batch into rows."""
        await self.gate.wait()
        for line in data.decode().splitlines():
            self.rows.append(dict(zip(columns, line.split("\t"), strict=True)))

    async def aclose(self) -> None:
        """There is no connection."""


@pytest.fixture
def pages() -> Pages:
    return Pages()


def recorder_to(pages: Pages) -> Recorder:
    return Recorder(pages, hide=str, batch=5, batches=2, every=0.01, skip=())


async def test_each_call_and_each_error_is_recorded(tmp_path: Path, pages: Pages) -> None:
    recorder, tasks = recorder_to(pages), Tasks()
    pages.gate.set()
    tasks.spawn(recorder.run(), name="recorder")
    async with staged(tmp_path, Limits(close=1.0), recorder) as stage:
        stage.controller.answers["Fail"] = lambda connection, asked: stage.controller.reply(
            connection, asked, error="no such thing", **{"error-code": "not found"}
        )
        async with stage.logged_in() as client:
            await ask(client, "Echo", {"a": 1}, number=2)
            await ask(client, "Fail", number=3)
            await client.send(request("Echo", number=4).replace('"type"', '"TYPE"'))
            await client.recv()
            await eventually(lambda: len(pages.rows) == 5)
    await tasks.aclose()
    asked = [row for row in pages.rows if row["method"]]
    assert [(row["method"], row["message_id"]) for row in asked] == [
        ("Login", "1"),
        ("Echo", "2"),
        ("Fail", "3"),
        ("Echo", "4"),
    ]
    assert {(row["identity"], row["door"], row["client"]) for row in pages.rows} == {
        ("alice@jimm", "model", "127.0.0.1")
    }
    assert {(row["model_uuid"], row["controller"]) for row in pages.rows} == {(MODEL, "north")}
    (failed,) = (row for row in pages.rows if not row["method"])
    assert (failed["message_id"], failed["error"], failed["error_code"]) == (
        "3",
        "no such thing",
        "not found",
    )


async def test_each_login_is_recorded_with_what_came_of_it(tmp_path: Path, pages: Pages) -> None:
    recorder, tasks = recorder_to(pages), Tasks()
    pages.gate.set()
    tasks.spawn(recorder.run(), name="recorder")
    async with staged(tmp_path, Limits(close=1.0), recorder) as stage, stage.client() as client:

        async def log_in(number: int, user: str, password: str) -> bool:
            params = {"auth-tag": f"user-{user}", "credentials": password}
            answer = await ask(client, "Login", params, number=number, facade="Admin", version=3)
            return "error" not in answer

        assert not await log_in(1, "bob", "a secret")
        stage.controller.uuid = JIMM  # not the one that is registered
        assert not await log_in(2, "alice", "right")
        stage.controller.uuid = CONTROLLER
        assert await log_in(3, "alice", "right")
        await eventually(lambda: len(pages.rows) == 5)
    await tasks.aclose()
    tried = [row for row in pages.rows if row["method"]]
    assert [(row["identity"], row["message_id"], row["controller"]) for row in tried] == [
        ("bob@jimm", "1", ""),
        ("alice@jimm", "2", "north"),
        ("alice@jimm", "3", "north"),
    ]
    assert {(row["facade"], row["method"], row["model_uuid"]) for row in tried} == {
        ("Admin", "Login", MODEL)
    }
    failed = sorted((row["message_id"], row["identity"]) for row in pages.rows if not row["method"])
    assert failed == [("1", "bob@jimm"), ("2", "alice@jimm")]
    assert "a secret" not in str(pages.rows)


async def test_without_room_for_records_clients_wait(tmp_path: Path, pages: Pages) -> None:
    recorder, tasks = recorder_to(pages), Tasks()
    tasks.spawn(recorder.run(), name="recorder")
    count = 400
    async with (
        staged(tmp_path, Limits(close=1.0), recorder) as stage,
        stage.logged_in() as client,
    ):
        for number in range(2, 2 + count):
            await client.send(request("Echo", "x" * 20_000, number=number))
            if recorder.full:
                break
        assert recorder.full
        passed = len(stage.controller.requests)
        sending = tasks.spawn(_send(client, count), name="more")
        await eventually(lambda: not any(pipe.reads_client for pipe in stage.pipes))
        assert len(stage.controller.requests) < count
        assert passed <= len(stage.controller.requests)
        pages.gate.set()
        await sending
        answers = [json.loads(await client.recv()) for _ in range(number - 1 + count)]
        assert answers[-1]["request-id"] == 1000 + count - 1
        await eventually(lambda: len(pages.rows) == number + count)  # and the login
    await tasks.aclose()


async def _send(client: ClientConnection, count: int) -> None:
    for number in range(count):
        await client.send(request("Echo", number=1000 + number))
