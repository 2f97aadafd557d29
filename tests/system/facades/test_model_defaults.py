"""Settings for models to come: each user's own, for a cloud or a region."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from tests.fix_dev import Dev
from tests.juju_client import Refused, Socket
from tests.system.facades.test_access import create, destroy

METRO = "cloud-metro"
SETTING = "update-status-hook-interval"


async def told(socket: Socket, cloud: str = METRO, version: int = 10) -> dict[str, Any]:
    """The cloud's defaults, the controller's own with them."""
    params = {"entities": [{"tag": cloud}]}
    answer = await socket.call("ModelManager", version, "ModelDefaultsForClouds", params)
    found: dict[str, Any] = answer["results"][0]["config"]
    return found


async def shown(socket: Socket, version: int = 10) -> dict[str, Any]:
    """What the user has set."""
    found = {
        key: {place: value for place, value in each.items() if place != "default"}
        for key, each in (await told(socket, version=version)).items()
    }
    return {key: each for key, each in found.items() if each}


async def put(
    socket: Socket, settings: Mapping[str, object], *, region: str = ""
) -> dict[str, Any]:
    """The row of a `SetModelDefaults`."""
    config = {"cloud-tag": METRO, "cloud-region": region, "config": settings}
    answer = await socket.call("ModelManager", 10, "SetModelDefaults", {"config": [config]})
    row: dict[str, Any] = answer["results"][0]
    return row


async def unset(socket: Socket, *keys: str, region: str = "") -> dict[str, Any]:
    """The row of an `UnsetModelDefaults`."""
    wanted = {"cloud-tag": METRO, "cloud-region": region, "keys": list(keys)}
    answer = await socket.call("ModelManager", 10, "UnsetModelDefaults", {"keys": [wanted]})
    row: dict[str, Any] = answer["results"][0]
    return row


async def clear(socket: Socket) -> None:
    """Takes away all that the user has set."""
    keys = list(await shown(socket))
    for region in ("", "north"):
        await unset(socket, *keys, region=region)


@pytest.fixture
async def alice(dev: Dev) -> AsyncIterator[Socket]:
    """alice, who has no defaults, neither before nor afterwards."""
    async with dev.socket() as socket:
        await clear(socket)
        try:
            yield socket
        finally:
            await clear(socket)


async def test_they_are_told_by_cloud_and_region(dev: Dev, alice: Socket) -> None:
    assert SETTING not in await shown(alice)
    assert await put(alice, {SETTING: "9m", "test-mode": True}) == {}
    assert await put(alice, {"test-mode": False}) == {}
    assert await put(alice, {SETTING: "8m", "http-proxy": ""}, region="north") == {}
    for version in (9, 10, 11):
        found = await shown(alice, version=version)
        assert found[SETTING] == {
            "controller": "9m",
            "regions": [{"region-name": "north", "value": "8m"}],
        }
        assert found["test-mode"] == {"controller": False}
        assert found["http-proxy"] == {"regions": [{"region-name": "north", "value": ""}]}
    async with dev.socket("bob") as bob:
        assert SETTING not in await shown(bob), "they are alice's alone"


async def test_what_a_controller_has_by_itself_is_told_with_them(alice: Socket) -> None:
    before = (await told(alice))[SETTING]
    assert before == {"default": "5m"}
    await put(alice, {SETTING: "9m"})
    assert (await told(alice))[SETTING] == {"default": "5m", "controller": "9m"}


async def test_taking_away_what_is_not_there_is_no_error(alice: Socket) -> None:
    await put(alice, {SETTING: "8m"}, region="north")
    assert await unset(alice, SETTING) == {}, "the region's stays, as in Juju"
    assert await unset(alice, "no-such-key", region="north") == {}
    assert (await shown(alice))[SETTING]["regions"] == [{"region-name": "north", "value": "8m"}]
    assert await unset(alice, SETTING, region="north") == {}
    assert SETTING not in await shown(alice)


async def test_places_and_settings_that_cannot_be(alice: Socket) -> None:
    for change in (
        put(alice, {SETTING: "1m"}, region="nowhere"),
        unset(alice, "x", region="nowhere"),
    ):
        error = (await change)["error"]
        assert (error["message"], error["code"]) == (
            'region "nowhere" of cloud "metro" not found',
            "not found",
        )
    error = (await put(alice, {"agent-version": "3.6.1"}))["error"]
    assert error["message"] == "agent-version cannot have a default value"
    for tag, code in (("cloud-nowhere", "not found"), ("metro", "not valid")):
        answer = await alice.call(
            "ModelManager",
            10,
            "SetModelDefaults",
            {"config": [{"cloud-tag": tag, "config": {SETTING: "1m"}}]},
        )
        assert answer["results"][0]["error"]["code"] == code
        answer = await alice.call(
            "ModelManager",
            10,
            "ModelDefaultsForClouds",
            {"entities": [{"tag": tag}, {"tag": METRO}]},
        )
        assert answer["results"][0]["error"]["code"] == code
        assert "error" not in answer["results"][1]


async def test_new_models_get_them(dev: Dev, alice: Socket) -> None:
    await put(alice, {"a-default": "cloud", "b-default": "cloud", "c-default": "cloud"})
    await put(alice, {"b-default": "region", "c-default": "region"}, region="north")
    made = await create(alice, config={"c-default": "asked"})
    try:
        async with dev.socket(path=f"/model/{made['uuid']}/api") as socket:
            config = (await socket.call("ModelConfig", 3, "ModelGet"))["config"]
        assert {key: config[f"{key}-default"]["value"] for key in "abc"} == {
            "a": "cloud",
            "b": "region",
            "c": "asked",
        }
    finally:
        await destroy(alice, made["uuid"])


async def test_without_a_cloud_it_is_the_only_one(dev: Dev, alice: Socket) -> None:
    clouds = (await alice.call("Cloud", 7, "Clouds"))["clouds"]
    answer = await alice.call(
        "ModelManager", 10, "SetModelDefaults", {"config": [{"config": {SETTING: "7m"}}]}
    )
    if len(clouds) == 1:
        assert answer["results"] == [{}]
        assert (await shown(alice))[SETTING]["controller"] == "7m"
    else:
        assert answer["results"][0]["error"]["code"] == "bad request"


async def test_a_malformed_request_is_refused_whole(alice: Socket) -> None:
    with pytest.raises(Refused) as refused:
        await alice.call("ModelManager", 10, "SetModelDefaults", {"config": [{"config": 5}]})
    assert refused.value.code == "bad request"
