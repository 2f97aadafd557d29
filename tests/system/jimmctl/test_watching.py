"""Watching migrations: bars on a terminal, Ctrl-C, and connections that break."""

import asyncio
import fcntl
import json
import os
import re
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.relay import Relay
from tests.system.jimmctl.conftest import SCRIPT, Ctl, login_of
from tests.system.rest.scene import Made, Stage, client_of

CTRL_C = b"\x03"
DONE, LEFT = "━", "┄"


class Terminal:
    """A command on a terminal of its own: what it shows, keys that are pressed, its end."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self._process = process
        self._master = master
        self._shown = bytearray()

    @classmethod
    @asynccontextmanager
    async def running(
        cls, *arguments: str, env: dict[str, str], rows: int = 24, columns: int = 100
    ) -> AsyncIterator["Terminal"]:
        """Runs jimmctl on a terminal of that size, for the length of a block."""
        master, slave = os.openpty()
        termios.tcsetwinsize(slave, (rows, columns))
        process = await asyncio.create_subprocess_exec(
            SCRIPT,
            *arguments,
            env={"PATH": os.environ["PATH"], "TERM": "xterm-256color", **env},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        os.set_blocking(master, False)
        made = cls(process, master)
        loop = asyncio.get_running_loop()
        loop.add_reader(master, made._read)
        try:
            yield made
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            loop.remove_reader(master)
            os.close(master)

    @property
    def raw(self) -> str:
        """All that was written, escapes included."""
        return self._shown.decode(errors="replace")

    @property
    def text(self) -> str:
        """The same without what only moves the cursor and colours."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self.raw)

    async def until(self, *words: str) -> None:
        """Waits until all of them were shown."""
        await eventually(lambda: all(word in self.text for word in words), deadline=60)

    def press(self, key: bytes) -> None:
        """A key on its keyboard."""
        os.write(self._master, key)

    async def ended(self) -> int:
        """Its exit status."""
        status = await asyncio.wait_for(self._process.wait(), 20)
        self._read()
        return status

    def _read(self) -> None:
        try:
            while chunk := os.read(self._master, 65536):
                self._shown += chunk
        except OSError:  # nothing more now; or for ever, once nobody holds the other side
            return


def env_of(dev: Dev, home: Path) -> dict[str, str]:
    return {"HOME": str(home), **login_of(dev, "admin")}


async def held(stage: Stage, count: int) -> list[Made]:
    """Models whose migration from controller-1 stops in IMPORT."""
    await stage.fault("controller-1", "phase.source.IMPORT", "stall")
    return [await stage.model("moving", on="controller-1") for _ in range(count)]


async def test_bars_until_all_have_moved_and_a_sum_of_those_that_do_not_fit(
    stage: Stage, dev: Dev, tmp_path: Path
) -> None:
    models = await held(stage, 3)
    names = (models[0].uuid, *(each.reference for each in models[1:]))
    command = ("migrate", "controller-2", *names, "--wait")
    async with Terminal.running(*command, env=env_of(dev, tmp_path), rows=4) as terminal:
        await terminal.until(models[0].reference, "IMPORT", DONE, LEFT, "0:01", "and 2 more: ")
        await stage.mend()
        assert await terminal.ended() == 0
    assert DONE * 20 in terminal.text
    assert "and 2 more: 2 done" in terminal.text
    assert "\x1b[?25l" in terminal.raw  # the cursor is hidden while something is drawn
    assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l")
    heads, *rows = terminal.text.rstrip().splitlines()[-4:]
    assert heads.split() == ["Model", "Migration", "Result"]
    assert [line.split()[0] for line in rows] == list(names)
    assert [line.split()[-1] for line in rows] == ["done"] * 3


async def test_ctrl_c_stops_the_watching_and_not_the_migration(
    stage: Stage, dev: Dev, tmp_path: Path
) -> None:
    (model,) = await held(stage, 1)
    command = ("migrate", "controller-2", model.uuid, "--wait")
    async with Terminal.running(*command, env=env_of(dev, tmp_path)) as terminal:
        await terminal.until("IMPORT", LEFT)
        terminal.press(CTRL_C)
        assert await terminal.ended() == 130
    found = re.search(r"migration (\S+) goes on: look with `jimmctl show-migration", terminal.text)
    assert found is not None, terminal.text
    assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l")
    migration = found[1]
    again = ("show-migration", migration, "--watch")
    async with Terminal.running(*again, env=env_of(dev, tmp_path)) as terminal:
        await terminal.until(model.reference, "IMPORT", LEFT)
        terminal.press(CTRL_C)
        assert await terminal.ended() == 130
    assert f"migration {migration} goes on" in terminal.text
    await stage.mend()
    assert (await stage.until(migration, state="done"))["target"] == "controller-2"


class Watching:
    """A command that watches, without a terminal; ``lines`` is what it said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []

    @classmethod
    async def begun(cls, *arguments: str, env: dict[str, str]) -> "Watching":
        """Starts it."""
        return cls(
            await asyncio.create_subprocess_exec(
                *(SCRIPT, *arguments, "--format", "json"),
                env={"PATH": os.environ["PATH"], **env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        )

    async def until(self, words: str) -> None:
        """Reads on until it says this."""
        assert self._process.stderr is not None
        while not self.lines or words not in self.lines[-1]:
            line = await asyncio.wait_for(self._process.stderr.readline(), 30)
            assert line, self.lines
            self.lines.append(line.decode())

    async def ended(self) -> tuple[int | None, Any]:
        """Its exit status, and what it wrote in the end."""
        out, err = await asyncio.wait_for(self._process.communicate(), 20)
        assert err == b""
        return self._process.returncode, json.loads(out)


async def test_a_broken_connection_is_taken_up_again(
    stage: Stage, dev: Dev, ctl: Ctl, tmp_path: Path
) -> None:
    (model,) = await held(stage, 1)
    begun = await ctl("migrate", "controller-2", model.uuid, "--format", "json")
    migration = begun.json["results"][0]["migration-id"]
    await stage.until(migration, phase="IMPORT")
    async with Relay(dev.port) as relay:
        env = {**env_of(dev, tmp_path), "JIMMCTL_ADDRESS": relay.address}
        watching = await Watching.begun("show-migration", migration, "--watch", env=env)
        await watching.until("running IMPORT")
        await relay.cut()
        await watching.until("trying again")
        await relay.open()
        await stage.mend()
        await watching.until("done DONE")
        status, shown = await watching.ended()
    assert (status, shown["migration-id"], shown["state"]) == (0, migration, "done")
    (told,) = [line for line in watching.lines if "trying again" in line]
    assert told.startswith(f"nothing answers at {relay.address}: ")
    history = (await stage.admin.get(f"/migrations/{migration}?history=true")).json()["history"]
    assert len(watching.lines) - 1 == len(history)
    assert len(set(watching.lines)) == len(watching.lines)


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_watching_outlives_a_restart_of_jimm(own_dev: Dev, tmp_path: Path) -> None:
    own_dev.start()
    async with client_of(own_dev, "admin") as admin:
        stage = Stage(own_dev, admin)
        (model,) = await held(stage, 1)
    command = ("migrate", "controller-2", model.uuid, "--wait")
    watching = await Watching.begun(*command, env=env_of(own_dev, tmp_path))
    await watching.until("running IMPORT")
    await asyncio.to_thread(own_dev.stop)
    await watching.until("trying again")
    await asyncio.to_thread(own_dev.start)  # its controllers have forgotten their faults
    await watching.until("done DONE")
    status, shown = await watching.ended()
    assert (status, [each["state"] for each in shown["results"]]) == (0, ["done"])
    assert len([line for line in watching.lines if "trying again" in line]) == 1
    assert len(set(watching.lines)) == len(watching.lines)
