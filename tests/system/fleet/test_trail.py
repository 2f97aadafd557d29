"""The audit trail, and that no secret is anywhere in clear."""

import json
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from jimm.simulator.core import Options
from jimm.simulator.server import Simulator
from tests.fix_dev import Dev, make
from tests.juju_client import Refused, Socket

SEEDED = f"seeded-{uuid.uuid4().hex}"
"""In every secret that the test puts in."""


def database_url(dev: Dev) -> str:
    """The database of a `jimm dev`."""
    pid = dev.described["pids"]["jimm"][0]
    for each in Path(f"/proc/{pid}/environ").read_text().split("\0"):
        if each.startswith("JIMM_DATABASE_URL="):
            return each.partition("=")[2]
    raise AssertionError("JIMM has no database")


def everything(url: str) -> dict[str, str]:
    """Each table as one text."""
    found = {}
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        for (name,) in tables:
            query = sql.SQL("SELECT row_to_json(t)::text FROM {} t").format(sql.Identifier(name))
            found[name] = "\n".join(row[0] for row in connection.execute(query))
    return found


def clear_forms(secret: str) -> list[str]:
    """A secret as it might be written, in a text or in the hexadecimal of a bytea."""
    return [secret, secret.encode().hex(), json.dumps(secret)[1:-1]]


async def use_everything(dev: Dev, alice: Socket, admin: Socket, peer: Simulator) -> str:
    """Each changing use case once, with secrets where there may be some; the model's uuid."""
    credential = {
        "auth-type": "userpass",
        "attrs": {"username": "alice", "password": f"{SEEDED}-credential"},
    }
    told = await alice.call(
        "Cloud",
        7,
        "UpdateCredentialsCheckModels",
        {"credentials": [{"tag": "cloudcred-metro_alice_alice", "credential": credential}]},
    )
    assert "error" not in told["results"][0]
    config = {"name-of-a-secret": f"{SEEDED}-config"}
    params = {"name": "audited", "owner-tag": "user-alice", "config": config}
    model = (await alice.call("ModelManager", 10, "CreateModel", params))["uuid"]
    with pytest.raises(Refused, match="already exists"):
        await alice.call("ModelManager", 10, "CreateModel", {**params, "config": {"a": SEEDED}})
    change = {"user-tag": "user-bob", "access": "read", "model-tag": f"model-{model}"}
    for action in ("grant", "revoke"):
        told = await alice.call(
            "ModelManager", 10, "ModifyModelAccess", {"changes": [{**change, "action": action}]}
        )
        assert told["results"] == [{}]
    registration: dict[str, Any] = peer.registration()
    await admin.call("JIMM", 4, "AddController", registration)
    wrong = {**registration, "name": "wrong", "password": f"{SEEDED}-wrong"}
    for bad in (wrong, {**wrong, "uuid": "x"}, {**wrong, "api-addresses": ["x:x"]}):
        with pytest.raises(Refused) as refused:
            await admin.call("JIMM", 4, "AddController", bad)
        assert SEEDED not in refused.value.message
    await admin.call("JIMM", 4, "RemoveController", {"name": registration["name"]})
    return str(model)


async def test_each_change_leaves_a_row_and_no_secret_is_in_clear() -> None:
    dev = make(controllers=1)
    peer = Simulator(Options(name="adopted", speed=50.0, password=f"{SEEDED}-admin"))
    try:
        dev.start()
        await peer.start()
        async with dev.socket() as alice, dev.socket("admin") as admin:
            model = await use_everything(dev, alice, admin, peer)
            async with dev.socket("alice", f"/model/{model}/api") as pipe:
                await pipe.call("Client", 6, "FullStatus", {"patterns": []})
            with closing(dev.rest("alice")) as client:
                token = client.headers["Authorization"].removeprefix("Bearer ")
                assert client.get("/whoami").status_code == 200
                wrong = {"username": "alice", "password": f"{SEEDED}-guess"}
                assert client.post("/tokens", json=wrong).status_code == 401
            await alice.call(
                "ModelManager", 10, "DestroyModels", {"models": [{"model-tag": f"model-{model}"}]}
            )
            told = await alice.call(
                "Cloud",
                7,
                "RevokeCredentialsCheckModels",
                {"credentials": [{"tag": "cloudcred-metro_alice_alice", "force": True}]},
            )
            assert told["results"] == [{}]
        assert_trail(database_url(dev), model)
        secrets = [SEEDED, token, *(each["password"] for each in dev.described["users"])]
        secrets += [each["password"] for each in dev.described["controllers"]]
        tables = everything(database_url(dev))
        assert len(tables) > 15
        for name, text in tables.items():
            for secret in secrets:
                for form in clear_forms(secret):
                    assert form not in text, f"a secret is in table {name}"
            assert "PRIVATE KEY" not in text, name
        log = (dev.folder / "run" / "jimm.log").read_text()
        for secret in secrets:
            assert secret not in log, "a secret is in JIMM's log"
        assert "Traceback" not in log, log[log.index("Traceback") :][:3000]
    finally:
        await peer.stop()
        dev.destroy()


def assert_trail(url: str, model: str) -> None:
    """Who did what, through which door."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT identity, door, action, model_uuid::text, controller, outcome"
            " FROM audit_events WHERE action <> 'call' ORDER BY at, id"
        ).fetchall()
    trail = [(who, door, action) for who, door, action, _, _, _ in rows]
    for wanted in (
        ("admin@jimm", "rest", "add-controller"),
        ("alice@jimm", "api", "update-credential"),
        ("alice@jimm", "api", "create-model"),
        ("alice@jimm", "api", "grant-model"),
        ("alice@jimm", "api", "revoke-model"),
        ("admin@jimm", "api", "add-controller"),
        ("admin@jimm", "api", "remove-controller"),
        ("alice@jimm", "api", "destroy-model"),
        ("alice@jimm", "api", "revoke-credential"),
    ):
        assert wanted in trail, (wanted, trail)
    about = {action for _, _, action, uuid_, _, _ in rows if uuid_ == model}
    assert about == {"create-model", "grant-model", "revoke-model", "destroy-model"}
