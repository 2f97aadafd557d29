"""Sends what a client sent, and reads each reply as the client would."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
from websockets.asyncio.client import connect

from jimm.net.tls import client_context
from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.juju_client import Socket, dialled
from tests.juju_schema import Schema
from tests.system.conversations import demands, device
from tests.system.conversations.conversation import (
    Conversation,
    Expected,
    Step,
    client_facades,
    filled,
)

LOGINS = (
    "Login",
    "LoginWithSessionToken",
    "LoginWithClientCredentials",
    "LoginWithSessionCookie",
)


@dataclass
class Open:
    """One socket of the conversation: its model, empty on ``/api``, and what it offers."""

    socket: Socket
    model: str
    facades: dict[str, list[int]] = field(default_factory=dict)


@asynccontextmanager
async def performance(
    dev: Dev, conversation: Conversation, names: dict[str, str], schema: Schema
) -> AsyncIterator["Performance"]:
    """Where a conversation is held; its sockets are closed afterwards."""
    async with AsyncExitStack() as stack:
        yield Performance(dev, conversation, names, schema, stack)


class Performance:
    """One conversation under way."""

    def __init__(
        self,
        dev: Dev,
        conversation: Conversation,
        names: dict[str, str],
        schema: Schema,
        stack: AsyncExitStack,
    ) -> None:
        self._dev = dev
        self._conversation = conversation
        self._names = names
        self._schema = schema
        self._stack = stack
        self._sockets: dict[int, Open] = {}

    async def run(self) -> None:
        """Every step in its order.

        Raises:
            AssertionError: the client would not have gone on.
        """
        for step in self._conversation.steps:
            if step.stream:
                await self._stream(filled(step.stream, self._names))
            elif step.http:
                await self._upload(filled(step.http, self._names))
            else:
                await self._call(step)

    async def _call(self, step: Step) -> None:
        where = await self._open(step.socket)
        asked = filled(step.request, self._names)
        version = self._version(where, asked)

        async def reply() -> dict[str, Any]:
            return await where.socket.send(
                asked["type"], version, asked["request"], asked["params"]
            )

        if step.expect.until:
            await eventually(lambda: self._has_come(reply(), step.expect.until))
            return
        if asked["request"] == "GetDeviceSessionToken":  # it waits for somebody to confirm
            confirming = device.confirm(
                self._dev, self._names["user-code"], self._conversation.user
            )
            told, _ = await asyncio.gather(reply(), confirming)
        else:
            told = await reply()
        self._judge(where, step, version, asked, told)

    async def _open(self, number: int) -> Open:
        if number not in self._sockets:
            path = filled(self._conversation.sockets[number], self._names)
            headers = {"X-Juju-ClientVersion": self._conversation.version}
            if self._conversation.version.startswith("3."):
                headers = {}
            dialling = dialled(self._dev.registration(), path, headers=headers)
            socket = await self._stack.enter_async_context(dialling)
            model = path.split("/")[2] if path.startswith("/model/") else ""
            self._sockets[number] = Open(socket, model)
        return self._sockets[number]

    def _version(self, where: Open, asked: Mapping[str, Any]) -> int:
        """The recorded version if it is offered, else the highest that both sides know."""
        if asked["type"] == "Admin":
            return int(asked["version"])
        offered = where.facades.get(asked["type"], [])
        known = client_facades(self._conversation.client).get(asked["type"], [asked["version"]])
        common = set(offered) & set(known)
        return max(common, default=0)

    def _judge(
        self,
        where: Open,
        step: Step,
        version: int,
        asked: Mapping[str, Any],
        reply: dict[str, Any],
    ) -> None:
        method = f"{asked['type']}({version}).{asked['request']}"
        assert "response" in reply, (method, reply)
        refusals = demands.codes(reply)
        if step.expect.error:
            self._judge_refusal(method, step.expect, refusals)
            return
        unexpected = [each for each in refusals if each[0] not in step.expect.or_error]
        assert not unexpected, (method, asked["params"], unexpected)
        result = reply["response"]
        wrong = [*self._of_shape(asked, version, result), *demands.of_values(result)]
        wrong += demands.of_count(asked["params"], asked["request"], result)
        wrong += self._of_login(where, asked["request"], result)
        wrong += self._of_meaning(asked, where, result)
        assert not wrong, (method, wrong)
        for name, key in step.expect.keeps.items():
            value = result[key]
            self._names[name] = value[0] if isinstance(value, list) else value
        if step.expect.creates:
            self._names[f"{step.expect.creates}-uuid"] = result["uuid"]

    def _judge_refusal(
        self, method: str, expect: Expected, refusals: list[tuple[str, str]]
    ) -> None:
        assert refusals, f"{method} is not refused"
        for code, words in refusals:
            assert code == expect.error, (method, code, words)
            assert expect.says in words, (method, words)

    def _of_shape(
        self, asked: Mapping[str, Any], version: int, result: dict[str, Any]
    ) -> list[str]:
        name = "Login" if asked["request"] in LOGINS else asked["request"]
        signature = self._schema.find(asked["type"], version, name)
        return signature.problems(result) if signature else []

    def _of_login(self, where: Open, method: str, result: dict[str, Any]) -> list[str]:
        if method not in LOGINS:
            return []
        where.facades = {each["name"]: each["versions"] for each in result["facades"]}
        jimm = self._dev.described["jimm_uuid"]
        return demands.of_login(result, self._names["user"], jimm, where.model)

    def _of_meaning(
        self, asked: Mapping[str, Any], where: Open, result: dict[str, Any]
    ) -> list[str]:
        match asked["type"], asked["request"]:
            case "ModelConfig", "ModelGet":  # show-controller and upgrade-model read it unchecked
                found = result["config"].get("agent-version", {}).get("value")
                return [] if isinstance(found, str) else [f"agent-version {found!r}"]
            case "ModelManager", "ModelInfo" | "ListModelSummaries" | "CreateModel":
                jimm = self._dev.described["jimm_uuid"]
                rows = [each["result"] for each in result.get("results", [{"result": result}])]
                return [
                    f"controller-uuid of {row['name']}"
                    for row in rows
                    if row["controller-uuid"] != jimm
                ]
        return []

    async def _has_come(self, reply: Any, code: str) -> bool:
        return [each[0] for each in demands.codes(await reply)] == [code]

    async def _stream(self, path: str) -> None:
        """A log stream: an empty object first, then one record a message, until the end."""
        headers = {"X-Juju-ClientVersion": self._conversation.version, **self._basic()}
        async with connect(
            f"wss://{self._dev.address}{path}",
            ssl=client_context(self._dev.ca),
            server_hostname="juju-apiserver",
            additional_headers=headers,
            compression=None,
            proxy=None,
        ) as stream:
            first = await stream.recv()
            assert first == "{}\n", first
            records = [msgspec.json.decode(each) async for each in stream]
        for record in records:
            assert {"tag", "ts", "sev", "mod", "loc", "msg"} <= record.keys(), record

    async def _upload(self, asked: Mapping[str, Any]) -> None:
        async with httpx.AsyncClient(
            base_url=f"https://{self._dev.address}",
            verify=client_context(self._dev.ca),
            trust_env=False,
        ) as client:
            answer = await client.request(
                asked["method"],
                asked["path"],
                headers={**asked["headers"], **self._basic()},
                content=base64.b64decode(asked["body"]),
            )
        assert answer.status_code == 200, answer.text
        self._names |= {
            name: answer.headers[header] for header, name in asked.get("keeps", {}).items()
        }

    def _basic(self) -> dict[str, str]:
        encoded = base64.b64encode(f":{self._names['session-token']}".encode()).decode()
        return {"Authorization": f"Basic {encoded}"}
