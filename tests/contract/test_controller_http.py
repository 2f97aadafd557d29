"""What a controller serves over HTTP below a model's path: charms, resources, tools, the log."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from jimm.net.tls import client_context
from tests.charms import object_path, packed, resource_headers
from tests.contract.test_controller_models import create, fresh_name
from tests.eventually import eventually
from tests.fix_simulator import SimulatorFactory
from tests.juju_client import Registration, Socket, logged_in
from tests.key_server import KeyServer

ZIP = {"Content-Type": "application/zip"}
ORIGIN = {"source": "charm-hub", "type": "charm", "id": ""}


class Below:
    """A controller with a model, seen from below the model's path."""

    def __init__(self, controller: Registration, model: str, socket: Socket) -> None:
        self.controller = controller
        self.model = model
        self.socket = socket

    async def http(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request as the administrator, or with another ``login``."""
        headers = {"Authorization": options.pop("login", basic(self.controller))}
        headers |= options.pop("headers", {})
        async with httpx.AsyncClient(
            base_url=f"https://{self.controller.address}",
            verify=client_context(self.controller.ca),
            trust_env=False,
        ) as made:
            extensions = {"sni_hostname": "juju-apiserver"}
            return await made.request(
                method, path, headers=headers, extensions=extensions, **options
            )

    def path(self, rest: str) -> str:
        """A path below the model's."""
        return f"/model/{self.model}/{rest}"

    @asynccontextmanager
    async def log(self, query: str = "", login: str = "") -> AsyncIterator[ClientConnection]:
        """The model's log."""
        async with connect(
            f"wss://{self.controller.address}{self.path('log')}{query}",
            ssl=client_context(self.controller.ca),
            server_hostname="juju-apiserver",
            additional_headers={"Authorization": login or basic(self.controller)},
            compression=None,
            proxy=None,
        ) as connection:
            yield connection

    async def upload(self, archive: bytes, url: str = "local:tiny-0") -> httpx.Response:
        """The charm, as clients of 3.6 and 4.0 upload it."""
        headers = ZIP | {"Juju-Curl": url}
        path = object_path(self.model, archive)
        return await self.http("PUT", path, content=archive, headers=headers)


@asynccontextmanager
async def below_on(controller: Registration) -> AsyncIterator[Below]:
    async with logged_in(controller) as admin:
        model = (await create(admin, fresh_name()))["uuid"]
        async with logged_in(controller, f"/model/{model}/api") as socket:
            yield Below(controller, model, socket)


@pytest.fixture
async def below(controller: Registration) -> AsyncIterator[Below]:
    async with below_on(controller) as made:
        yield made


def basic(controller: Registration, user: str = "", password: str = "") -> str:
    pair = f"{user or f'user-{controller.user}'}:{password or controller.password}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


async def test_a_charm_gets_a_url_and_comes_back(below: Below) -> None:
    archive = packed()
    told = await below.upload(archive)
    assert (told.status_code, told.headers["juju-curl"]) == (200, "local:tiny-0")
    assert told.json() == {"charm-url": "local:tiny-0"}
    assert (await below.upload(archive)).headers["juju-curl"] == "local:tiny-1"
    query = {"url": "local:tiny-0", "file": "*"}
    again = await below.http("GET", below.path("charms"), params=query)
    assert again.content == archive
    query = {"url": "local:tiny-0", "file": "config.yaml"}
    assert b"port" in (await below.http("GET", below.path("charms"), params=query)).content
    listed = await below.http("GET", below.path("charms"), params={"url": "local:tiny-0"})
    assert "metadata.yaml" in listed.json()["files"]


async def test_the_older_way_to_upload_one(below: Below) -> None:
    content = packed("tiny-main/")
    told = await below.http("POST", below.path("charms"), content=content, headers=ZIP)
    assert told.json() == {"charm-url": "local:tiny-0"}
    query = {"series": "jammy", "schema": "local", "revision": "7"}
    told = await below.http(
        "POST", below.path("charms"), content=content, headers=ZIP, params=query
    )
    assert told.json() == {"charm-url": "local:jammy/tiny-7"}


async def test_what_is_no_charm_is_refused(below: Below) -> None:
    told = await below.upload(b"no zip")
    assert (told.status_code, told.json()["error-code"]) == (400, "bad request")
    told = await below.http("PUT", object_path(below.model, packed()), content=packed())
    assert "expected Content-Type: application/zip" in told.json()["error"]
    path = object_path(below.model, b"something else")
    headers = ZIP | {"Juju-Curl": "local:tiny-0"}
    told = await below.http("PUT", path, content=packed(), headers=headers)
    assert "does not match sha in url" in told.json()["error"]
    told = await below.http("GET", below.path("charms"), params={"url": "local:other-1"})
    assert (told.status_code, told.json()["error-code"]) == (404, "not found")


async def test_a_charm_says_what_is_in_it(below: Below) -> None:
    await below.upload(packed())
    info = await below.socket.call("Charms", 7, "CharmInfo", {"url": "local:tiny-0"})
    assert (info["url"], info["revision"]) == ("local:tiny-0", 0)
    assert info["config"]["port"] == {"type": "int", "default": 80, "description": "The port."}
    assert info["meta"]["requires"]["db"]["interface"] == "pgsql"
    assert info["meta"]["provides"]["website"]["interface"] == "http"
    assert info["meta"]["resources"]["data"]["path"] == "data.txt"
    assert info["actions"]["specs"]["backup"]["description"] == "Back it up."
    assert (
        "local:tiny-0"
        in (await below.socket.call("Charms", 7, "List", {"names": []}))["charm-urls"]
    )


async def test_a_charm_of_the_store_is_resolved_and_added(below: Below) -> None:
    wanted = {"resolve": [{"reference": "ch:ubuntu", "charm-origin": ORIGIN}]}
    (row,) = (await below.socket.call("Charms", 7, "ResolveCharms", wanted))["results"]
    assert row["url"].startswith("ch:amd64/ubuntu-")
    assert row["supported-bases"]
    (old,) = (await below.socket.call("Charms", 6, "ResolveCharms", wanted))["results"]
    assert "noble" in old["supported-series"]
    adding = {"url": row["url"], "charm-origin": row["charm-origin"], "force": False}
    added = await below.socket.call("Charms", 7, "AddCharm", adding)
    assert added["charm-origin"]["revision"] == row["charm-origin"]["revision"]
    told = await below.socket.call("Charms", 7, "CharmInfo", {"url": row["url"]})
    assert told["meta"]["name"] == "ubuntu"


async def test_a_resource_waits_for_its_application(below: Below) -> None:
    await below.upload(packed())
    wanted = {
        "tag": "application-app",
        "url": "local:tiny-0",
        "charm-origin": {"source": "local", "type": "charm", "id": ""},
        "macaroon": None,
        "resources": [
            {
                "name": "data",
                "type": "file",
                "path": "data.txt",
                "origin": "upload",
                "revision": 0,
                "fingerprint": "",
                "size": 0,
            }
        ],
    }
    (pending,) = (await below.socket.call("Resources", 3, "AddPendingResources", wanted))[
        "pending-ids"
    ]
    data = b"to be served"
    path = below.path("applications/app/resources/data")
    query = {"pendingid": pending}
    told = await below.http("PUT", path, content=data, params=query, headers=resource_headers(data))
    assert told.status_code == 200, told.text
    stored = told.json()["resource"]
    assert (stored["application"], stored["name"], stored["size"]) == ("app", "data", len(data))
    told = await below.http(
        "PUT", path, content=data, params=query, headers=resource_headers(data, "data.exe")
    )
    assert "incorrect extension" in told.json()["error"]["message"]
    told = await below.http(
        "PUT", path, content=data, params=query, headers=resource_headers(b"other")
    )
    assert told.status_code == 500
    told = await below.http(
        "PUT", path, content=data, params={"pendingid": "x"}, headers=resource_headers(data)
    )
    assert told.status_code == 404


async def test_resources_of_an_application_are_listed_and_fetched(below: Below) -> None:
    await below.upload(packed())
    deploy = {"application": "app", "charm-url": "local:tiny-0", "num-units": 1, "channel": ""}
    await below.socket.call("Application", 20, "Deploy", {"applications": [deploy]})
    path = below.path("applications/app/resources/data")
    assert (await below.http("GET", path)).status_code == 404
    data = b"served"
    told = await below.http("PUT", path, content=data, headers=resource_headers(data))
    assert told.json()["resource"]["revision"] == 0
    assert (await below.http("GET", path)).content == data
    asked = {"entities": [{"tag": "application-app"}, {"tag": "application-none"}]}
    rows = (await below.socket.call("Resources", 3, "ListResources", asked))["results"]
    fingerprint = base64.b64decode(rows[0]["resources"][0]["fingerprint"]).hex()
    assert fingerprint == resource_headers(data)["Content-Sha384"]
    assert len(rows[0]["charm-store-resources"]) == len(rows[0]["resources"]) == 1
    assert rows[1]["error"]["code"] == "not found"


async def test_agent_binaries_are_taken(below: Below) -> None:
    query = {"binaryVersion": "3.6.9-ubuntu-amd64"}
    headers = {"Content-Type": "application/x-tar-gz"}
    told = await below.http(
        "POST", below.path("tools"), content=b"x", params=query, headers=headers
    )
    assert told.json()["tools"][0]["version"] == "3.6.9-ubuntu-amd64"
    assert (await below.http("POST", below.path("tools"), content=b"x")).status_code == 400


async def test_who_may(below: Below, controller: Registration) -> None:
    assert (await below.http("GET", below.path("charms"), login="")).status_code == 401
    wrong = basic(controller, password="wrong")
    assert (await below.http("GET", below.path("charms"), login=wrong)).status_code == 401
    unknown = f"/model/{controller.uuid}/charms"
    assert (await below.http("GET", unknown)).status_code == 404
    assert (await below.http("GET", "/model/x/charms")).status_code == 400
    async with below.log(login=wrong) as log:
        first = json.loads(await log.recv())
    assert first["error"]["code"] == "unauthorized access"


@pytest.mark.parametrize(
    ("version", "claims", "status"),
    [
        ("3.6.9", {"controller": "login", "model": "admin"}, 403),
        ("3.6.9", {"controller": "superuser"}, 404),
        ("3.6.26", {"controller": "login", "model": "read"}, 404),
        ("3.6.26", {"controller": "login"}, 403),
    ],
)
async def test_a_token_s_level_counts_since_3_6_24(
    simulator: SimulatorFactory,
    key_server: KeyServer,
    version: str,
    claims: dict[str, str],
    status: int,
) -> None:
    made = await simulator(
        name="t", version=version, jwks_url=key_server.url, jwks_ca=key_server.ca_file
    )
    controller = Registration.of(made.registration())
    async with below_on(controller) as below:
        names = {"controller": f"controller-{controller.uuid}", "model": f"model-{below.model}"}
        access = {names[key]: value for key, value in claims.items()}
        token = base64.b64encode(key_server.token("alice@jimm", access).encode()).decode()
        query = {"url": "local:none-1"}
        told = await below.http("GET", below.path("charms"), params=query, login=f"Bearer {token}")
        assert told.status_code == status


async def test_the_log_shows_what_was_and_what_comes(below: Below) -> None:
    deploy = {"application": "app", "charm-url": "ch:ubuntu", "num-units": 1, "channel": "stable"}
    await below.socket.call("Application", 20, "Deploy", {"applications": [deploy]})
    async with below.log("?replay=true") as log:
        assert await log.recv() == "{}\n"
        async with asyncio.timeout(10):
            line = json.loads(await log.recv())
            assert {"tag", "ts", "sev", "mod", "loc", "msg"} <= set(line)
            while "workload status is active" not in line["msg"]:
                line = json.loads(await log.recv())
            assert line["tag"] == "unit-app-0"
            second = {**deploy, "application": "other"}
            await below.socket.call("Application", 20, "Deploy", {"applications": [second]})
            while "deployed other" not in line["msg"]:
                line = json.loads(await log.recv())


async def test_the_log_is_filtered_and_may_end(below: Below) -> None:
    deploy = {"application": "app", "charm-url": "ch:ubuntu", "num-units": 2, "channel": "stable"}
    await below.socket.call("Application", 20, "Deploy", {"applications": [deploy]})

    async def settled() -> list[dict[str, Any]]:
        found = await lines(below, "?noTail=true&replay=true")
        return found if str(found).count("workload status is active") == 2 else []

    everything = await eventually(settled)
    units = await lines(below, "?noTail=true&replay=true&includeEntity=unit-app-*")
    assert {each["tag"] for each in units} == {"unit-app-0", "unit-app-1"}
    rest = await lines(below, "?noTail=true&replay=true&excludeEntity=unit-app-*")
    assert not {each["tag"] for each in rest} & {"unit-app-0", "unit-app-1"}
    assert everything
    assert rest
    assert len(await lines(below, "?noTail=true&backlog=1")) == 1
    more = len(everything) + len(everything) // 2
    assert await lines(below, f"?noTail=true&backlog={more}") == everything
    assert await lines(below, "?replay=true&maxLines=2") == everything[:2]
    assert await lines(below, "?noTail=true&replay=true&level=ERROR") == []
    assert await lines(below, "?noTail=true&replay=true&startTime=2999-01-01T00:00:00Z") == []
    some = await lines(below, "?noTail=true&replay=true&includeModule=juju.apiserver")
    assert {each["tag"] for each in some} == {"controller-0"}


@pytest.mark.parametrize("query", ["level=LOUD", "backlog=many", "noTail=perhaps", "startTime=now"])
async def test_a_log_that_cannot_be_is_refused(below: Below, query: str) -> None:
    async with below.log(f"?{query}") as log:
        error = json.loads(await log.recv())["error"]
    assert query.partition("=")[2] in error["message"]
    assert error["code"] == ""


async def lines(below: Below, query: str) -> list[Any]:
    """All lines of a log that ends."""
    found = []
    async with below.log(query) as log, asyncio.timeout(10):
        assert await log.recv() == "{}\n"
        try:
            while True:
                found.append(json.loads(await log.recv()))
        except ConnectionClosed:
            return found
