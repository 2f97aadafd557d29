"""Faults on purpose: lies, lost answers, uploads that are cut, and one model among many."""

from typing import Any

import httpx
import pytest

from jimm.net.tls import client_context
from jimm.simulator.faults import Action
from jimm.simulator.migration import phases
from jimm.simulator.migration.phases import Phase
from tests.eventually import eventually
from tests.fix_migration import Scene
from tests.juju_client import Refused

APPLICATIONS = {"simulated-applications": "ubuntu:1"}
BINARIES = "model data transfer failed, failed to migrate binaries: "


async def test_a_lie_is_an_answer_to_what_was_not_done(scene: Scene) -> None:
    scene.fault("a", "ModelManager.CreateModel", "lie", answer={"uuid": "u", "name": "m"})
    async with scene.admin("a") as socket:
        params = {"name": "m", "owner-tag": "user-admin"}
        made = await socket.call("ModelManager", 10, "CreateModel", params)
    assert made == {"uuid": "u", "name": "m"}
    assert len(scene.controllers["a"].store.models) == 1


async def test_a_lie_afterwards_refuses_what_was_done(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("a", "Controller.InitiateMigration", "lie-after", message="no", code="try again")
    with pytest.raises(Refused) as caught:
        await scene.initiate(model)
    assert (caught.value.message, caught.value.code) == ("no", "try again")
    await scene.ended(model)
    assert scene.has_moved(model)


@pytest.mark.parametrize(("point", "moves"), [("initiate", False), ("initiate.after", True)])
async def test_a_row_of_initiate_migration_refused(scene: Scene, point: str, moves: bool) -> None:
    text = "connect to target controller: unable to connect to API: i/o timeout"
    model = await scene.create()
    scene.fault("a", point, "refuse", message=text, code="try again")
    assert await scene.refusal(model) == (text, "try again")
    await scene.ended(model)
    assert scene.has_moved(model) == moves


async def test_a_fault_may_wait_for_one_model(scene: Scene) -> None:
    hit, spared = await scene.create("hit"), await scene.create("spared")
    scene.fault("b", "MigrationTarget.Import", "refuse", message="no", model=hit)
    scene.fault("a", "ModelManager.ModelInfo", "refuse", message="never", model="x" * 36)
    await scene.migrate(spared)
    assert scene.has_moved(spared)
    await scene.migrate(hit)
    assert scene.reason(hit).endswith("failed to import model into target controller: no")


@pytest.mark.parametrize("phase", [Phase.QUIESCE, Phase.PROCESSRELATIONS, Phase.VALIDATION])
async def test_a_reason_of_ones_own(scene: Scene, phase: Phase) -> None:
    reason = "unexpected target controller UUID (got controller-x, expected controller-y)"
    model = await scene.create()
    scene.fault("a", f"fail.{phase}", "refuse", message=reason, model=model)
    await scene.migrate(model)
    assert scene.reason(model) == reason
    assert scene.is_back(model)


async def test_a_reason_of_ones_own_where_nothing_aborts(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("a", "fail.SUCCESS", "refuse", message="again")
    scene.fault("a", "fail.REAP", "refuse", message=phases.reap_failed("no"))
    await scene.migrate(model)
    record = scene.model(model, "a").migration
    assert record is not None
    assert (record.phase, record.message) == (Phase.REAPFAILED, phases.reap_failed("no"))


@pytest.mark.parametrize("kind", ["charms", "tools"])
@pytest.mark.parametrize("action", ["drop-before", "drop-after"])
async def test_an_upload_that_is_cut(scene: Scene, kind: str, action: Action) -> None:
    model = await scene.create(config=APPLICATIONS)
    scene.fault("b", f"upload.{kind}", action)
    await scene.migrate(model)
    what = {"charms": "charms", "tools": "agent binaries"}[kind]
    assert scene.reason(model).startswith(f"{BINARIES}cannot upload {what}: ")
    assert scene.is_back(model)


async def test_an_upload_that_waits(scene: Scene) -> None:
    model = await scene.create(config=APPLICATIONS)
    scene.fault("b", "upload.charms", "stall")
    await scene.initiate(model)
    await scene.said(phases.UPLOADING)
    await eventually(lambda: not scene.controllers["b"].faults.list())
    assert scene.model(model, "b").mode == "importing"
    scene.controllers["b"].faults.clear()
    await scene.ended(model)
    assert scene.has_moved(model)


async def test_a_charm_under_another_url(scene: Scene) -> None:
    model = await scene.create(config=APPLICATIONS)
    scene.fault("b", "upload.charms", "lie", answer={"charm-url": "ch:amd64/other-1"})
    await scene.migrate(model)
    text = "charm ch:amd64/ubuntu-1 unexpectedly assigned ch:amd64/other-1"
    assert scene.reason(model) == f"{BINARIES}cannot upload charms: {text}"


@pytest.mark.parametrize("action", ["drop-before", "drop-after", "refuse", "crash"])
async def test_a_log_transfer_that_breaks_is_tried_again(scene: Scene, action: Action) -> None:
    model = await scene.create(config=APPLICATIONS)
    scene.fault("b", "upload.log", action)
    await scene.initiate(model)
    if action == "crash":
        await eventually(lambda: not scene.controllers["b"].faults.list(), deadline=60)
        await scene.revive("b")
    await scene.ended(model)
    assert scene.has_moved(model)
    # There are no acknowledgements: what was on its way when the connection was cut is lost.
    assert action == "drop-after" or scene.model(model, "b").log_sent == 2


async def test_a_target_that_dies_when_it_has_activated(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("b", "MigrationTarget.Activate", "crash-after")
    await scene.initiate(model)
    await eventually(lambda: not scene.controllers["b"].faults.list(), deadline=60)
    again = await scene.revive("b")
    await scene.ended(model)
    assert scene.reason(model).startswith("model activation failed, ")
    assert again.store.models[model].mode == ""  # it is on both, and the abort could do nothing


async def test_faults_by_http(scene: Scene) -> None:
    there = scene.registration("a")
    door = f"https://{there.address}/simulator/faults"
    lie: dict[str, Any] = {"point": "Controller.AllModels", "action": "lie"}
    lie["answer"] = {"user-models": None}
    context = client_context(there.ca)
    async with httpx.AsyncClient(auth=(there.user, there.password), verify=context) as client:
        extensions = {"sni_hostname": "juju-apiserver"}
        added = await client.post(door, json=lie, extensions=extensions)
        assert added.json() == {**lie, "id": 1}
        nobody = {"point": "phase.source.IMPORT", "action": "lie"}
        refused = await client.post(door, json=nobody, extensions=extensions)
        assert refused.status_code == 400
    async with scene.admin("a") as socket:
        assert await socket.call("Controller", 12, "AllModels") == {"user-models": None}
