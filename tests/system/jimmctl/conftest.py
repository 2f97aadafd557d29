"""``jimmctl`` as its users start it, against a running JIMM."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fix_dev import Dev
from tests.system.rest.conftest import admin, stage

__all__ = ["admin", "stage"]

SCRIPT = str(Path(sys.executable).with_name("jimmctl"))


@dataclass(frozen=True)
class Done:
    """What a command said, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output, as JSON."""
        assert self.status in (0, 1), self.err
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def yaml(self) -> Any:
        """Its output, as YAML."""
        return yaml.safe_load(self.out)

    @property
    def error(self) -> str:
        """The one sentence of a command that failed."""
        assert self.status == 1, (self.status, self.err)
        return self._complaint()

    @property
    def misuse(self) -> str:
        """The one sentence of a command that was used wrongly."""
        assert self.status == 2, (self.status, self.err)
        return self._complaint()

    def _complaint(self) -> str:
        line, *more = self.err.splitlines()
        assert not more, self.err
        assert line.startswith("ERROR "), self.err
        assert self.out == ""
        return line.removeprefix("ERROR ")


Ctl = Callable[..., Awaitable[Done]]


async def start(*arguments: str, env: Mapping[str, str], stdin: str = "", cwd: Path) -> Done:
    """Runs the console script to its end."""
    process = await asyncio.create_subprocess_exec(
        SCRIPT,
        *arguments,
        env={"PATH": os.environ["PATH"], **env},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
    done = Done(process.returncode or 0, out.decode(), err.decode())
    assert "Traceback" not in done.out + done.err, done.err
    return done


def login_of(dev: Dev, user: str) -> dict[str, str]:
    """The variables that say where JIMM is and who asks."""
    return {
        "JIMMCTL_ADDRESS": dev.address,
        "JIMMCTL_CA_CERT": dev.described["ca_cert"],
        "JIMMCTL_USER": user,
        "JIMMCTL_PASSWORD": dev.password(user),
    }


@pytest.fixture
def ctl(dev: Dev, tmp_path: Path) -> Ctl:
    """``await ctl("models", user="alice")``, in a home of its own."""

    async def started(*arguments: str, user: str = "admin", stdin: str = "", **env: str) -> Done:
        whole = {"HOME": str(tmp_path), **login_of(dev, user), **env}
        return await start(*arguments, env=whole, stdin=stdin, cwd=tmp_path)

    return started


@pytest.fixture
def bare(tmp_path: Path) -> Ctl:
    """The same without any variable but those given."""

    async def started(*arguments: str, stdin: str = "", **env: str) -> Done:
        whole = {"HOME": str(tmp_path), **env}
        return await start(*arguments, env=whole, stdin=stdin, cwd=tmp_path)

    return started
