"""What controllers answer, read as facts, whatever they leave out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import ProtocolError
from jimm.migration.facts import readings
from jimm.migration.prechecks.status import Application, Machine, Unit
from jimm.migration.prechecks.values import Cloud, Pace
from jimm.wire.params import cloud as cloud_params

WELL = {"agent-status": {"status": "idle"}, "workload-status": {"status": "active"}}


def machine(name: str, **more: object) -> dict[str, object]:
    return {
        "id": name,
        "agent-status": {"status": "started", "version": "3.6.9", "life": "dying"},
        "instance-status": {"status": "running"},
        **more,
    }


def relation(status: str, *applications: str, scope: str = "global") -> dict[str, object]:
    return {
        "key": " ".join(applications),
        "scope": scope,
        "status": {"status": status},
        "endpoints": [{"application": each} for each in applications],
    }


def test_a_bare_model() -> None:
    told = {"model": {"version": "3.6.9", "type": "iaas"}, "machines": None, "relations": None}
    inside = readings.inside(told)
    assert inside.status.agents == 0
    assert (inside.offered, inside.consumed, inside.status.unjoined) == ((), (), ())


def test_machines_with_their_containers() -> None:
    base = {"name": "ubuntu", "channel": "24.04/stable"}
    container = {"0/lxd/1": machine("0/lxd/1", containers=None, base=None)}
    told = {
        "model": {"version": "3.6.9"},
        "machines": {"0": machine("0", base=base, containers=container)},
    }
    assert readings.inside(told).status.machines == (
        Machine("0", "dying", "started", "running", "3.6.9", "ubuntu@24.04/stable"),
        Machine("0/lxd/1", "dying", "started", "running", "3.6.9", ""),
    )


def test_units_with_their_subordinates() -> None:
    old = {**WELL, "charm": "ch:ntp-1"}
    same = {**WELL, "charm": "ch:db-2"}
    applications = {
        "db": {
            "charm": "ch:db-2",
            "units": {"db/0": {**same, "subordinates": {"ntp/0": old}}},
        },
        "ntp": {"charm": "ch:ntp-2", "units": None},
    }
    told = {"model": {"version": "3.6.9", "type": "iaas"}, "applications": applications}
    status = readings.inside(told).status
    assert status.units == (
        Unit("db/0", life=""),
        Unit("ntp/0", life="", upgrading=True),
    )
    assert status.applications[0] == Application("db", "", "ch:db-2", None, 1)


def test_only_kubernetes_tells_how_many_units_there_should_be() -> None:
    told = {"model": {"version": "3.6.9", "type": "caas"}, "applications": {"db": {"int": 3}}}
    assert readings.inside(told).status.applications == (Application("db", "", "", 3, 0),)


def test_relations_that_somebody_should_have_joined() -> None:
    applications = {"db": {"units": {"db/0": WELL}}, "web": {}, "idle": {}}
    relations = [
        relation("joining", "db", "web"),
        relation("joined", "db", "web2"),
        relation("joining", "web", "idle"),
        relation("joining", "db", "ntp", scope="container"),
    ]
    told = {"model": {"version": "3.6.9"}, "applications": applications, "relations": relations}
    assert readings.inside(told).status.unjoined == ("db web",)


def test_offers_that_are_used_and_offers_that_are_consumed() -> None:
    told = {
        "model": {"version": "3.6.9"},
        "offers": {"db": {"total-connected-count": 1}, "spare": {"total-connected-count": 0}},
        "remote-applications": {"far": {"offer-url": "admin/m2.db"}},
    }
    inside = readings.inside(told)
    assert (inside.offered, inside.consumed) == (("db",), ("admin/m2.db",))


@pytest.mark.parametrize(
    "told", [{}, {"model": None}, {"model": {"version": "3.6.9"}, "machines": {"0": 5}}]
)
def test_what_is_no_status_is_refused(told: dict[str, object]) -> None:
    with pytest.raises(ProtocolError):
        readings.inside(told)


def test_a_cloud() -> None:
    told = cloud_params.Cloud(
        type="ec2",
        endpoint="https://x",
        auth_types=["access-key"],
        regions=[cloud_params.CloudRegion(name="north", endpoint="https://n")],
    )
    wanted = Cloud("ec2", "https://x", frozenset({"access-key"}), {"north": "https://n"})
    assert readings.cloud(told) == wanted


def test_a_controllers_pace() -> None:
    config: dict[str, object] = {
        "migration-agent-wait-time": "1h30m",
        "agent-ratelimit-max": 100,
        "agent-ratelimit-rate": 50_000_000,
    }
    assert readings.pace(config) == Pace(5400.0, 100, 0.05)
    assert readings.pace({}) == Pace()
    assert readings.pace({"agent-ratelimit-rate": "never", "agent-ratelimit-max": "x"}) == Pace()


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("15m0s", 900.0), ("1.5h", 5400.0), ("2us", 2e-6)]
)
def test_durations(text: str, seconds: float) -> None:
    assert readings.seconds(text, 0.0) == pytest.approx(seconds)


@given(st.text() | st.none() | st.booleans())
def test_no_duration_is_the_default(value: str | bool | None) -> None:
    found = readings.seconds(value, 7.0)
    assert found == 7.0 or isinstance(value, str)
