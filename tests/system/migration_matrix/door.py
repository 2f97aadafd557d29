"""A simulated controller's own door for faults, and what its administrator sees."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from jimm.net.tls import client_context
from tests.eventually import eventually
from tests.juju_client import Registration, logged_in


@dataclass
class Door:
    """``told`` is the registration; the client is made anew when the controller is."""

    told: Mapping[str, Any]
    _client: httpx.AsyncClient | None = field(default=None, repr=False)

    async def add(self, model: str = "", **spec: Any) -> int:
        """Puts a fault in; its id."""
        answer = await self._open().post("/simulator/faults", json={**spec, "model": model})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    async def waiting(self) -> dict[int, int]:
        """The faults that wait, and how often each still strikes."""
        rows = (await self._open().get("/simulator/faults")).json()
        return {row["id"]: row.get("times", 1) for row in rows}

    async def clear(self, fault_id: int | None = None) -> None:
        """Takes a fault out, or all; whatever it held goes on."""
        which = "" if fault_id is None else f"/{fault_id}"
        await self._open().delete(f"/simulator/faults{which}")

    async def is_open(self) -> bool:
        """Whether the controller answers."""
        try:
            await self.waiting()
        except httpx.TransportError:
            return False
        return True

    async def reopen(self) -> None:
        """Waits for a controller that was started again."""
        await self.aclose()
        await eventually(self.is_open, deadline=60, interval=0.1)

    async def aclose(self) -> None:
        """Ends the client."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    @asynccontextmanager
    async def _called(self) -> AsyncIterator[Any]:
        async with logged_in(Registration.of(self.told)) as socket:
            yield socket

    async def info(self, model: str) -> Mapping[str, Any]:
        """A model's ``ModelInfo``."""
        params = {"entities": [{"tag": f"model-{model}"}]}
        async with self._called() as socket:
            row = (await socket.call("ModelManager", 10, "ModelInfo", params))["results"][0]
        found: Mapping[str, Any] = row["result"]
        return found

    async def models(self) -> set[str]:
        """Every model that it has anything of."""
        async with self._called() as socket:
            rows = (await socket.call("Controller", 12, "AllModels"))["user-models"]
        return {str(row["model"]["uuid"]) for row in rows}

    async def moving(self) -> set[str]:
        """The models whose attempt is not over. Not asked by ``ModelInfo``: faults wait there."""
        params = {"user-tag": f"user-{self.told['username']}", "all": True}
        async with self._called() as socket:
            rows = (await socket.call("ModelManager", 10, "ListModelSummaries", params))["results"]
        found = (row["result"] for row in rows)
        return {
            str(each["uuid"])
            for each in found
            if each.get("migration") and not each["migration"].get("end")
        }

    async def destroy(self, model: str) -> None:
        """Has a model gone, and waits until it is."""
        row = {"model-tag": f"model-{model}", "destroy-storage": True, "force": True}
        async with self._called() as socket:
            answer = await socket.call("ModelManager", 10, "DestroyModels", {"models": [row]})
        assert not answer["results"][0].get("error"), answer

        async def is_gone() -> bool:
            return model not in await self.models()

        await eventually(is_gone, deadline=30, interval=0.1)

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=f"https://{self.told['api-addresses'][0]}",
                verify=client_context(self.told["ca-certificate"]),
                auth=(self.told["username"], self.told["password"]),
                timeout=60,
            )
        return self._client
