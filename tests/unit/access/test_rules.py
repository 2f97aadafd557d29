from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.access.rules import (
    Change,
    access_claims,
    administers_jimm,
    covers,
    granted,
    level,
    level_on_controller,
    level_on_model,
    revoked,
)
from jimm.errors import AlreadyExists, NotValid
from jimm.registry.words import EVERYONE, JIMM_KEY, ObjectKind, Relation
from jimm.wire.tags import ControllerUUID, ModelUUID

CONTROLLER = ControllerUUID("c0c0c0c0-0000-4000-8000-000000000001")
MODEL = ModelUUID("a0a0a0a0-0000-4000-8000-000000000001")
OFFER = "b0b0b0b0-0000-4000-8000-000000000001"
OTHER = ModelUUID("a0a0a0a0-0000-4000-8000-000000000002")

LEVELS = {
    ObjectKind.MODEL: ["", "read", "write", "admin"],
    ObjectKind.CLOUD: ["", "add-model", "admin"],
    ObjectKind.CONTROLLER: ["login", "superuser"],
    ObjectKind.OFFER: ["", "read", "consume", "admin"],
}
GRANTABLE = [(kind, name) for kind, levels in LEVELS.items() for name in levels if name]

grantable = st.sampled_from(GRANTABLE)
relation_sets = st.frozensets(st.sampled_from(list(Relation)))


@dataclass(frozen=True)
class Held:
    subject: str
    relation: Relation
    object_kind: ObjectKind
    object_key: str


def after(held: Iterable[Relation], change: Change) -> frozenset[Relation]:
    return (frozenset(held) - change.remove) | change.add


@given(grantable, relation_sets)
def test_a_grant_gives_exactly_that_level_or_was_not_needed(
    wanted: tuple[ObjectKind, str], held: frozenset[Relation]
) -> None:
    kind, name = wanted
    try:
        change = granted(kind, held, name)
    except AlreadyExists:
        assert covers(kind, level(kind, held), name)
        return
    assert not covers(kind, level(kind, held), name)
    assert level(kind, after(held, change)) == name


@given(grantable, relation_sets)
def test_a_revoke_leaves_the_level_below_or_less(
    unwanted: tuple[ObjectKind, str], held: frozenset[Relation]
) -> None:
    kind, name = unwanted
    levels = LEVELS[kind]
    before = levels.index(level(kind, held))
    left = levels.index(level(kind, after(held, revoked(kind, held, name))))
    assert left == min(before, max(0, levels.index(name) - 1))


@given(grantable, relation_sets)
def test_only_what_is_there_goes_and_only_what_is_not_comes(
    wanted: tuple[ObjectKind, str], held: frozenset[Relation]
) -> None:
    kind, name = wanted
    change = revoked(kind, held, name)
    assert change.remove <= held
    assert not change.add & held
    assert bool(change) == (after(held, change) != held)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["read", "write", "admin"]))))
def test_one_relation_at_most_is_held_after_any_history(history: list[tuple[bool, str]]) -> None:
    held: frozenset[Relation] = frozenset()
    for is_grant, name in history:
        try:
            step = granted if is_grant else revoked
            held = after(held, step(ObjectKind.MODEL, held, name))
        except AlreadyExists:
            continue
        assert len(held) <= 1


@pytest.mark.parametrize(
    ("held", "unwanted", "left"),
    [
        ("admin", "admin", "write"),
        ("admin", "write", "read"),
        ("admin", "read", ""),
        ("write", "admin", "write"),
        ("read", "write", "read"),
        ("read", "read", ""),
        ("", "read", ""),
    ],
)
def test_revoking_as_juju_does(held: str, unwanted: str, left: str) -> None:
    relations = granted(ObjectKind.MODEL, [], held).add if held else frozenset[Relation]()
    change = revoked(ObjectKind.MODEL, relations, unwanted)
    assert level(ObjectKind.MODEL, after(relations, change)) == left


def test_everybody_who_logs_in_has_login_on_a_controller() -> None:
    assert level(ObjectKind.CONTROLLER, [Relation.CAN_ADDMODEL]) == "login"
    with pytest.raises(AlreadyExists):
        granted(ObjectKind.CONTROLLER, [], "login")


def test_relations_of_no_level_are_left_alone() -> None:
    held = [Relation.READER, Relation.CONSUMER]
    assert revoked(ObjectKind.MODEL, held, "read") == Change(remove=frozenset({Relation.READER}))


@pytest.mark.parametrize("kind", list(LEVELS))
@pytest.mark.parametrize("name", ["", "root", "ADMIN"])
def test_an_unknown_level_is_refused(kind: ObjectKind, name: str) -> None:
    for act in (granted, revoked):
        with pytest.raises(NotValid, match=f'"{name}" {kind} access not valid'):
            act(kind, [], name)


def test_levels_are_in_order() -> None:
    for kind, levels in LEVELS.items():
        for has, wanted in product(levels, [each for each in levels if each]):
            assert covers(kind, has, wanted) == (levels.index(has) >= levels.index(wanted))


def held(subject: str, relation: Relation, kind: ObjectKind, key: str) -> Held:
    return Held(subject, relation, kind, key)


JIMM_ADMIN = held("alice@jimm", Relation.ADMINISTRATOR, ObjectKind.JIMM, JIMM_KEY)


def test_claims_name_what_is_held_and_nothing_else() -> None:
    claims = access_claims(
        "alice@jimm",
        [
            held("alice@jimm", Relation.WRITER, ObjectKind.MODEL, MODEL),
            held("bob@jimm", Relation.ADMINISTRATOR, ObjectKind.MODEL, MODEL),
            held("bob@jimm", Relation.ADMINISTRATOR, ObjectKind.CONTROLLER, CONTROLLER),
            held(EVERYONE, Relation.CAN_ADDMODEL, ObjectKind.CLOUD, "metro"),
        ],
        controller=CONTROLLER,
        models={MODEL: "bob@jimm", OTHER: "bob@jimm"},
        clouds=["metro", "other"],
    )
    assert claims == {
        f"controller-{CONTROLLER}": "login",
        f"model-{MODEL}": "write",
        "cloud-metro": "add-model",
    }


@pytest.mark.parametrize(
    "reason",
    [JIMM_ADMIN, held("alice@jimm", Relation.ADMINISTRATOR, ObjectKind.CONTROLLER, CONTROLLER)],
)
def test_administrators_have_everything_on_a_controller(reason: Held) -> None:
    claims = access_claims(
        "alice@jimm", [reason], controller=CONTROLLER, models={MODEL: "bob@jimm"}, clouds=["metro"]
    )
    assert claims == {
        f"controller-{CONTROLLER}": "superuser",
        f"model-{MODEL}": "admin",
        "cloud-metro": "admin",
    }


@pytest.mark.parametrize(("owner", "named"), [("bob@jimm", True), ("alice@jimm", False)])
def test_claims_name_offers_to_those_who_do_not_administer_the_model(
    owner: str, named: bool
) -> None:
    held_ = [
        held("alice@jimm", Relation.READER, ObjectKind.MODEL, MODEL),
        held("alice@jimm", Relation.CONSUMER, ObjectKind.OFFER, OFFER),
        held("bob@jimm", Relation.ADMINISTRATOR, ObjectKind.OFFER, OTHER),
    ]
    claims = access_claims("alice@jimm", held_, controller=CONTROLLER, models={MODEL: owner})
    offers = {tag: level for tag, level in claims.items() if tag.startswith("applicationoffer-")}
    assert offers == ({f"applicationoffer-{OFFER}": "consume"} if named else {})


def test_a_model_without_a_controller_is_read_by_its_own_relations() -> None:
    mine = held("alice@jimm", Relation.READER, ObjectKind.MODEL, MODEL)
    for holding, model, owner, found in (
        (mine, MODEL, "bob@jimm", "read"),
        (mine, OTHER, "bob@jimm", ""),
        (mine, OTHER, "alice@jimm", "admin"),
        (JIMM_ADMIN, MODEL, "bob@jimm", "admin"),
    ):
        has = level_on_model("alice@jimm", [holding], model=model, controller=None, owner=owner)
        assert has == found


def test_jimm_is_administered_by_name_only() -> None:
    everyone = held(EVERYONE, Relation.ADMINISTRATOR, ObjectKind.JIMM, JIMM_KEY)
    assert administers_jimm("alice@jimm", [JIMM_ADMIN])
    assert not administers_jimm("alice@jimm", [everyone])
    assert not administers_jimm("bob@jimm", [JIMM_ADMIN])
    assert level_on_controller("bob@jimm", [JIMM_ADMIN, everyone], CONTROLLER) == "login"
