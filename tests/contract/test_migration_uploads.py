"""The ``/migrate`` routes: who may upload what, and when."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection, connect

from jimm.net.tls import client_context
from jimm.simulator.migration import lifecycle
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_migration import Scene
from tests.fix_simulator import SimulatorFactory
from tests.juju_client import Registration
from tests.key_server import KeyServer

MODEL = "X-Juju-Migration-Model-UUID"
VERSION = "X-Juju-ClientVersion"
LINE = {"t": "2026-07-01T12:00:00Z", "m": "juju", "l": "", "v": "INFO", "x": "hello"}


@asynccontextmanager
async def client(controller: Registration, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        base_url=f"https://{controller.address}",
        verify=client_context(controller.ca),
        headers=headers,
        trust_env=False,
    ) as made:
        yield made


def basic(controller: Registration, user: str = "", password: str = "") -> str:
    pair = f"{user or f'user-{controller.user}'}:{password or controller.password}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


async def importing(scene: Scene, mode: str = "importing") -> ModelUUID:
    """A model on b as ``Import`` leaves it, or alive."""
    model = await scene.create(on="b")
    if mode:
        store = scene.controllers["b"].store
        store.put(lifecycle.imported(store.models[model], store.models[model].created))
    return model


async def post(scene: Scene, model: str, path: str, **headers: str) -> httpx.Response:
    controller = scene.registration("b")
    given = {MODEL: model, "Authorization": basic(controller), **headers}
    async with client(controller, **given) as http:
        extensions = {"sni_hostname": "juju-apiserver"}
        method = "PUT" if path.startswith("/migrate/charms/") else "POST"
        return await http.request(method, path, content=b"", extensions=extensions)


async def test_a_charm_is_echoed(scene: Scene) -> None:
    model = await importing(scene)
    header = {"Juju-Curl": "ch:amd64/x-3", "Content-Type": "application/zip"}
    reply = await post(scene, model, "/migrate/charms/x-e3b0c44", **header)
    assert reply.status_code == 200
    assert reply.headers["Juju-Curl"] == "ch:amd64/x-3"
    assert reply.json() == {"charm-url": "ch:amd64/x-3"}


async def test_tools_and_resources(scene: Scene) -> None:
    model = await importing(scene)
    tools = await post(scene, model, "/migrate/tools?binaryVersion=3.6.9-ubuntu-amd64")
    assert tools.json()["tools"][0]["version"] == "3.6.9-ubuntu-amd64"
    path = "/migrate/resources?application=a&name=r&timestamp=1000000000"
    resource = await post(scene, model, path)
    assert resource.json()["timestamp"] == "1970-01-01T00:00:01Z"
    assert resource.json()["id"]


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({"Authorization": "Basic bm8="}, 401, "authentication failed: invalid entity name or"),
        ({"Authorization": "Bearer x"}, 401, "authentication failed: "),
        ({MODEL: "6f3e8d4c-58a5-4a28-8b1a-3a2f0f6b9c11"}, 404, "model not found"),
        ({MODEL: ""}, 404, "model not found"),
    ],
)
async def test_what_is_refused(
    scene: Scene, headers: dict[str, str], status: int, message: str
) -> None:
    model = await importing(scene)
    reply = await post(scene, model, "/migrate/tools?binaryVersion=1", **headers)
    assert reply.status_code == status
    assert reply.json()["error"]["message"].startswith(message)


async def test_only_superusers_upload(scene: Scene) -> None:
    model = await importing(scene)
    async with scene.admin("b") as admin:
        users = {"users": [{"username": "bob", "display-name": "", "password": "pw"}]}
        await admin.call("UserManager", 3, "AddUser", users)
    login = basic(scene.registration("b"), "user-bob", "pw")
    reply = await post(scene, model, "/migrate/tools?binaryVersion=1", Authorization=login)
    assert reply.status_code == 403
    text = "authorization failed: user bob is not a controller admin"
    assert reply.json()["error"]["message"] == text


async def test_only_importing_models_take_binaries(scene: Scene) -> None:
    model = await importing(scene, "")
    reply = await post(scene, model, "/migrate/tools?binaryVersion=1")
    assert reply.status_code == 400
    assert reply.json()["error"] == {
        "message": 'model migration mode is "" instead of "importing"',
        "code": "bad request",
    }


async def test_a_token_will_do(simulator: SimulatorFactory, key_server: KeyServer) -> None:
    made = await simulator(jwks_url=key_server.url, jwks_ca=key_server.ca_file)
    controller = Registration.of(made.registration())
    levels = {f"controller-{controller.uuid}": "superuser"}
    token = key_server.token("alice@jimm", levels)
    bearer = base64.b64encode(token.encode()).decode()
    async with client(controller, Authorization=f"Bearer {bearer}") as http:
        reply = await http.post("/migrate/tools", extensions={"sni_hostname": "juju-apiserver"})
    assert reply.json()["error"]["message"] == "model not found"


@asynccontextmanager
async def log_stream(scene: Scene, model: str, **more: str) -> AsyncIterator[ClientConnection]:
    controller = scene.registration("b")
    headers = {MODEL: model, VERSION: "3.6.9", "Authorization": basic(controller), **more}
    async with connect(
        f"wss://{controller.address}/migrate/logtransfer",
        ssl=client_context(controller.ca),
        server_hostname="juju-apiserver",
        additional_headers=headers,
        compression=None,
        proxy=None,
    ) as stream:
        yield stream


async def first(stream: ClientConnection) -> Any:
    frame = await stream.recv()
    assert isinstance(frame, str)
    assert frame.endswith("\n")
    return json.loads(frame)


async def test_a_log_is_kept_after_the_activation(scene: Scene) -> None:
    model = await importing(scene, "")
    async with log_stream(scene, model) as stream:
        assert await first(stream) == {}
        await stream.send(json.dumps(LINE))
        await stream.send(json.dumps({**LINE, "t": "2026-07-01T12:00:05Z", "e": "0"}))
    await eventually(lambda: scene.model(model, "b").log_sent == 2)
    async with scene.admin("b") as socket:
        params = {"model-tag": f"model-{model}"}
        latest = await socket.call("MigrationTarget", 6, "LatestLogTime", params)
    assert latest == "2026-07-01T12:00:05Z"


@pytest.mark.parametrize(
    ("mode", "header", "message"),
    [
        ("importing", {}, 'model migration mode is "importing" instead of ""'),
        ("", {VERSION: ""}, 'initial connection does not have "X-Juju-ClientVersion" header'),
        ("", {MODEL: "x"}, "model not found"),
    ],
)
async def test_a_log_that_is_not_taken(
    scene: Scene, mode: str, header: dict[str, str], message: str
) -> None:
    model = await importing(scene, mode)
    async with log_stream(scene, model, **header) as stream:
        assert (await first(stream))["error"]["message"] == message


async def test_a_log_without_lines_has_no_time(scene: Scene) -> None:
    model = await importing(scene, "")
    async with scene.admin("b") as socket:
        params = {"model-tag": f"model-{model}"}
        latest = await socket.call("MigrationTarget", 6, "LatestLogTime", params)
    assert latest == "0001-01-01T00:00:00Z"


async def test_an_upload_that_is_refused_fails_the_attempt(scene: Scene) -> None:
    model = await scene.create(config={"simulated-applications": "ubuntu:1"})
    scene.fault("b", "phase.target.IMPORT", "delay", seconds=0.0)
    scene.fault("b", "phase.target.IMPORT", "refuse", message="no space left")
    await scene.migrate(model)
    reason = "model data transfer failed, failed to migrate binaries: cannot upload charms: "
    assert scene.reason(model) == f"{reason}no space left"
    assert scene.is_back(model)


async def test_agent_binaries_are_not_sent_for_k8s(scene: Scene) -> None:
    model = await scene.create(config={"simulated-applications": "ubuntu:1"})
    store = scene.controllers["a"].store
    store.put(replace(store.models[model], type="caas"))
    await scene.migrate(model)
    assert scene.model(model, "b").type == "caas"
