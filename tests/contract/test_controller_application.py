"""Applications: deployed, related, set, exposed, scaled, removed."""

from typing import Any

import pytest

from tests.eventually import eventually
from tests.fix_simulator import BusyModel
from tests.juju_client import Refused, Socket


async def call(socket: Socket, method: str, params: dict[str, Any]) -> Any:
    return await socket.call("Application", 20, method, params)


async def status(socket: Socket) -> Any:
    return await socket.call("Client", 8, "FullStatus", {"patterns": None})


async def settled(socket: Socket) -> Any:
    async def is_idle() -> Any:
        told = await status(socket)
        units = [unit for each in told["applications"].values() for unit in each["units"].values()]
        machines = told["machines"].values()
        idle = all(unit["agent-status"]["status"] == "idle" for unit in units)
        if idle and all(each["agent-status"]["status"] == "started" for each in machines):
            return told
        return None

    return await eventually(is_idle)


async def test_a_charm_of_charmhub_is_deployed_and_becomes_active(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        wanted = {"CharmName": "ubuntu", "num-units": 2, "Cons": {"mem": 1024}}
        [row] = (await call(socket, "DeployFromRepository", {"Args": [wanted]}))["Results"]
        assert (row["Errors"], row["Info"]["name"], row["Info"]["channel"]) == (
            [],
            "ubuntu",
            "latest/stable",
        )
        shown = (await settled(socket))["applications"]["ubuntu"]
        assert sorted(shown["units"]) == ["ubuntu/0", "ubuntu/1"]
        assert shown["status"]["status"] == "active"
        assert [unit.get("leader", False) for unit in shown["units"].values()] == [True, False]


async def test_deployments_that_cannot_be(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        rows = [
            {"application": "web", "charm-url": "ch:amd64/web-7", "num-units": 1},
            {"application": "a b", "charm-url": "ch:amd64/web-7", "num-units": 1},
            {"application": "tiny", "charm-url": "local:tiny-0", "num-units": 1},
            {"application": "x", "charm-url": "", "num-units": 1},
            {"application": "x", "charm-url": "ch:web-7", "num-units": 1, "config": {"no": "1"}},
        ]
        results = (await call(socket, "Deploy", {"applications": rows}))["results"]
        assert [row["error"]["message"] for row in results] == [
            'cannot add application "web": application already exists',
            'invalid application name "a b"',
            'charm "local:tiny-0" not found',
            "charm url is empty",
            'unknown option "no"',
        ]


async def test_units_come_with_subordinates_and_go_with_machines(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        added = await call(socket, "AddUnits", {"application": "web", "num-units": 1})
        assert added == {"units": ["web/2"]}
        told = await settled(socket)
        unit = told["applications"]["web"]["units"]["web/2"]
        assert list(unit["subordinates"]) == ["nrpe/2"]
        wanted = {"units": [{"unit-tag": "unit-web-2"}, {"unit-tag": "unit-nrpe-0"}]}
        [gone, kept] = (await call(socket, "DestroyUnit", wanted))["results"]
        assert "error" not in gone
        assert "is a subordinate, to remove use remove-relation" in kept["error"]["message"]

        async def is_gone() -> bool:
            told = await status(socket)
            return unit["machine"] not in told["machines"]

        gone_with_it: bool = await eventually(is_gone)
        assert gone_with_it


async def test_relations_are_inferred(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        for name in ("wordpress", "mysql"):
            await call(socket, "DeployFromRepository", {"Args": [{"CharmName": name}]})
        added = await call(socket, "AddRelation", {"endpoints": ["mysql", "wordpress"]})
        assert {name: end["name"] for name, end in added["endpoints"].items()} == {
            "mysql": "db",
            "wordpress": "db",
        }
        for endpoints, text in (
            (["mysql", "wordpress"], "already exists"),
            (["mysql", "postgresql"], "no relations found"),
            (["mysql:nope", "wordpress"], 'application "mysql" has no "nope" relation'),
            (["nobody", "wordpress"], 'application "nobody" not found'),
        ):
            with pytest.raises(Refused, match=text):
                await call(socket, "AddRelation", {"endpoints": endpoints})
        await call(socket, "DestroyRelation", {"endpoints": ["mysql", "wordpress"]})
        with pytest.raises(Refused, match='relation "mysql wordpress" not found'):
            await call(socket, "DestroyRelation", {"endpoints": ["mysql", "wordpress"]})


async def test_settings_have_values_defaults_and_sources(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        port = (await call(socket, "Get", {"application": "web"}))["config"]["port"]
        assert (port["value"], port["default"], port["source"]) == (8081, 8080, "user")
        rows = [
            {"application": "web", "config": {"port": "9000"}},
            {"application": "web", "config": {"nope": "1"}},
            {"application": "web", "config": {"port": "many"}},
            {"application": "web", "config-yaml": "web: {port: 9001}"},
            {"application": "web", "config-yaml": "[1"},
        ]
        results = (await call(socket, "SetConfigs", {"Args": rows}))["results"]
        assert [row.get("error", {}).get("message", "") for row in results] == [
            "",
            'unknown option "nope"',
            'option "port" expected int, got "many"',
            "",
            "cannot parse settings data: it is no YAML",
        ]
        [told] = (await call(socket, "CharmConfig", {"args": [{"application": "web"}]}))["Results"]
        assert told["config"]["port"]["value"] == 9001
        unset = {"Args": [{"application": "web", "options": ["port"]}]}
        assert await call(socket, "UnsetApplicationsConfig", unset) == {"results": [{}]}
        port = (await call(socket, "Get", {"application": "web"}))["config"]["port"]
        assert (port["value"], port["source"]) == (8080, "default")


async def test_information_about_applications_and_units(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        entities = {"entities": [{"tag": "application-web"}, {"tag": "application-nobody"}]}
        [web, nobody] = (await call(socket, "ApplicationsInfo", entities))["results"]
        assert (web["result"]["charm"], web["result"]["principal"]) == ("web", True)
        assert nobody["error"]["message"] == 'application "nobody" not found'
        [unit] = (await call(socket, "UnitsInfo", {"entities": [{"tag": "unit-web-0"}]}))["results"]
        related = [each["endpoint"] for each in unit["result"]["relation-data"]]
        assert sorted(related) == ["db", "juju-info", "website"]
        assert await call(socket, "Leader", {"tag": "application-web"}) == {"result": "web/0"}
        named = await call(socket, "CharmRelations", {"application": "web"})
        assert named == {"charm-relations": ["db", "juju-info", "website"]}


async def test_applications_are_exposed_constrained_and_bound(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        await call(socket, "Expose", {"application": "web"})
        assert (await status(socket))["applications"]["web"]["exposed"]
        await call(socket, "Unexpose", {"application": "web", "exposed-endpoints": None})
        assert not (await status(socket))["applications"]["web"]["exposed"]
        await call(socket, "SetConstraints", {"application": "web", "constraints": {"cores": 2}})
        entities = {"entities": [{"tag": "application-web"}]}
        [row] = (await call(socket, "GetConstraints", entities))["results"]
        assert row == {"constraints": {"cores": 2}}
        binding = {"application-tag": "application-web", "bindings": {"db": "mars"}}
        [row] = (await call(socket, "MergeBindings", {"args": [binding]}))["results"]
        assert row["error"]["message"] == 'space "mars" not found'


async def test_an_application_goes_unless_it_is_offered(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        tags = [{"application-tag": f"application-{name}"} for name in ("haproxy", "postgresql")]
        results = (await call(socket, "DestroyApplication", {"applications": tags}))["results"]
        assert results[0]["info"]["destroyed-units"] == [{"tag": "unit-haproxy-0"}]
        assert results[1]["error"]["message"] == (
            'cannot destroy application "postgresql": application is used by 1 offer'
        )

        async def is_gone() -> bool:
            return "haproxy" not in (await status(socket))["applications"]

        gone: bool = await eventually(is_gone)
        assert gone


async def test_readers_change_nothing(busy: BusyModel) -> None:
    reader = await busy.join("alice", "read")
    async with busy.socket(*reader) as socket:
        await call(socket, "Get", {"application": "web"})
        for method, params in (
            ("Expose", {"application": "web"}),
            ("Deploy", {"applications": []}),
            ("DestroyApplication", {"applications": []}),
            ("AddRelation", {"endpoints": []}),
        ):
            with pytest.raises(Refused, match="permission denied") as caught:
                await call(socket, method, params)
            assert caught.value.code == "unauthorized access"
