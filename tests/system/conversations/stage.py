"""What must be there before a command: a model, a credential, an offer, whatever it names."""

import base64
import hashlib
import io
import json
import uuid
import zipfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from typing import Any

from tests.fix_dev import Dev
from tests.juju_client import Socket

OTHER = "bob"
"""The user that grants are about."""

CHARM = {
    "metadata.yaml": """\
name: tiny
summary: A charm for tests.
description: It does nothing.
resources:
  payload: {type: file, filename: payload.txt, description: Something.}
""",
    "manifest.yaml": """\
bases:
- {name: ubuntu, channel: "22.04", architectures: [amd64]}
charmcraft-version: "3.0.0"
""",
    "dispatch": "#!/bin/sh\n",
}


def session_token(dev: Dev, user: str) -> str:
    """A new session token of a user's."""
    with closing(dev.rest(user)) as client:
        return str(client.headers["Authorization"]).removeprefix("Bearer ")


@asynccontextmanager
async def staged(
    dev: Dev, user: str, token: str, given: Iterable[str]
) -> AsyncIterator[dict[str, str]]:
    """The names of a conversation, and behind them what it is given; taken away afterwards."""
    async with dev.socket(user) as socket:
        names = _names(dev, user, token)
        for each in given:
            await _GIVERS[each](dev, socket, names)
        try:
            yield names
        finally:
            await _clear(dev, socket, names)


def _names(dev: Dev, user: str, token: str) -> dict[str, str]:
    some = uuid.uuid4().hex[:8]
    elsewhere = dev.described["controllers"][0]
    return {
        "user": user,
        "owner": user,
        "password": dev.password(user),
        "session-token": token,
        "other": OTHER,
        "controller-uuid": dev.described["jimm_uuid"],
        "other-controller-uuid": elsewhere["uuid"],
        "other-ca": dev.ca,
        "other-password": "not-it-at-all",
        "cloud": "metro",
        "region": "north",
        "cloud-password": "a-clouds-password",
        "ssh-key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGh0 alice",
        "credential": f"c-{some}",
        "model": f"m-{some}",
        "offer": f"o-{some}x",
        "application": "haproxy",
        "endpoint": "website",
    }


async def _model(dev: Dev, socket: Socket, names: dict[str, str]) -> None:
    made = await socket.call(
        "ModelManager",
        10,
        "CreateModel",
        {
            "name": names["model"],
            "owner-tag": f"user-{names['user']}",
            "cloud-tag": f"cloud-{names['cloud']}",
            "config": {"simulated-applications": "ubuntu:2, haproxy:1"},
        },
    )
    names["model-uuid"] = made["uuid"]


async def _credential(dev: Dev, socket: Socket, names: dict[str, str]) -> None:
    attributes = {"username": names["user"], "password": names["cloud-password"]}
    credential = {"auth-type": "userpass", "attrs": attributes}
    await _succeed(
        socket,
        "Cloud",
        7,
        "UpdateCredentialsCheckModels",
        {"credentials": [{"tag": _credential_tag(names), "credential": credential}]},
    )


async def _share(dev: Dev, socket: Socket, names: dict[str, str]) -> None:
    change = {
        "user-tag": f"user-{names['other']}",
        "action": "grant",
        "access": "read",
        "model-tag": f"model-{names['model-uuid']}",
    }
    await _succeed(socket, "ModelManager", 10, "ModifyModelAccess", {"changes": [change]})


async def _offer(dev: Dev, socket: Socket, names: dict[str, str]) -> None:
    offer = {
        "model-tag": f"model-{names['model-uuid']}",
        "offer-name": names["offer"],
        "application-name": names["application"],
        "application-description": "",
        "endpoints": {names["endpoint"]: names["endpoint"]},
        "owner-tag": f"user-{names['user']}",
    }
    await _succeed(socket, "ApplicationOffers", 5, "Offer", {"Offers": [offer]})


async def _block(dev: Dev, socket: Socket, names: dict[str, str]) -> None:
    async with dev.socket(names["user"], f"/model/{names['model-uuid']}/api") as model:
        await model.call("Block", 2, "SwitchBlockOn", {"type": "BlockDestroy"})


async def _charm(dev: Dev, socket: Socket, names: dict[str, str]) -> None:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in CHARM.items():
            archive.writestr(name, text)
    charm, payload = written.getvalue(), b"a resource"
    names["charm"] = base64.b64encode(charm).decode()
    names["charm-hash"] = hashlib.sha256(charm).hexdigest()[:7]
    names["payload"] = base64.b64encode(payload).decode()
    names["payload-hash"] = hashlib.sha384(payload).hexdigest()


async def _service_account(dev: Dev, socket: Socket, names: dict[str, str]) -> None:
    done = dev.jimmctl("add-service-account", f"robot-{names['model']}", "--format", "json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    names["client-id"] = told["client-id"]
    names["client-secret"] = told["client-secret"]
    names["user"] = f"{told['client-id'].removesuffix('@serviceaccount')}@serviceaccount"


_GIVERS = {
    "model": _model,
    "credential": _credential,
    "shared": _share,
    "offer": _offer,
    "block": _block,
    "charm": _charm,
    "service-account": _service_account,
}


async def _clear(dev: Dev, socket: Socket, names: dict[str, str]) -> None:
    """Takes away what may still be there; a refusal means that it is not."""
    if "model-uuid" in names:
        models = {"models": [{"model-tag": f"model-{names['model-uuid']}"}]}
        told = await socket.call("ModelManager", 10, "DestroyModels", models)
        if told["results"][0].get("error", {}).get("code") == "operation is blocked":
            await _unblock(dev, names)
            await socket.call("ModelManager", 10, "DestroyModels", models)
    credential = {"tag": _credential_tag(names), "force": True}
    await socket.send("Cloud", 7, "RevokeCredentialsCheckModels", {"credentials": [credential]})


async def _unblock(dev: Dev, names: dict[str, str]) -> None:
    async with dev.socket(names["owner"], f"/model/{names['model-uuid']}/api") as model:
        await model.call("Block", 2, "SwitchBlockOff", {"type": "BlockDestroy"})


def _credential_tag(names: dict[str, str]) -> str:
    return f"cloudcred-{names['cloud']}_{names['user']}_{names['credential']}"


async def _succeed(
    socket: Socket, facade: str, version: int, method: str, params: dict[str, Any]
) -> None:
    told = await socket.call(facade, version, method, params)
    assert not any("error" in row for row in told["results"]), told
