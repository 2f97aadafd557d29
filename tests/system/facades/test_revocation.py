"""What is taken away counts at once, on open connections too."""

import os
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fix_dev import Dev
from tests.juju_client import Refused, logged_in
from tests.system.facades.test_users import PASSWORD, as_user, somebody

WITHIN = 1.0
"""Seconds until a revocation has reached an open pipe."""


@asynccontextmanager
async def shared_model(dev: Dev, level: str, user: str = "bob") -> AsyncIterator[str]:
    """A model of alice's that somebody may use; they have nothing of it afterwards."""
    async with dev.socket() as alice:
        params = {"name": f"m-{uuid.uuid4().hex[:8]}", "owner-tag": "user-alice"}
        made = await alice.call("ModelManager", 10, "CreateModel", params)
        await change(dev, made["uuid"], "grant", level, user)
        yield str(made["uuid"])
        entity = {"model-tag": f"model-{made['uuid']}", "destroy-storage": True}
        gone = await alice.call("ModelManager", 10, "DestroyModels", {"models": [entity]})
        assert gone["results"] == [{}]


async def change(dev: Dev, model: str, action: str, level: str, user: str = "bob") -> None:
    """alice gives somebody a level, or takes it."""
    asked = {"user-tag": f"user-{user}", "action": action, "access": level}
    async with dev.socket() as alice:
        told = await alice.call(
            "ModelManager",
            10,
            "ModifyModelAccess",
            {"changes": [{**asked, "model-tag": f"model-{model}"}]},
        )
    assert told["results"] == [{}]


async def test_a_revoked_grant_closes_the_open_pipe(dev: Dev) -> None:
    async with shared_model(dev, "read") as model:
        async with dev.socket("bob", f"/model/{model}/api") as bob:
            await bob.call("Client", 6, "FullStatus", {"patterns": []})
            await change(dev, model, "revoke", "read")
            began = time.monotonic()
            assert await bob.closed() == 1001
            assert time.monotonic() - began < WITHIN
        with pytest.raises(Refused, match="unknown model"):
            async with dev.socket("bob", f"/model/{model}/api"):
                pass


async def test_a_lower_level_closes_the_pipe_and_the_next_one_has_it(dev: Dev) -> None:
    async with shared_model(dev, "write") as model:
        async with dev.socket("bob", f"/model/{model}/api") as bob:
            await change(dev, model, "revoke", "write")
            assert await bob.closed() == 1001
        async with dev.socket("bob", f"/model/{model}/api") as bob:
            await bob.call("Client", 6, "FullStatus", {"patterns": []})
            with pytest.raises(Refused):
                await bob.call("ModelConfig", 3, "ModelSet", {"config": {"x": "y"}})


async def test_others_pipes_stay_open(dev: Dev) -> None:
    async with (
        shared_model(dev, "read") as model,
        dev.socket("alice", f"/model/{model}/api") as alice,
    ):
        async with dev.socket("bob", f"/model/{model}/api") as bob:
            await change(dev, model, "revoke", "read")
            await bob.closed()
        await alice.call("Client", 6, "FullStatus", {"patterns": []})


def disable(dev: Dev, user: str) -> None:
    """`jimm user disable`, as its operator runs it."""
    pid = dev.described["pids"]["jimm"][0]
    settings = Path(f"/proc/{pid}/environ").read_text().split("\0")
    environment = dict(each.split("=", 1) for each in settings if each.startswith("JIMM_"))
    done = subprocess.run(
        [sys.executable, "-m", "jimm", "user", "disable", user],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


async def test_a_disabled_user_is_out_at_once_everywhere(dev: Dev) -> None:
    async with somebody(dev) as (_, name), shared_model(dev, "read", name) as model:
        path = f"/model/{model}/api"
        place = dev.registration()
        async with (
            as_user(dev, name) as door,
            logged_in(place, path, user=name, password=PASSWORD) as pipe,
        ):
            disable(dev, name)
            began = time.monotonic()
            assert await pipe.closed() == 1001
            assert await door.closed() == 1001
            assert time.monotonic() - began < WITHIN
        with pytest.raises(Refused, match="invalid entity name or password"):
            async with as_user(dev, name):
                pass
        async with dev.socket() as alice:
            told: Any = await alice.call("ModelManager", 10, "ListModels", {"tag": "user-alice"})
            assert model in {each["model"]["uuid"] for each in told["user-models"]}
