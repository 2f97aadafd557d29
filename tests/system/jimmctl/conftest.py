"""``jimmctl`` against a running JIMM."""

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
from tests.loaded import Loaded
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


async def run(
    program: Loaded, *arguments: str, env: Mapping[str, str], stdin: str, cwd: Path
) -> Done:
    """Runs a command to its end."""
    environment = {"PATH": os.environ["PATH"], **env}
    running = program.run(*arguments, env=environment, cwd=cwd, stdin=stdin)
    ended = await asyncio.wait_for(running, 60)
    assert "Traceback" not in ended.out + ended.err, ended.err
    return Done(ended.status, ended.out, ended.err)


def login_of(dev: Dev, user: str) -> dict[str, str]:
    """The variables that say where JIMM is and who asks."""
    return {
        "JIMMCTL_ADDRESS": dev.address,
        "JIMMCTL_CA_CERT": dev.described["ca_cert"],
        "JIMMCTL_USER": user,
        "JIMMCTL_PASSWORD": dev.password(user),
    }


@pytest.fixture
def ctl(jimmctl: Loaded, dev: Dev, tmp_path: Path) -> Ctl:
    """``await ctl("models", user="alice")``, in a home of its own."""

    async def started(*arguments: str, user: str = "admin", stdin: str = "", **env: str) -> Done:
        whole = {"HOME": str(tmp_path), **login_of(dev, user), **env}
        return await run(jimmctl, *arguments, env=whole, stdin=stdin, cwd=tmp_path)

    return started


@pytest.fixture
def bare(jimmctl: Loaded, tmp_path: Path) -> Ctl:
    """The same without any variable but those given."""

    async def started(*arguments: str, stdin: str = "", **env: str) -> Done:
        whole = {"HOME": str(tmp_path), **env}
        return await run(jimmctl, *arguments, env=whole, stdin=stdin, cwd=tmp_path)

    return started
