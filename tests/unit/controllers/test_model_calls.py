"""Calls about models whose version, or whose bulk, matters."""

from collections.abc import Awaitable, Callable

import pytest

from jimm.controllers.calls import model_manager, model_upgrader
from jimm.controllers.dial import dial
from jimm.controllers.link import Link
from jimm.errors import LostAnswer, NotSupported, RemoteError
from jimm.net.certificates import Authority
from jimm.wire.params.common import Error
from jimm.wire.params.model_manager import ChangeModelCredential
from jimm.wire.params.model_upgrader import UpgradeModel, UpgradeModelResult
from jimm.wire.tags import ModelUUID
from tests.unit.controllers.scripted import FACADES, LOGIN, MODEL, Conversation, Peer, login_result

MODEL_ID = ModelUUID(MODEL)
TAG = f"model-{MODEL}"
ABSENT = ModelUUID("bbbbbbbb-2222-4333-8444-555555555555")
UPGRADE = UpgradeModel(model_tag=TAG, target_version="3.6.10", dry_run=True)

Call = Callable[[Link], Awaitable[object]]
Script = Callable[[Conversation], Awaitable[None]]


async def called(authority: Authority, call: Call, script: Script, **offered: list[int]) -> object:
    """What a call gives on a controller that offers these versions besides."""

    async def conversation(peer: Conversation) -> None:
        await peer.log_in(login_result(facades=FACADES | offered))
        await script(peer)

    async with Peer(authority, conversation) as peer:
        link = await dial(peer.endpoint(), LOGIN)
        link.start()
        async with link:
            return await call(link)


@pytest.mark.parametrize(("offered", "version"), [([1], 1), ([2], 2), ([1, 2], 2)])
async def test_an_upgrade_goes_in_the_version_that_the_controller_has(
    authority: Authority, offered: list[int], version: int
) -> None:
    async def script(peer: Conversation) -> None:
        sent = await peer.asked("ModelUpgrader.UpgradeModel", {"chosen-version": "4.0.13"}, version)
        assert sent == {"model-tag": TAG, "target-version": "3.6.10", "dry-run": True}
        sent = await peer.asked("ModelUpgrader.AbortModelUpgrade", {}, version)
        assert sent == {"model-tag": TAG}

    async def call(link: Link) -> object:
        result = await model_upgrader.upgrade_model(link, UPGRADE)
        await model_upgrader.abort_model_upgrade(link, MODEL_ID)
        return result

    result = await called(authority, call, script, ModelUpgrader=offered)
    assert result == UpgradeModelResult(chosen_version="4.0.13")


async def test_an_upgrade_s_own_error_stays_in_the_result(authority: Authority) -> None:
    error = {"message": "no", "code": "not found"}

    async def script(peer: Conversation) -> None:
        await peer.asked("ModelUpgrader.UpgradeModel", {"chosen-version": "", "error": error})

    result = await called(
        authority,
        lambda link: model_upgrader.upgrade_model(link, UPGRADE),
        script,
        ModelUpgrader=[1],
    )
    assert result == UpgradeModelResult(
        chosen_version="", error=Error(message="no", code="not found")
    )


async def test_a_controller_without_it_is_not_asked(authority: Authority) -> None:
    async def script(_: Conversation) -> None:
        return

    with pytest.raises(NotSupported, match="does not offer ModelUpgrader in version 1, 2"):
        await called(authority, lambda link: model_upgrader.upgrade_model(link, UPGRADE), script)


@pytest.mark.parametrize(
    ("offered", "series", "version"),
    [([9, 10], True, 9), ([9, 10], False, 10), ([10, 11], True, 10), ([10, 11], False, 10)],
)
async def test_the_series_is_asked_for_where_it_is_known(
    authority: Authority, offered: list[int], series: bool, version: int
) -> None:
    rows = [{"result": {"name": "m1", "new-key": 1}}, {"error": {"message": "no", "code": "x"}}]

    async def script(peer: Conversation) -> None:
        sent = await peer.asked("ModelManager.ModelInfo", {"results": rows}, version)
        assert sent == {"entities": [{"tag": TAG}, {"tag": f"model-{ABSENT}"}]}

    found = await called(
        authority,
        lambda link: model_manager.model_infos_plain(link, [MODEL_ID, ABSENT], series=series),
        script,
        ModelManager=offered,
    )
    assert found == [{"name": "m1", "new-key": 1}, Error(message="no", code="x")]


async def test_rows_that_are_too_few_are_no_answer(authority: Authority) -> None:
    for method, call in (
        ("ModelManager.ModelInfo", model_manager.model_infos_plain),
        ("ModelManager.ModelStatus", model_manager.model_statuses),
    ):
        key = "results" if method.endswith("Info") else "models"

        async def script(peer: Conversation, method: str = method, key: str = key) -> None:
            await peer.asked(method, {key: []})

        async def ask(link: Link, call: Callable[..., Awaitable[object]] = call) -> object:
            return await call(link, [MODEL_ID])

        with pytest.raises(LostAnswer, match=r"expected 1 result\(s\), got 0"):
            await called(authority, ask, script)


async def test_another_credential_for_a_model(authority: Authority) -> None:
    change = ChangeModelCredential(model_tag=TAG, credential_tag="cloudcred-metro_alice_two")
    refused = {"message": "model x already uses credential y", "code": ""}

    async def script(peer: Conversation) -> None:
        sent = await peer.asked("ModelManager.ChangeModelCredential", {"results": [{}]}, 10)
        assert sent == {
            "model-credentials": [{"model-tag": TAG, "credential-tag": "cloudcred-metro_alice_two"}]
        }
        await peer.asked("ModelManager.ChangeModelCredential", {"results": [{"error": refused}]})

    async def call(link: Link) -> None:
        await model_manager.change_model_credential(link, change)
        with pytest.raises(RemoteError, match="already uses"):
            await model_manager.change_model_credential(link, change)

    await called(authority, call, script)


async def test_a_cloud_s_defaults(authority: Authority) -> None:
    config = {"a": {"default": ""}, "b": {"default": 1, "controller": False}}

    async def script(peer: Conversation) -> None:
        sent = await peer.asked(
            "ModelManager.ModelDefaultsForClouds", {"results": [{"config": config}]}, 10
        )
        assert sent == {"entities": [{"tag": "cloud-metro"}]}

    async def call(link: Link) -> object:
        found = await model_manager.model_defaults(link, "metro")
        return {key: (each.default, each.controller) for key, each in found.items()}

    assert await called(authority, call, script) == {"a": ("", None), "b": (1, False)}
