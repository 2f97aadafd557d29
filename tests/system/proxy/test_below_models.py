"""Below a model's path through a whole JIMM: charms, resources, agent binaries and the log, with
every kind of login, as Juju's clients do it."""

import asyncio
import base64
import gc
import io
import itertools
import json
import uuid
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from jimm.net.tls import client_context
from tests.charms import object_path, packed, resource_headers, unpacked
from tests.eventually import eventually
from tests.fix_dev import Dev

with warnings.catch_warnings():
    # libjuju is a guest here: importing it uses what newer websockets deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    from juju.model import Model

ZIP = {"Content-Type": "application/zip"}


@dataclass
class Below:
    """A model of alice's, seen from below its path."""

    dev: Dev
    model: str

    @asynccontextmanager
    async def http(self, *login: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client with this name and password; alice's as libjuju has them by default."""
        auth = login or ("user-alice", self.dev.password("alice"))
        async with httpx.AsyncClient(
            base_url=f"https://{self.dev.address}",
            verify=client_context(self.dev.ca),
            auth=(auth[0], auth[1]),
            timeout=30,
            trust_env=False,
        ) as made:
            yield made

    def path(self, rest: str) -> str:
        """A path below the model's."""
        return f"/model/{self.model}/{rest}"

    @asynccontextmanager
    async def log(
        self, query: str = "", user: str = "alice", **headers: str
    ) -> AsyncIterator[ClientConnection]:
        """The model's log."""
        given = headers or {"Authorization": basic(f"user-{user}", self.dev.password(user))}
        async with connect(
            f"wss://{self.dev.address}{self.path('log')}{query}",
            ssl=client_context(self.dev.ca),
            additional_headers=given,
            compression=None,
            proxy=None,
        ) as connection:
            yield connection

    @asynccontextmanager
    async def rpc(self) -> AsyncIterator[Any]:
        """The raw client on the model."""
        async with self.dev.socket("alice", self.path("api")) as socket:
            yield socket

    async def grant(self, action: str, level: str, user: str = "bob") -> None:
        """Changes what somebody may do with the model."""
        change = {
            "user-tag": f"user-{user}",
            "action": action,
            "access": level,
            "model-tag": f"model-{self.model}",
        }
        async with self.dev.socket("alice") as socket:
            rows = await socket.call("ModelManager", 10, "ModifyModelAccess", {"changes": [change]})
        assert rows == {"results": [{}]}


def basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def token_of(dev: Dev, user: str) -> str:
    """A session token of somebody."""
    login = {"username": user, "password": dev.password(user)}
    with httpx.Client(verify=client_context(dev.ca)) as client:
        answer = client.post(f"https://{dev.address}/v1/tokens", json=login)
    return str(answer.json()["token"])


@pytest.fixture
async def below(dev: Dev) -> AsyncIterator[Below]:
    async with dev.socket("alice") as socket:
        params = {
            "name": f"below-{uuid.uuid4().hex[:8]}",
            "owner-tag": "user-alice",
            "config": {"simulated-applications": "app:1"},
        }
        model = (await socket.call("ModelManager", 10, "CreateModel", params))["uuid"]
        yield Below(dev, model)
        destroy = {"models": [{"model-tag": f"model-{model}"}]}
        await socket.call("ModelManager", 10, "DestroyModels", destroy)


async def test_both_ways_to_upload_a_charm(below: Below) -> None:
    archive = packed()
    async with below.http() as http:
        told = await http.put(
            object_path(below.model, archive),
            content=archive,
            headers=ZIP | {"Juju-Curl": "local:tiny-0"},
        )
        assert (told.status_code, told.headers["juju-curl"]) == (200, "local:tiny-0"), told.text
        told = await http.post(
            below.path("charms"), content=archive, headers=ZIP, params={"revision": "5"}
        )
        assert told.json() == {"charm-url": "local:tiny-5"}
        query = {"url": "local:tiny-5", "file": "*"}
        assert (await http.get(below.path("charms"), params=query)).content == archive
    async with below.rpc() as socket:
        info = await socket.call("Charms", 7, "CharmInfo", {"url": "local:tiny-5"})
        assert info["meta"]["name"] == "tiny"


async def test_a_large_resource_passes_whole(below: Below) -> None:
    data = bytes(range(256)) * 4096 * 24
    async with below.rpc() as socket:
        wanted = {
            "tag": "application-app",
            "url": "",
            "charm-origin": {"source": "local", "type": "charm", "id": ""},
            "macaroon": None,
            "resources": [{"name": "data", "type": "file", "path": "a.bin", "origin": "upload"}],
        }
        reply = await socket.call("Resources", 3, "AddPendingResources", wanted)
    query = {"pendingid": reply["pending-ids"][0]}
    async with below.http() as http:
        told = await http.put(
            below.path("applications/app/resources/data"),
            content=data,
            params=query,
            headers=resource_headers(data, "a.bin"),
        )
    assert told.status_code == 200, told.text
    assert told.json()["resource"]["size"] == len(data)


async def test_agent_binaries_are_an_administrator_s(below: Below, dev: Dev) -> None:
    upload: dict[str, Any] = {
        "params": {"binaryVersion": "3.6.9-ubuntu-amd64"},
        "content": b"tar",
        "headers": {"Content-Type": "application/x-tar-gz"},
    }
    async with below.http() as http:
        assert (await http.post(below.path("tools"), **upload)).status_code == 200
    await below.grant("grant", "write")
    async with below.http("user-bob", dev.password("bob")) as http:
        assert (await http.post(below.path("tools"), **upload)).status_code == 403


async def test_every_kind_of_login(below: Below, dev: Dev) -> None:
    path, query = below.path("charms"), {"url": "ch:none-1"}
    token = await asyncio.to_thread(token_of, dev, "alice")
    for login in [("user-alice", dev.password("alice")), ("", token)]:
        async with below.http(*login) as http:
            assert (await http.get(path, params=query)).status_code == 404, login
    for login in [("user-alice", "wrong"), ("", "wrong"), ("alice", ""), ("x@serviceaccount", "y")]:
        async with below.http(*login) as http:
            told = await http.get(path, params=query)
        assert told.status_code == 401, login
        assert told.headers["www-authenticate"] == 'Basic realm="juju"'
        assert told.headers["content-type"] == "application/json"
    async with httpx.AsyncClient(
        base_url=f"https://{dev.address}",
        verify=client_context(dev.ca),
        cookies={"jimm-browser-session": token},
    ) as http:
        assert (await http.get(path, params=query)).status_code == 404
        foreign = {"Origin": "https://elsewhere.example"}
        assert (await http.get(path, params=query, headers=foreign)).status_code == 401


async def test_a_service_account_s_id_and_secret(below: Below, dev: Dev) -> None:
    made = await asyncio.to_thread(dev.asked, "add-service-account", f"up-{uuid.uuid4().hex[:8]}")
    client_id, secret = made["client-id"], made["client-secret"]
    assert made["identity"] == f"{client_id}@serviceaccount"
    await below.grant("grant", "write", made["identity"])
    archive = packed()
    async with below.http(client_id, secret) as http:
        told = await http.post(below.path("charms"), content=archive, headers=ZIP)
        assert told.status_code == 200, told.text


async def test_who_may_read_may_not_upload_and_others_know_of_nothing(
    below: Below, dev: Dev
) -> None:
    archive = packed()
    bob = ("user-bob", dev.password("bob"))
    async with below.http(*bob) as http:
        told = await http.post(below.path("charms"), content=archive, headers=ZIP)
        assert (told.status_code, told.json()["error-code"]) == (404, "model not found")
        await below.grant("grant", "read")
        told = await http.post(below.path("charms"), content=archive, headers=ZIP)
        assert (told.status_code, told.json()["error-code"]) == (403, "forbidden")
        told = await http.get(below.path("charms"), params={"url": "ch:none-1"})
        assert told.json()["error-code"] == "not found"
        await below.grant("grant", "write")
        told = await http.post(below.path("charms"), content=archive, headers=ZIP)
        assert told.status_code == 200


@pytest.mark.parametrize(
    ("method", "rest", "status"),
    [
        ("GET", "commands", 404),
        ("POST", "commands", 404),
        ("GET", "backups", 404),
        ("DELETE", "charms", 405),
        ("PUT", "tools", 405),
        ("GET", "charms/..%2fapi", 400),
        ("GET", "%2e%2e/charms", 400),
        ("GET", "charms%00", 400),
        ("GET", "log", 400),
    ],
)
async def test_nothing_else_is_there(below: Below, method: str, rest: str, status: int) -> None:
    async with below.http() as http:
        url = httpx.URL(f"https://{below.dev.address}").copy_with(
            raw_path=below.path(rest).encode()
        )
        told = await http.request(method, url)
    assert told.status_code == status
    assert told.headers["content-type"] == "application/json"


async def test_the_log_follows_the_model(below: Below) -> None:
    async with below.log("?replay=true") as log, below.rpc() as socket:
        assert await log.recv() == "{}\n"
        async with asyncio.timeout(20):
            deploy = {
                "application": "late",
                "charm-url": "ch:ubuntu",
                "num-units": 1,
                "channel": "stable",
            }
            await socket.call("Application", 20, "Deploy", {"applications": [deploy]})
            seen: list[dict[str, Any]] = []
            while not any("deployed late" in each["msg"] for each in seen):
                seen.append(json.loads(await log.recv()))
    assert any("deployed app" in each["msg"] for each in seen)
    assert all(set(each) >= {"tag", "ts", "sev", "mod", "loc", "msg"} for each in seen)


async def test_the_log_is_for_those_who_may_read_and_ends_with_that(below: Below, dev: Dev) -> None:
    async with below.log(user="bob") as log:
        error = json.loads(await log.recv())["error"]
    assert error == {"message": f'unknown model: "{below.model}"', "code": "model not found"}
    async with below.log(Authorization=basic("user-alice", "wrong")) as log:
        assert json.loads(await log.recv())["error"]["code"] == "unauthorized access"
    token = await asyncio.to_thread(token_of, dev, "alice")
    async with below.log(Authorization=basic("", token)) as log:
        assert await log.recv() == "{}\n"
    await below.grant("grant", "read")
    async with below.log(user="bob") as log:
        assert await log.recv() == "{}\n"
        await below.grant("revoke", "read")
        assert [message async for message in log if message == "{}\n"] == []
        assert log.close_code == 1001


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_libjuju_deploys_a_local_charm_with_a_resource(
    dev: Dev, below: Below, tmp_path: Path
) -> None:
    folder = unpacked(tmp_path)
    data = tmp_path / "data.txt"
    data.write_text("to be served")
    async with dev.libjuju() as controller:
        model = await controller.get_model(below.model)
        try:
            await model.deploy(
                str(folder), application_name="tiny", resources={"data": str(data)}, series="noble"
            )
            async with asyncio.timeout(20):
                await model.block_until(lambda: "tiny/0" in model.units)
            assert model.applications["tiny"].data["charm-url"].startswith("local:")
            (found,) = (await model.applications["tiny"].get_resources()).values()
            assert (found.name, found.size) == ("data", len("to be served"))
        finally:
            await model.disconnect()
    gc.collect()  # libjuju leaves its connections to be found; let it be here
    async with below.http() as http:
        told = await http.get(below.path("applications/tiny/resources/data"))
    assert told.text == "to be served"


async def test_libjuju_reads_the_log(dev: Dev, below: Below) -> None:
    """As ``Model.debug_log`` does, with the login given in place of the juju client's files."""
    target = io.StringIO()
    params = {
        "no_tail": False,
        "exclude_module": [],
        "include_module": [],
        "include": [],
        "level": "",
        "limit": 1_000_000,
        "lines": 10,
        "exclude": [],
    }
    login = {
        "endpoint": dev.address,
        "uuid": below.model,
        "username": "alice",
        "password": dev.password("alice"),
        "cacert": dev.ca,
    }
    model = Model()
    await model.connect(**login)
    await model.connect(**login, debug_log_conn=target, debug_log_params=params)
    try:
        async with below.rpc() as socket:
            numbers = itertools.count()

            async def is_told() -> bool:
                # Lines from before the controller has opened the log are not told.
                deploy = {
                    "application": f"spoken-{chr(ord('a') + next(numbers))}",
                    "charm-url": "ch:ubuntu",
                    "num-units": 0,
                    "channel": "",
                }
                await socket.call("Application", 20, "Deploy", {"applications": [deploy]})
                return "spoken" in target.getvalue()

            assert await eventually(is_told, interval=0.5)
    finally:
        await model.disconnect()


async def test_a_token_s_and_a_password_s_controller_alike(dev: Dev) -> None:
    """Each simulated controller takes an upload, however it trusts JIMM."""
    names = [each["name"] for each in dev.described["controllers"]]
    assert len(names) > 1
    archive = packed()
    async with dev.socket("admin") as socket:
        for name in names:
            params = {
                "name": f"on-{name}-{uuid.uuid4().hex[:6]}",
                "owner-tag": "user-admin",
                "target-controller": name,
            }
            model = (await socket.call("ModelManager", 10, "CreateModel", params))["uuid"]
            below = Below(dev, model)
            async with below.http("user-admin", dev.password("admin")) as http:
                told = await http.post(below.path("charms"), content=archive, headers=ZIP)
            assert told.status_code == 200, told.text
            destroy = {"models": [{"model-tag": f"model-{model}"}]}
            await socket.call("ModelManager", 10, "DestroyModels", destroy)
