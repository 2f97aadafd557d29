"""The Juju Dashboard's own library, from npm, through JIMM: its poll of all models."""

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jimm.access.tokens import COOKIE
from tests.fix_dev import Dev
from tests.fix_node import Node
from tests.juju_client import Socket
from tests.system.conversations.stage import session_token

DEADLINE = 30.0


async def poll(dev: Dev, node: Node, login: Mapping[str, str]) -> dict[str, Any]:
    """One poll of the Dashboard's."""
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": dev.described["ca_cert"], **login}
    process = await asyncio.create_subprocess_exec(
        *node.command("dashboard.mjs", f"wss://{dev.address}/api"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(DEADLINE):
            said, complained = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
        raise
    assert process.returncode == 0, complained.decode()
    told: dict[str, Any] = json.loads(said)
    return told


def by_password(dev: Dev, user: str) -> dict[str, str]:
    """The environment that logs in with name and password."""
    return {"JUJU_USER": user, "JUJU_PASSWORD": dev.password(user)}


def by_cookie(dev: Dev, user: str) -> dict[str, str]:
    """The environment that logs in with a browser's session."""
    return {"JUJU_COOKIE": f"{COOKIE}={session_token(dev, user)}"}


@asynccontextmanager
async def model(dev: Dev) -> AsyncIterator[tuple[Socket, str, str]]:
    """A socket of bob's, and a model of his by name and UUID."""
    name = f"m-{uuid.uuid4().hex[:8]}"
    async with dev.socket("bob") as socket:
        params = {
            "name": name,
            "owner-tag": "user-bob",
            "config": {"simulated-applications": "ubuntu:1, haproxy:1"},
        }
        made = (await socket.call("ModelManager", 10, "CreateModel", params))["uuid"]
        try:
            yield socket, name, made
        finally:
            await socket.call(
                "ModelManager", 10, "DestroyModels", {"models": [{"model-tag": f"model-{made}"}]}
            )


@pytest.mark.parametrize("login", [by_password, by_cookie], ids=["password", "cookie"])
async def test_the_dashboard_s_poll_sees_every_model(dev: Dev, node: Node, login: Any) -> None:
    async with model(dev) as (_, name, made):
        told = await poll(dev, node, login(dev, "bob"))
    assert told["user"] == "user-bob"
    assert told["facades"]["modelManager"] in (9, 11)
    found = next(each for each in told["models"] if each["uuid"] == made)
    assert "error" not in found
    assert found["name"] == name
    assert found["applications"] == {"ubuntu": "active", "haproxy": "active"}
    assert len(found["annotations"]) == 2
    assert found["info"]["owner-tag"] == "user-bob"
    assert found["info"]["controller-uuid"] == dev.described["jimm_uuid"]
    assert found["info"]["status"]["status"] == "available"
