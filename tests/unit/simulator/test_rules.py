"""How the state may change."""

import datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import AlreadyExists, Conflict, JimmError, NotFound
from jimm.simulator import rules, scenarios
from jimm.simulator.state import Cloud, Life, LocalUser, Model, ModelUser, Region, Status
from jimm.wire.tags import ModelUUID

NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
LEVELS = ("", "read", "write", "admin")


def a_model(**fields: object) -> Model:
    known: dict[str, object] = {
        "uuid": ModelUUID("00000000-0000-4000-8000-000000000001"),
        "name": "m1",
        "owner": "admin",
        "cloud": "metro",
        "status": Status(status="available", since=NOW),
        "agent_version": "3.6.9",
        "created": NOW,
    }
    return Model(**{**known, **fields})  # type: ignore[arg-type]


def test_a_password_fits_its_own_hash_and_no_other() -> None:
    user = LocalUser(name="bob", created=NOW, password=rules.hash_password("right"))
    assert rules.password_fits(user, "right")
    assert not rules.password_fits(user, "wrong")
    disabled = LocalUser(name="bob", created=NOW, password=user.password, disabled=True)
    assert not rules.password_fits(disabled, "right")
    assert "hash" not in repr(user.password)


@pytest.mark.parametrize(("life", "following"), [*product(("alive", "dying", "dead"), repeat=2)])
def test_a_life_goes_one_way(life: Life, following: Life) -> None:
    allowed = {("alive", "dying"), ("dying", "dead")}
    if (life, following) in allowed:
        assert rules.with_life(a_model(life=life), following, NOW).life == following
        return
    with pytest.raises(ValueError, match="does not become"):
        rules.with_life(a_model(life=life), following, NOW)


def test_the_controllers_model_does_not_die() -> None:
    with pytest.raises(Conflict):
        rules.dying(a_model(is_controller=True), NOW)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(("grant", "revoke")), st.sampled_from(LEVELS[1:])), max_size=12
    )
)
def test_access_goes_up_by_grants_and_down_by_revokes(steps: list[tuple[str, str]]) -> None:
    model = a_model(users={"admin": ModelUser(access="admin")})
    level = 0
    for action, access in steps:
        wanted = LEVELS.index(access)
        try:
            if action == "grant":
                model = rules.grant(model, "bob", access)
                assert wanted > level
                level = wanted
            else:
                model = rules.revoke(model, "bob", access)
                assert level > 0
                level = min(level, wanted - 1)
        except AlreadyExists:
            assert action == "grant"
            assert wanted <= level
        except NotFound:
            assert action == "revoke"
            assert level == 0
        entry = model.users.get("bob")
        assert (entry.access if entry else "") == LEVELS[level]
    assert model.users["admin"].access == "admin"


@pytest.mark.parametrize(
    ("regions", "region", "fits"),
    [((), "", True), (("north",), "north", True), (("north",), "", False), ((), "x", False)],
)
def test_a_region_is_one_of_the_clouds(regions: tuple[str, ...], region: str, fits: bool) -> None:
    cloud = Cloud(name="metro", regions=tuple(Region(name=each) for each in regions))
    if fits:
        rules.check_region(cloud, region)
        return
    with pytest.raises(NotFound, match="expected one of"):
        rules.check_region(cloud, region)


@given(st.text(max_size=40))
def test_any_setting_furnishes_or_is_refused(setting: str) -> None:
    try:
        model = scenarios.furnished(a_model(config={scenarios.SETTING: setting[:20]}), NOW)
    except JimmError:
        return
    units = [unit for each in model.applications.values() for unit in each.units.values()]
    assert {unit.machine for unit in units} <= set(model.machines)
