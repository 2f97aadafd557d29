"""A model as YAML, there and back, and what the other side makes of it."""

import datetime

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jimm.simulator.migration import description, lifecycle
from jimm.simulator.migration.description import Description, Unreadable
from jimm.simulator.migration.imports import import_problem
from jimm.simulator.migration.prechecks import Problem
from jimm.simulator.state import (
    Credential,
    Endpoint,
    LocalUser,
    Model,
    ModelAccess,
    ModelUser,
    Relation,
    Status,
)
from tests.unit.simulator.migration.values import (
    CREDENTIAL,
    HERE,
    NOW,
    UUID,
    controller,
    credential,
    model,
    target,
)


def read_back(written: Model, using: Credential | None) -> Description:
    data = description.write(written, using, version=12)
    return description.read(data, newest=12)


def test_a_model_comes_back_as_it_was() -> None:
    relation = Relation(
        id=1,
        key="a:db b:server",
        endpoints=(Endpoint(application="a", name="db", role="requirer", interface="sql"),),
    )
    written = replace(
        model(),
        relations=(relation,),
        config={"logging-config": "<root>=INFO"},
        constraints={"mem": 1024},
        annotations={"application-a": {"x": "1"}},
        migration_attempts=3,
    )
    found = read_back(written, credential())
    assert found.model == written
    assert found.credential == credential()


def test_a_model_without_a_credential() -> None:
    written = replace(model(), credential=None)
    found = read_back(written, None)
    assert found.model == written
    assert found.credential is None


NAMES = st.from_regex(r"[a-z][a-z0-9]{1,8}(@[a-z]{2,5})?", fullmatch=True)
ACCESS = st.sampled_from(["read", "write", "admin"])
TIMES = st.datetimes(
    min_value=datetime.datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime.datetime(2100, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.just(datetime.UTC),
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]))


@given(
    users=st.dictionaries(NAMES, st.tuples(ACCESS, TEXTS), min_size=1, max_size=4),
    config=st.dictionaries(st.sampled_from(["a", "b"]), TEXTS | st.integers() | st.booleans()),
    created=TIMES,
)
def test_whatever_it_holds_survives(
    users: dict[str, tuple[ModelAccess, str]], config: dict[str, object], created: datetime.datetime
) -> None:
    written = replace(
        model(),
        users={
            name: ModelUser(access=access, display_name=shown)
            for name, (access, shown) in users.items()
        },
        config=config,
        created=created,
    )
    assert read_back(written, credential()).model == written


def test_an_export_tells_nothing_of_the_target() -> None:
    moving = lifecycle.started(model(), target(), NOW)
    data = description.write(moving, credential(), version=12)
    assert b"hunter2" not in data
    assert description.read(data, newest=12).model.migration is None


def test_the_top_level_keys() -> None:
    plain = yaml.safe_load(description.write(model(), credential(), version=12))
    assert plain["config"] == {"name": "m", "uuid": UUID}
    assert plain["cloud-credential"]["attributes"] == {"username": "u", "password": "p"}
    assert plain["sequences"] == {"modelmigration": 0}
    assert plain["users"]["version"] == 1
    assert set(plain["users"]["users"][0]) >= {"name", "access", "created-by", "date-created"}


@pytest.mark.parametrize(("version", "newest"), [("3.6.25", 11), ("3.6.26", 12), ("4.0.1", 14)])
def test_the_format_follows_the_controller(version: str, newest: int) -> None:
    assert description.newest_version(version) == newest


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (description.write(model(), None, version=12), "version 12 not valid"),
        (b"version: 0", "version 0 not valid"),
        (b"just text", "missing 'version'"),
        (b"[", "yaml: cannot be read"),
        (b"\xff", "yaml: cannot be read"),
        (b"version: 11", "model v11 schema check failed"),
    ],
)
def test_what_cannot_be_read(data: bytes, text: str) -> None:
    with pytest.raises(Unreadable, match=text):
        description.read(data, newest=11)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_unreadable(data: bytes) -> None:
    try:
        description.read(data, newest=12)
    except Unreadable:
        pass


def importing(
    incoming: Model, *here: Model, using: Credential | None = None, known: Credential | None = None
) -> Problem | None:
    return import_problem(
        Description(model=incoming, credential=using),
        controller=controller(),
        models=here,
        local_users=[LocalUser(name="admin", created=NOW).name],
        credentials={known.id: known} if known is not None else {},
    )


def test_imports_that_go_well() -> None:
    assert importing(model(), using=credential()) is None
    assert importing(model(), using=credential(), known=credential()) is None


def with_attrs(**attrs: str) -> Credential:
    return replace(credential(), attrs=attrs)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (importing(model(), model()), f"model {UUID} already exists"),
        (importing(replace(model(), cloud="x")), 'cloud "x" not found'),
        (
            importing(replace(model(), region="r")),
            'region "r" not found (expected one of ["north" "south"])',
        ),
        (
            importing(model(), using=credential(), known=replace(credential(), auth_type="oauth")),
            'credential auth type mismatch: "oauth" != "userpass"',
        ),
        (
            importing(model(), using=credential(), known=with_attrs(username="u", password="q")),
            (
                "credential attribute mismatch: "
                "map[password:q username:u] != map[password:p username:u]"
            ),
        ),
        (
            importing(model(), using=credential(), known=replace(credential(), valid=False)),
            f'credential "{CREDENTIAL}" is revoked',
        ),
        (
            importing(model(), replace(model(), uuid=HERE)),
            'model "m" for alice@jimm already exists',
        ),
        (
            importing(replace(model(), owner="bob")),
            'granting admin permission to the owner: user "bob" not found',
        ),
    ],
)
def test_imports_that_fail(found: Problem | None, text: str) -> None:
    assert found is not None
    assert found.message == text


def test_a_status_is_not_carried_over() -> None:
    moving = replace(model(), status=Status(status="busy", info="migrating: x", since=NOW))
    assert read_back(moving, None).model.status == Status(status="busy", since=NOW)
