"""Unmodified python-libjuju as a service account: by its bare client id, its only way."""

import uuid
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jimm.access.tokens import SessionTokens
from tests.fix_dev import Dev
from tests.system.logins.conftest import Account

with warnings.catch_warnings():
    # libjuju is a guest here: importing it uses what newer websockets deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    from juju.controller import Controller
    from juju.errors import JujuAPIError


@asynccontextmanager
async def connected(dev: Dev, username: str | None, password: str) -> AsyncIterator[Any]:
    """A controller of libjuju's, connected as anybody would connect it."""
    controller = Controller()
    await controller.connect(
        endpoint=dev.address, cacert=dev.ca, username=username, password=password
    )
    try:
        yield controller
    finally:
        await controller.disconnect()


async def test_a_client_id_and_its_secret(dev: Dev, account: Account) -> None:
    name = f"m-{uuid.uuid4().hex[:8]}"
    async with connected(dev, account.client_id, account.secret) as controller:
        assert controller.get_current_username() == account.client_id
        model = await controller.add_model(name, config={"simulated-applications": "ubuntu:1"})
        try:
            assert sorted(model.units) == ["ubuntu/0"]
            await model.set_config({"logging-config": "<root>=DEBUG"})
        finally:
            await model.disconnect()
        assert name in await controller.list_models()
        info = await controller.get_model_info(model_name=name)
        assert info.owner_tag == f"user-{account.client_id}"
        await controller.grant_model("bob", info.uuid, "read")
        await controller.destroy_model(info.uuid)


async def test_a_wrong_secret(dev: Dev, account: Account) -> None:
    with pytest.raises(JujuAPIError, match="invalid entity name or password"):
        async with connected(dev, account.client_id, "wrong"):
            pass


async def test_no_user_name_and_a_session_token(dev: Dev, tokens: SessionTokens) -> None:
    token = (await tokens.issue("alice@jimm", "libjuju")).token.reveal()
    async with connected(dev, None, token) as controller:
        await controller.list_models()
