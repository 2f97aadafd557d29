"""What a Juju controller says to calls that it does not know, and to bytes that are no call."""

import json
from typing import Any

import pytest

from tests.juju_client import Refused, Registration, Socket, logged_in


async def refusal(socket: Socket, facade: str, version: int, method: str) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        await socket.call(facade, version, method)
    return caught.value.message, caught.value.code


async def model_path(controller: Registration) -> str:
    async with logged_in(controller) as socket:
        listed = await socket.call("Controller", 12, "AllModels")
    return f"/model/{listed['user-models'][0]['model']['uuid']}/api"


async def test_a_facade_of_the_other_kind_of_socket(controller: Registration) -> None:
    async with logged_in(controller) as socket:
        assert await refusal(socket, "Client", 8, "FullStatus") == (
            'facade "Client" not supported for controller API connection',
            "not supported",
        )
    async with logged_in(controller, await model_path(controller)) as socket:
        assert await refusal(socket, "ModelManager", 10, "ListModels") == (
            'facade "ModelManager" not supported for model API connection',
            "not supported",
        )


async def test_an_unknown_facade_on_a_model(controller: Registration) -> None:
    async with logged_in(controller, await model_path(controller)) as socket:
        assert await refusal(socket, "Nope", 3, "Do") == (
            'unknown version (3) of interface "Nope"',
            "not implemented",
        )
        assert await refusal(socket, "Nope", 0, "Do") == (
            'unknown object type "Nope"',
            "not implemented",
        )


async def test_an_unknown_version_and_an_unknown_method(controller: Registration) -> None:
    async with logged_in(controller) as socket:
        assert await refusal(socket, "Pinger", 9, "Ping") == (
            'unknown version (9) of interface "Pinger"',
            "not implemented",
        )
        assert await refusal(socket, "Pinger", 1, "Pong") == (
            "no such request - method Pinger(1).Pong is not implemented",
            "not implemented",
        )
        assert await socket.call("Pinger", 1, "Ping") == {}


async def test_parameters_of_the_wrong_type_end_nothing(controller: Registration) -> None:
    async with logged_in(controller) as socket:
        with pytest.raises(Refused) as caught:
            await socket.call("ModelManager", 10, "ModelInfo", {"entities": "all of them"})
        assert caught.value.code == ""
        assert await socket.call("Pinger", 1, "Ping") == {}


@pytest.mark.parametrize("params", [{"Entities": [{"TAG": "x"}]}, {"entities": None}])
async def test_keys_are_read_as_go_reads_them(
    controller: Registration, params: dict[str, Any]
) -> None:
    async with logged_in(controller) as socket:
        result = await socket.call("ModelManager", 10, "ModelInfo", params)
    rows = result["results"]
    if params.get("entities", 1) is None:
        assert rows == []
    else:
        assert rows[0]["error"]["message"] == '"x" is not a valid tag'


@pytest.mark.parametrize("data", ["", "{", "nonsense", "[1]", '{"request-id": "one"}'])
async def test_bytes_that_are_no_message_close_the_socket(
    controller: Registration, data: str
) -> None:
    async with logged_in(controller) as socket:
        await socket.connection.send(data)
        assert await socket.closed() == 1000


async def test_replies_have_a_response_and_no_empty_error(controller: Registration) -> None:
    async with logged_in(controller) as socket:
        good = await socket.send("Pinger", 1, "Ping")
        bad = await socket.send("Pinger", 1, "Pong")
    assert good == {"request-id": good["request-id"], "response": {}}
    assert bad["response"] == {}
    assert bad["error"]


async def test_binary_frames_and_absent_params_are_fine(controller: Registration) -> None:
    async with logged_in(controller) as socket:
        request = {"request-id": 77, "type": "Pinger", "version": 1, "request": "Ping"}
        await socket.connection.send(json.dumps(request).encode())
        assert await socket.call("Pinger", 1, "Ping") == {}
        assert socket.unasked == [{"request-id": 77, "response": {}}]
