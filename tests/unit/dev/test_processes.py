"""Processes: started, awaited, ended, and found again."""

import os
import signal
from pathlib import Path

import pytest

from jimm.dev import processes
from jimm.dev.processes import Program
from jimm.errors import ConfigurationError
from tests.eventually import eventually

WAITS = Program("waits", ("simulate", "--name", "waits", "--port", "0"), {})


async def test_it_is_stopped_and_its_output_kept(tmp_path: Path) -> None:
    running = await processes.start(WAITS, tmp_path)
    await eventually(lambda: "api-addresses" in running.log.read_text())
    assert processes.leftovers(tmp_path) == [running.pid]
    assert os.getsid(running.pid) == running.pid
    await processes.stop_all([running])
    assert running.exit_status == 0
    assert processes.leftovers(tmp_path) == []


async def test_what_does_not_start_says_why(tmp_path: Path) -> None:
    program = Program(
        "wrong", ("simulate", "--name", "a", "--port", "1", "--host", "203.0.113.1"), {}
    )
    running = await processes.start(program, tmp_path)

    async def never() -> bool:
        return False

    with pytest.raises(ConfigurationError, match=r"^wrong does not start: the controller can't"):
        await processes.ready(running, never, deadline=30)


async def test_leftovers_are_ended_even_when_they_do_not_listen(tmp_path: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    running = await processes.start(WAITS, ours)
    neighbour = await processes.start(WAITS, other)
    try:
        processes.end_leftovers(ours)
        await eventually(lambda: running.exit_status is not None)
        assert neighbour.exit_status is None
        assert processes.leftovers(other) == [neighbour.pid]
    finally:
        os.kill(neighbour.pid, signal.SIGKILL)
        await processes.stop_all([running, neighbour])
