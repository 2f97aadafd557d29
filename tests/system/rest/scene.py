"""What the tests of door 3 and of jimmctl share: models that go away again, faults, problems."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from jimm.net.tls import client_context
from tests.eventually import eventually
from tests.fix_dev import Dev

CONTROLLERS = ("controller-1", "controller-2", "controller-3", "controller-4")
"""All of ``dev``; the third runs a newer patch version."""


def problem(answer: httpx.Response, status: int, code: str, field: str = "") -> dict[str, Any]:
    """The problem document of an answer, of which everything but the words is checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["type"], body["status"], body["code"]) == ("about:blank", status, code), body
    assert body["title"]
    assert body["detail"]
    assert body.get("field", "") == field, body
    assert "Traceback" not in answer.text
    assert 'File "' not in answer.text
    assert ("www-authenticate" in answer.headers) == (status == 401)
    return body


@dataclass(frozen=True)
class Made:
    """A model: its name, owner, uuid and the controller it was put on."""

    name: str
    owner: str
    uuid: str
    host: str

    @property
    def reference(self) -> str:
        """``owner/name``."""
        return f"{self.owner}/{self.name}"


@dataclass
class Stage:
    """``dev`` and an administrator's client; what was made here goes with :meth:`clear`."""

    dev: Dev
    admin: httpx.AsyncClient
    made: list[Made] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)

    async def model(self, stem: str = "m", *, owner: str = "alice", on: str = "") -> Made:
        """A new model with two units; ``on`` names its controller."""
        name = f"{stem}-{uuid.uuid4().hex[:8]}"
        params = {
            "name": name,
            "owner-tag": f"user-{owner}",
            "cloud-tag": "cloud-metro",
            "config": {"simulated-applications": "ubuntu:2"},
        }
        async with self._only(on), self.dev.socket(owner) as socket:
            created = await socket.call("ModelManager", 10, "CreateModel", params)
        told = (await self.admin.get(f"/models/{created['uuid']}")).json()
        self.made.append(Made(name, owner, created["uuid"], told["controller-name"]))
        return self.made[-1]

    async def fault(self, controller: str, point: str, action: str, **more: Any) -> None:
        """Makes something go wrong on a controller until the test ends, or :meth:`mend`."""
        self.faulty.add(controller)
        await self._control("POST", controller, {"point": point, "action": action, **more})

    async def mend(self) -> None:
        """Takes out all faults; what they held goes on."""
        for each in self.faulty:
            await self._control("DELETE", each)
        self.faulty.clear()

    async def until(self, migration: str, *, phase: str = "", state: str = "") -> dict[str, Any]:
        """The migration once it is there."""

        async def there() -> dict[str, Any] | None:
            now: dict[str, Any] = (await self.admin.get(f"/migrations/{migration}")).json()
            fits = now["phase"] == phase if phase else now["state"] == state
            return now if fits else None

        found: dict[str, Any] | None = await eventually(there, deadline=60)
        assert found is not None
        return found

    async def over(self, model: str) -> None:
        """Waits until the model is not being moved."""

        async def is_over() -> bool:
            query = {"model": model, "limit": "1"}
            rows = (await self.admin.get("/migrations", params=query)).json()["migrations"]
            return not rows or "ended" in rows[0]

        await eventually(is_over, deadline=60)

    async def clear(self) -> None:
        """Mends all, waits for migrations, destroys the models."""
        await self.mend()
        left = []
        for made in self.made:
            if (await self.admin.get(f"/models/{made.uuid}")).status_code == 404:
                continue
            await self.over(made.uuid)
            left.append({"model-tag": f"model-{made.uuid}", "force": True})
        if left:
            async with self.dev.socket("admin") as socket:
                await socket.call("ModelManager", 10, "DestroyModels", {"models": left})

    @asynccontextmanager
    async def _only(self, controller: str) -> AsyncIterator[None]:
        others = await self._others(controller) if controller else []
        await self._deprecate(others, True)
        try:
            yield
        finally:
            await self._deprecate(others, False)

    async def _others(self, controller: str) -> list[str]:
        known = (await self.admin.get("/controllers")).json()["controllers"]
        return [each["name"] for each in known if each["name"] != controller]

    async def _deprecate(self, controllers: Iterable[str], deprecated: bool) -> None:
        body = {"deprecated": deprecated}
        calls = (self.admin.patch(f"/controllers/{each}", json=body) for each in controllers)
        assert all(each.is_success for each in await asyncio.gather(*calls))

    async def _control(self, method: str, controller: str, body: object = None) -> None:
        told = next(
            each for each in self.dev.described["controllers"] if each["name"] == controller
        )
        authority = Path(told["ca_cert"]).read_text()
        async with httpx.AsyncClient(
            verify=client_context(authority), auth=(told["username"], told["password"])
        ) as client:
            url = f"https://{told['address']}/simulator/faults"
            assert (await client.request(method, url, json=body)).is_success


@asynccontextmanager
async def client_of(dev: Dev, user: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of ``/v1``: with a token of that user's, or with none for no user."""
    async with httpx.AsyncClient(
        base_url=f"https://{dev.address}/v1", verify=client_context(dev.ca), timeout=30
    ) as client:
        if user:
            login = {"username": user, "password": dev.password(user)}
            issued = (await client.post("/tokens", json=login)).json()
            client.headers["Authorization"] = f"Bearer {issued['token']}"
        yield client
