"""How a command finds JIMM and a login, and what it says when it does not."""

import asyncio
import json
from pathlib import Path
from typing import Any

import yaml

from jimm.net.certificates import Authority
from tests.fix_dev import Dev
from tests.system.jimmctl.conftest import Ctl, login_of
from tests.system.rest.scene import client_of


async def token_of(dev: Dev, user: str) -> str:
    """A session token."""
    async with client_of(dev, user) as client:
        return client.headers["Authorization"].removeprefix("Bearer ")


def juju_store(dev: Dev, folder: Path, account: dict[str, Any]) -> Path:
    """What ``juju login`` leaves behind."""
    folder.mkdir(parents=True)
    controller = {
        "uuid": dev.described["jimm_uuid"],
        "api-endpoints": [dev.address],
        "ca-cert": dev.ca,
        "cloud": "metro",
    }
    whole = {"controllers": {"broker": controller}, "current-controller": "broker"}
    (folder / "controllers.yaml").write_text(yaml.safe_dump(whole))
    (folder / "accounts.yaml").write_text(yaml.safe_dump({"controllers": {"broker": account}}))
    return folder


async def test_flags_and_variables(dev: Dev, bare: Ctl) -> None:
    where = {"JIMMCTL_ADDRESS": dev.address, "JIMMCTL_CA_CERT": dev.described["ca_cert"]}
    flags = ("--address", dev.address, "--ca-cert", dev.described["ca_cert"], "--user", "bob")
    password = {"JIMMCTL_PASSWORD": dev.password("bob")}
    token = await token_of(dev, "alice")
    for started, expected in (
        (bare("whoami", *flags, **password), "bob"),
        (bare("whoami", **where, JIMMCTL_TOKEN=token), "alice"),
        (bare("whoami", *flags, **password, JIMMCTL_TOKEN=token), "bob"),
        (bare("whoami", *flags, **{**login_of(dev, "alice"), **password}), "bob"),
    ):
        done = await started
        assert (done.status, done.err) == (0, "")
        assert done.yaml["identity"] == expected


async def test_its_own_stored_login(dev: Dev, bare: Ctl, tmp_path: Path) -> None:
    data = tmp_path / "data"
    here = {"JIMMCTL_DATA": str(data)}
    flags = ("--address", dev.address, "--ca-cert", dev.described["ca_cert"], "--user", "alice")
    password = f"{dev.password('alice')}\n"
    done = await bare("login", *flags, "--password-stdin", stdin=password, **here)
    assert (done.status, done.out) == (0, "")
    assert done.err == f"logged in to {dev.address} as alice\n"
    (file,) = data.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(file.read_text())
    assert dev.password("alice") not in file.read_text()
    assert (await bare("whoami", **here)).yaml["identity"] == "alice"
    mine = await bare("models", "--format", "json", **here)
    assert list(mine.json) == ["models"]
    assert (await bare("logout", **here)).err == f"logged out of {dev.address}\n"
    assert not file.exists()
    where = {"JIMMCTL_ADDRESS": dev.address, "JIMMCTL_CA_CERT": dev.described["ca_cert"]}
    gone = await bare("whoami", **where, JIMMCTL_TOKEN=kept["token"])
    assert "not valid" in gone.error
    assert "no JIMM is known" in (await bare("whoami", **here)).misuse


async def test_after_juju_login_no_second_one_is_needed(
    dev: Dev, bare: Ctl, tmp_path: Path
) -> None:
    token = {"type": "oauth2-device-flow", "access-token": await token_of(dev, "alice")}
    password = {"user": "bob", "password": dev.password("bob"), "last-known-access": "login"}
    one = juju_store(dev, tmp_path / "token", {**token, "user": "alice"})
    other = juju_store(dev, tmp_path / "password", password)
    home = juju_store(dev, tmp_path / "home" / ".local" / "share" / "juju", password)
    runs = await asyncio.gather(
        bare("whoami", JUJU_DATA=str(one)),
        bare("whoami", JUJU_DATA=str(other)),
        bare("whoami", HOME=str(home.parents[2])),
    )
    assert [each.yaml["identity"] for each in runs] == ["alice", "bob", "bob"]
    assert {each.err for each in runs} == {""}


async def test_the_order_is_given_then_stored_then_juju_s(
    dev: Dev, bare: Ctl, tmp_path: Path
) -> None:
    store = juju_store(dev, tmp_path / "juju", {"user": "bob", "password": dev.password("bob")})
    here = {"JUJU_DATA": str(store), "JIMMCTL_DATA": str(tmp_path / "data")}
    assert (await bare("whoami", **here)).yaml["identity"] == "bob"
    password = dev.password("alice")
    done = await bare("login", "--user", "alice", "--password-stdin", stdin=password, **here)
    assert done.status == 0, done.err
    assert (await bare("whoami", **here)).yaml["identity"] == "alice"
    given = await bare("whoami", **here, JIMMCTL_TOKEN=await token_of(dev, "admin"))
    assert given.yaml["identity"] == "admin"
    assert (await bare("whoami", "--user", "bob", **here)).yaml["identity"] == "bob"
    elsewhere = await bare("whoami", "--address", "127.0.0.1:1", **here)
    assert "not logged in to 127.0.0.1:1" in elsewhere.error


async def test_wrong_logins(dev: Dev, ctl: Ctl, bare: Ctl) -> None:
    wrong = await ctl("whoami", JIMMCTL_PASSWORD="not it")
    assert wrong.error == "invalid entity name or password"
    many = await ctl("migrate", "controller-1", "alice/a", "alice/b", JIMMCTL_PASSWORD="not it")
    assert many.error == "invalid entity name or password"
    flags = ("--address", dev.address, "--ca-cert", dev.described["ca_cert"], "--user", "alice")
    login = await bare("login", *flags, "--password-stdin", stdin="not it\n")
    assert login.error == "invalid entity name or password"
    assert "is empty" in (await bare("login", *flags, "--password-stdin", stdin="\n")).misuse
    token = await ctl("whoami", JIMMCTL_USER="", JIMMCTL_PASSWORD="", JIMMCTL_TOKEN="garbage")
    assert "set another JIMMCTL_TOKEN" in token.error
    nobody = await ctl("whoami", JIMMCTL_USER="", JIMMCTL_PASSWORD="")
    assert "not logged in" in nobody.error


async def test_wrong_places(dev: Dev, ctl: Ctl, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.crt"
    stranger.write_text(Authority.create("another authority").certificate_pem)
    junk = tmp_path / "junk.crt"
    junk.write_text("junk")
    other = dev.described["controllers"][0]
    tries = await asyncio.gather(
        ctl("models", JIMMCTL_CA_CERT=str(stranger)),
        ctl("models", JIMMCTL_CA_CERT=""),
        ctl("models", JIMMCTL_ADDRESS="127.0.0.1:1"),
        ctl("models", JIMMCTL_ADDRESS="no-such-host.invalid:1"),
        ctl("models", JIMMCTL_ADDRESS=other["address"]),
        ctl("models", JIMMCTL_ADDRESS=other["address"], JIMMCTL_CA_CERT=other["ca_cert"]),
    )
    words = (
        "another authority than the given one",
        "give JIMM's own with --ca-cert FILE",
        "nothing answers at 127.0.0.1:1",
        "nothing answers at no-such-host.invalid:1",
        "another authority than the given one",
        "as no JIMM does",
    )
    for done, expected in zip(tries, words, strict=True):
        assert expected in done.error
    for wrong in (junk, tmp_path / "none.crt"):
        assert str(wrong) in (await ctl("models", JIMMCTL_CA_CERT=str(wrong))).misuse
    assert "is not an address" in (await ctl("models", JIMMCTL_ADDRESS="a b")).misuse


async def test_a_run_leaves_no_token_behind(dev: Dev, ctl: Ctl) -> None:
    async with client_of(dev, "alice") as client:
        before = (await client.get("/tokens")).json()["tokens"]
        assert (await ctl("whoami", user="alice")).status == 0
        after = (await client.get("/tokens")).json()["tokens"]
    assert [each["id"] for each in after] == [each["id"] for each in before]
