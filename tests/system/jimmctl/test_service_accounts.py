"""Accounts of programs, and session tokens, from the command line."""

import uuid
from contextlib import closing
from typing import Any

from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.system.jimmctl.conftest import Ctl, login_of


async def test_an_account_from_its_making_to_its_end(dev: Dev, bare: Ctl) -> None:
    admin, name = login_of(dev, "admin"), f"ci-{uuid.uuid4().hex[:8]}"
    added = await bare("add-service-account", name, "--format", "json", **admin)
    assert added.json.keys() == {"client-id", "client-secret", "identity"}
    assert added.json["identity"] == f"{name}@serviceaccount"
    login = {**admin, "JIMMCTL_USER": name, "JIMMCTL_PASSWORD": added.json["client-secret"]}
    assert (await bare("whoami", **login)).yaml["identity"] == f"{name}@serviceaccount"

    async def used() -> dict[str, Any] | None:  # it is noted a moment later
        listed = (await bare("service-accounts", **admin)).yaml["service-accounts"]
        row: dict[str, Any] = next(each for each in listed if each["client-id"] == name)
        return row if "last-login" in row else None

    row = await eventually(used)
    assert list(row) == ["client-id", "identity", "created-by", "created", "last-login"]
    table = await bare("list-service-accounts", "--format", "tabular", **admin)
    assert name in table.out
    assert "Client id" in table.out
    again = await bare("add-service-account", name, **admin)
    assert again.error == f'service account "{name}" already exists'
    replaced = await bare("add-service-account", "--replace", name, **admin)
    assert replaced.yaml["client-secret"] != added.json["client-secret"]
    assert "invalid entity name or password" in (await bare("whoami", **login)).error
    removed = await bare("remove-service-account", name, **admin)
    assert removed.err == f"removed service account {name}\n"
    assert (await bare("remove-service-account", name, **admin)).status == 1


async def test_tokens_are_listed_and_ended(dev: Dev, bare: Ctl) -> None:
    bob, admin = login_of(dev, "bob"), login_of(dev, "admin")
    with closing(dev.rest("bob")) as session:
        token = session.headers["Authorization"].removeprefix("Bearer ")
        by_token = {**bob, "JIMMCTL_TOKEN": token, "JIMMCTL_PASSWORD": ""}
        mine = (await bare("tokens", **by_token)).yaml["tokens"]
        assert list(mine[0])[:2] == ["id", "name"]
        theirs = (await bare("tokens", "bob", **admin)).yaml["tokens"]
        assert mine[0]["id"] in {each["id"] for each in theirs}
        ended = await bare("revoke-token", mine[0]["id"], **admin)
        assert ended.err == f"revoked token {mine[0]['id']}\n"
        assert session.get("/whoami").status_code == 401
    assert "permission denied" in (await bare("tokens", "alice", **bob)).error
    misuse = (await bare("revoke-token", token, **admin)).misuse
    assert token not in misuse
