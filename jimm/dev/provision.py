"""What a fresh ``jimm dev`` is given: users, controllers, a credential. Safe to do again."""

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from jimm import accounts
from jimm.controllers.calls import cloud as cloud_calls
from jimm.controllers.dial import dial
from jimm.controllers.endpoint import Endpoint
from jimm.dev.processes import Running, ready
from jimm.dev.state import USERS
from jimm.errors import AlreadyExists, ConfigurationError
from jimm.net.tls import client_context
from jimm.registry.authority import own_authority
from jimm.registry.crypto import Sealer, load_keys
from jimm.registry.session import Registry
from jimm.settings import Settings
from jimm.wire.params.admin import LoginRequest
from jimm.wire.params.cloud import CloudCredential
from jimm.wire.tags import ControllerUUID, CredentialId, user_tag


@dataclass(frozen=True, slots=True)
class Registered:
    """A simulated controller as it registered itself, and its process."""

    registration: Mapping[str, Any]
    controller: Mapping[str, Any]
    pid: int


@dataclass(frozen=True, slots=True)
class Owner:
    """A user who is given a credential."""

    name: str
    password: str = field(repr=False)


class Rest:
    """JIMM's REST door, as its administrator."""

    def __init__(self, address: str, ca: str, password: str) -> None:
        self._password = password
        self._client = httpx.AsyncClient(
            base_url=f"https://{address}", verify=client_context(ca), timeout=30, trust_env=False
        )
        self._token_id = ""

    async def __aenter__(self) -> "Rest":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def is_up(self) -> bool:
        """Whether JIMM is ready."""
        try:
            return (await self._client.get("/readyz")).status_code == 200
        except httpx.TransportError:
            return False

    async def log_in(self) -> None:
        """Takes a token for what follows.

        Raises:
            ConfigurationError: somebody gave the administrator another password.
        """
        login = {"username": "admin", "password": self._password, "name": "jimm dev"}
        answer = await self._client.post("/v1/tokens", json=login)
        if answer.is_error:
            raise ConfigurationError(
                f"user admin can't log in ({answer.json()['detail']}): jimm dev knows the password "
                "in kept.json, so give that one back with `jimm user passwd admin`"
            )
        issued = answer.json()
        self._token_id = issued["id"]
        self._client.headers["Authorization"] = f"Bearer {issued['token']}"

    async def log_out(self) -> None:
        """Gives the token back."""
        await self._ask("DELETE", f"/v1/tokens/{self._token_id}", None)

    async def get(self, path: str) -> Any:
        """A GET that must succeed."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: object) -> Any:
        """A POST that must succeed."""
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: object) -> Any:
        answer = await self._client.request(method, path, json=body)
        if answer.is_error:
            raise ConfigurationError(f"{method} {path}: {answer.json()['detail']}")
        return answer.json()


async def authority(environment: Mapping[str, str]) -> str:
    """The PEM of JIMM's certificate authority, made if JIMM has not been faster."""
    settings = settings_of(environment)
    sealer = Sealer(*load_keys(settings.secret_key_file))
    registry = Registry(settings.database_url.get_secret_value(), pool_size=1)
    try:
        return (await own_authority(registry, sealer)).certificate_pem
    finally:
        await registry.aclose()


async def users(environment: Mapping[str, str], passwords: Mapping[str, str]) -> None:
    """The users, if they are not there yet."""
    for name in USERS:
        try:
            await accounts.add(
                settings_of(environment), name, passwords[name], admin=name == "admin"
            )
        except AlreadyExists:
            continue


async def controller(running: Running, folder: Path, rest: Rest, deadline: float) -> Registered:
    """Waits for a simulator and registers it, unless it is registered already."""
    file = folder / f"{running.program.name}.yaml"

    async def is_up() -> bool:
        return file.exists()

    await ready(running, is_up, deadline=deadline)
    registration = yaml.safe_load(file.read_text())
    known = {each["uuid"]: each for each in (await rest.get("/v1/controllers"))["controllers"]}
    found = known.get(registration["uuid"]) or await rest.post("/v1/controllers", registration)
    return Registered(registration, await _available(found, rest, deadline), running.pid)


async def _available(found: Mapping[str, Any], rest: Rest, deadline: float) -> Mapping[str, Any]:
    """Waits until JIMM has its link: after a restart it takes a moment."""
    end = time.monotonic() + deadline
    while found["status"]["status"] == "unavailable" and time.monotonic() < end:
        await asyncio.sleep(0.05)
        found = await rest.get(f"/v1/controllers/{found['name']}")
    return found


async def credential(address: str, ca: str, uuid: str, owner: Owner, cloud: str) -> None:
    """A user's credential, put in as a client would, over JIMM's own ``/api``; once."""
    endpoint = Endpoint("jimm", ControllerUUID(uuid), (address,), ca)
    login = LoginRequest(
        auth_tag=user_tag(owner.name), credentials=owner.password, nonce="", user_data=""
    )
    link = await dial(endpoint, login)
    link.start()
    async with link:
        name = CredentialId(cloud, owner.name, owner.name)
        if name in await cloud_calls.user_credentials(link, owner.name, cloud):
            return
        attributes = {"username": owner.name, "password": secrets.token_urlsafe(12)}
        secret = CloudCredential(auth_type="userpass", attrs=attributes)
        await cloud_calls.update_credential(link, name, secret)


def describe(
    address: str,
    ca_file: Path,
    uuid: str,
    passwords: Mapping[str, str],
    controllers: list[Registered],
) -> dict[str, Any]:
    """The text of ``dev.json``, but for the process ids."""
    return {
        "address": address,
        "rest": f"https://{address}/v1",
        "ca_cert": str(ca_file),
        "jimm_uuid": uuid,
        "users": [
            {"name": name, "password": passwords[name], "admin": name == "admin"} for name in USERS
        ],
        "controllers": [_controller(each, ca_file.parent) for each in controllers],
    }


def as_json(description: Mapping[str, Any]) -> str:
    """The description as it is written."""
    return json.dumps(description, indent=2) + "\n"


def settings_of(environment: Mapping[str, str]) -> Settings:
    """The settings that ``jimm serve`` will read from this environment."""
    values = {key.removeprefix("JIMM_").lower(): value for key, value in environment.items()}
    return Settings.model_validate(values)


def _controller(each: Registered, folder: Path) -> dict[str, Any]:
    name = each.registration["name"]
    ca_file = folder / f"{name}.crt"
    ca_file.write_text(each.registration["ca-certificate"])
    return {
        "name": name,
        "uuid": each.registration["uuid"],
        "address": each.registration["api-addresses"][0],
        "ca_cert": str(ca_file),
        "username": each.registration["username"],
        "password": each.registration["password"],
        "cloud": each.controller["cloud-tag"].removeprefix("cloud-"),
        "region": each.controller["cloud-region"],
        "agent_version": each.controller["agent-version"],
        "pid": each.pid,
    }
