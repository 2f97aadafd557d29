"""The other facades of a model's socket: bundles, machines, keys, storage, secrets, actions,
spaces, notes, settings, status."""

from typing import Any

import pytest
import yaml

from jimm.simulator.tables import make_tables
from tests.eventually import eventually
from tests.fix_simulator import BusyModel
from tests.juju_client import Refused, Socket

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl alice@home"
PRINT = "65:96:2d:fc:e8:d5:a9:11:64:0c:0f:ea:00:6e:5b:bd (alice@home)"


def errors(answer: Any) -> list[str]:
    return [row.get("error", {}).get("message", "") for row in answer["results"]]


async def test_a_bundle_has_everything(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        text = (await socket.call("Bundle", 6, "ExportBundle"))["result"]
        [bundle, overlay] = yaml.safe_load_all(text)
        assert bundle["default-base"] == "ubuntu@24.04/stable"
        assert sorted(bundle["applications"]) == ["haproxy", "nrpe", "postgresql", "web"]
        web = bundle["applications"]["web"]
        assert (web["num_units"], web["options"]) == (2, {"port": 8081})
        assert web["constraints"] == "arch=amd64 mem=2048M"
        assert ["web:db", "postgresql:db"] in bundle["relations"]
        assert overlay["applications"]["postgresql"]["offers"]["database"]["endpoints"] == ["db"]
        steps = await socket.call("Bundle", 6, "GetChangesMapArgs", {"yaml": text.split("---")[0]})
        assert {each["method"] for each in steps["changes"]} == {
            "addCharm",
            "addRelation",
            "addUnit",
            "deploy",
            "expose",
        }
        wrong = await socket.call("Bundle", 6, "GetChanges", {"yaml": "applications: {a: {}}"})
        assert wrong == {"errors": ['empty charm path in application "a"']}


async def test_machines_and_containers(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        wanted = [{}, {"parent-id": "0", "container-type": "lxd"}, {"container-type": "kvm"}]
        added = await socket.call("MachineManager", 10, "AddMachines", {"params": wanted})
        assert [each["machine"] for each in added["machines"]] == ["5", "0/lxd/0", ""]
        tags = {"machine-tags": ["machine-1", "machine-4", "machine-99", "user-x"]}
        answer = await socket.call("MachineManager", 10, "DestroyMachineWithParams", tags)
        assert errors(answer) == [
            'machine 1 has units ["web/0" "nrpe/0"] assigned',
            'machine 4 is hosting containers "4/lxd/0"',
            "machine 99 not found",
            '"user-x" is not a valid machine tag',
        ]
        forced = {"machine-tags": ["machine-4"], "force": True}
        answer = await socket.call("MachineManager", 10, "DestroyMachineWithParams", forced)
        [row] = answer["results"]
        assert row["info"]["destroyed-containers"] == [{"info": {"machine-id": "4/lxd/0"}}]

        async def is_gone() -> bool:
            told = await socket.call("Client", 8, "FullStatus", {})
            return "4" not in told["machines"]

        gone: bool = await eventually(is_gone)
        assert gone


async def test_keys_of_the_model(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        wanted = {"user": "admin", "ssh-keys": [KEY, KEY, "nonsense"]}
        answer = await socket.call("KeyManager", 1, "AddKeys", wanted)
        assert errors(answer) == ["", f"duplicate ssh key: {KEY}", "invalid ssh key: nonsense"]
        for mode, shown in ((False, PRINT), (True, KEY)):
            asked = {"entities": {"entities": [{"tag": "admin"}]}, "mode": mode}
            answer = await socket.call("KeyManager", 1, "ListKeys", asked)
            assert answer == {"results": [{"result": [shown]}]}
        gone = {"user": "admin", "ssh-keys": ["alice@home"]}
        with pytest.raises(Refused, match="cannot delete all keys"):
            await socket.call("KeyManager", 1, "DeleteKeys", gone)
        config = (await socket.call("ModelConfig", 3, "ModelGet"))["config"]
        assert "authorized-keys" not in config


async def test_storage_is_shown_added_detached_and_removed(busy: BusyModel) -> None:
    async with busy.socket() as socket:

        async def listed(method: str) -> Any:
            [row] = (await socket.call("Storage", 6, method, {"filters": [{}]}))["results"]
            return row["result"]

        assert [each["storage-tag"] for each in await listed("ListStorageDetails")] == [
            "storage-pgdata-0",
            "storage-logs-1",
        ]
        assert [each["info"]["pool"] for each in await listed("ListFilesystems")] == ["rootfs"]
        assert [each["info"]["size"] for each in await listed("ListVolumes")] == [2048]
        wanted = {"name": "cache", "unit": "unit-web-1", "storage": {"size": 512}}
        [row] = (await socket.call("Storage", 6, "AddToUnit", {"storages": [wanted]}))["results"]
        [tag] = row["result"]["storage-tags"]
        gone = {"storage": [{"tag": tag}]}
        [refusal] = errors(await socket.call("Storage", 6, "Remove", gone))
        assert refusal.endswith("storage is attached")
        ids = {"ids": {"ids": [{"storage-tag": tag, "unit-tag": "unit-web-1"}]}}
        assert errors(await socket.call("Storage", 6, "DetachStorage", ids)) == [""]
        assert errors(await socket.call("Storage", 6, "Remove", gone)) == [""]
        [pools] = (await socket.call("Storage", 6, "ListPools", {"filters": [{}]}))["results"]
        assert "fast" in [each["name"] for each in pools["storage-pools"]]
        told = await socket.call("Client", 8, "FullStatus", {"include-storage": True})
        assert len(told["storage"]) == len(told["filesystems"]) + len(told["volumes"]) == 2


async def test_secrets_are_kept_from_readers(busy: BusyModel) -> None:
    reader = await busy.join("alice", "read")
    content = {"content": {"data": {"password": "c2VjcmV0"}}, "label": "mine"}
    async with busy.socket() as socket:
        made = await socket.call("Secrets", 2, "CreateSecrets", {"args": [content, content]})
        assert errors(made) == ["", 'secret with label "mine" already exists']
        uri = made["results"][0]["result"]
        grant = {"uri": uri, "applications": ["web", "nobody"]}
        granted = await socket.call("Secrets", 2, "GrantSecret", grant)
        assert errors(granted) == ["", 'application "nobody" not found']
        shown = await socket.call(
            "Secrets", 2, "ListSecrets", {"show-secrets": True, "filter": {"uri": uri}}
        )
        [row] = shown["results"]
        assert row["value"] == {"data": {"password": "c2VjcmV0"}}
        assert row["access"][0]["target-tag"] == "application-web"
    async with busy.socket(*reader) as socket:
        listed = await socket.call("Secrets", 2, "ListSecrets", {"filter": {}})
        assert all("value" not in row for row in listed["results"])
        with pytest.raises(Refused, match="permission denied"):
            await socket.call("Secrets", 2, "ListSecrets", {"show-secrets": True})
    async with busy.socket() as socket:
        gone = {"args": [{"label": "mine"}, {"label": "mine"}]}
        answer = await socket.call("Secrets", 2, "RemoveSecrets", gone)
        assert errors(answer) == ["", 'secret "mine" not found']


async def test_actions_complete(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        asked = [
            {"receiver": "unit-postgresql-0", "name": "backup"},
            {"receiver": "web/leader", "name": "reload"},
            {"receiver": "unit-web-0", "name": "dance"},
        ]
        made = await socket.call("Action", 7, "EnqueueOperation", {"actions": asked})
        assert [row.get("error", {}).get("message", "") for row in made["actions"]] == [
            "",
            "",
            'action "dance" not defined on unit "web/0"',
        ]
        entities = {"entities": [{"tag": made["operation"]}]}

        async def is_done() -> Any:
            [found] = (await socket.call("Action", 7, "Operations", entities))["results"]
            return found if found["status"] == "completed" else None

        operation = await eventually(is_done)
        assert [each["output"] for each in operation["actions"]] == [{"return-code": 0}] * 2
        run = {"commands": "uptime", "machines": ["0"], "units": ["web/0"], "timeout": 1}
        made = await socket.call("Action", 7, "Run", run)
        assert len(made["actions"]) == 2
        listed = await socket.call("Action", 7, "ListOperations", {"units": ["web/0"]})
        assert [each["operation"] for each in listed["results"]] == [
            operation["operation"],
            made["operation"],
        ]
        tags = {"entities": [{"tag": "application-postgresql"}]}
        [known] = (await socket.call("Action", 7, "ApplicationsCharmsActions", tags))["results"]
        assert list(known["actions"]) == ["backup"]


async def test_a_watcher_of_actions_waits_until_it_is_stopped(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        entities = {"entities": [{"tag": "action-2"}]}
        [row] = (await socket.call("Action", 7, "WatchActionsProgress", entities))["results"]
        watcher = row["watcher-id"]
        waiting = socket.spawn_call("StringsWatcher", 1, "Next", object_id=watcher)
        assert await socket.call("Pinger", 1, "Ping") == {}
        await socket.call("StringsWatcher", 1, "Stop", object_id=watcher)
        with pytest.raises(Refused, match="stopped"):
            await waiting


async def test_spaces_subnets_and_addresses(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        wanted = {"spaces": [{"space-tag": "space-db", "cidrs": ["10.0.0.0/16"]}]}
        assert errors(await socket.call("Spaces", 6, "CreateSpaces", wanted)) == [""]
        spaces = (await socket.call("Spaces", 6, "ListSpaces"))["results"]
        assert [(each["name"], len(each["subnets"])) for each in spaces] == [
            ("alpha", 0),
            ("db", 1),
        ]
        [subnet] = (await socket.call("Subnets", 5, "ListSubnets"))["results"]
        assert subnet["space-tag"] == "space-db"
        entities = {"entities": [{"tag": "machine-0"}, {"tag": "unit-web-0"}, {"tag": "user-x"}]}
        answer = await socket.call("SSHClient", 4, "PublicAddress", entities)
        assert [each.get("address", "") for each in answer["results"]] == [
            "10.0.0.1",
            "10.0.0.2",
            "",
        ]
        assert await socket.call("SSHClient", 4, "Proxy") == {"use-proxy": False}


async def test_notes_on_what_is_there(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        notes = [
            {"entity": "application-web", "annotations": {"a": "1", "gui-x": ""}},
            {"entity": "application-nobody", "annotations": {"a": "1"}},
        ]
        failures = await socket.call("Annotations", 2, "Set", {"annotations": notes})
        assert errors(failures) == [
            'while setting annotations to "application-nobody": permission denied'
        ]
        entities = {"entities": [{"tag": "application-web"}, {"tag": "nonsense"}]}
        [web, nothing] = (await socket.call("Annotations", 2, "Get", entities))["results"]
        assert web["annotations"] == {"a": "1", "gui-y": "200"}
        assert nothing["error"]["error"]["message"].endswith('"nonsense" is not a valid tag')


async def test_settings_of_the_model_and_where_they_come_from(busy: BusyModel) -> None:
    writer = await busy.join("bob", "write")
    async with busy.socket(*writer) as socket:
        wanted = {"config": {"update-status-hook-interval": "7m"}}
        await socket.call("ModelConfig", 3, "ModelSet", wanted)
        config = (await socket.call("ModelConfig", 3, "ModelGet"))["config"]
        assert config["update-status-hook-interval"] == {"value": "7m", "source": "model"}
        assert config["agent-stream"]["source"] == "default"
        assert config["type"]["value"] == "openstack"
        await socket.call("ModelConfig", 3, "ModelUnset", {"keys": list(wanted["config"])})
        config = (await socket.call("ModelConfig", 3, "ModelGet"))["config"]
        assert config["update-status-hook-interval"]["source"] == "default"
        with pytest.raises(Refused, match="cannot change uuid"):
            await socket.call("ModelConfig", 3, "ModelSet", {"config": {"uuid": "1"}})
        numbers = (await socket.call("ModelConfig", 3, "Sequences"))["sequences"]
        assert (numbers["application-web"], numbers["machine"]) == (2, 5)


async def test_histories(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        requests = [
            {"historyKind": "unit", "tag": "unit-web-0", "filter": {"size": 20}},
            {"historyKind": "unit", "tag": "unit-web-9", "filter": {"size": 20}},
        ]
        answer = await socket.call("Client", 8, "StatusHistory", {"requests": requests})
        kinds = [each["kind"] for each in answer["results"][0]["history"]["statuses"]]
        assert kinds == ["workload", "juju-unit"]
        assert errors(answer) == ["", 'unit "web/9" not found']


@pytest.mark.parametrize("params", [{}, [], "text", 7, {"entities": [None]}, {"args": "x"}])
async def test_no_parameters_break_a_facade(busy: BusyModel, params: Any) -> None:
    async with busy.socket() as socket:
        for facade, version, name in make_tables().model.methods():
            if name in ("Next", "Stop", "WatchAll"):
                continue
            reply = await _reply(socket, facade, version, name, params)
            assert "internal error" not in reply, (facade, name, reply)


async def _reply(socket: Socket, facade: str, version: int, name: str, params: Any) -> str:
    try:
        return str(await socket.call(facade, version, name, params))
    except Refused as refused:
        return refused.message
