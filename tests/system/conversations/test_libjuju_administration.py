"""Unmodified python-libjuju through JIMM: credentials, and what administrators do."""

import warnings
from typing import Any

import pytest

from tests.fix_dev import Dev

with warnings.catch_warnings():
    # libjuju is a guest here: importing it uses what newer websockets deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    from juju.client import client
    from juju.errors import JujuError

NAME = "by-libjuju"
TAG = f"cloudcred-metro_bob_{NAME}"


def userpass(password: str) -> Any:
    """A credential of bob's."""
    return client.CloudCredential(
        auth_type="userpass", attrs={"username": "bob", "password": password}
    )


async def attributes(cloud: Any) -> dict[str, str]:
    """What JIMM shows of bob's credential."""
    told = await cloud.CredentialContents(
        credentials=[client.CloudCredentialArg(cloud_name="metro", credential_name=NAME)],
        include_secrets=True,
    )
    found: dict[str, str] = told.results[0].result.content.attrs
    return found


async def test_a_credential_is_added_updated_shown_and_revoked(dev: Dev) -> None:
    async with dev.libjuju("bob") as controller:
        cloud = client.CloudFacade.from_connection(controller.connection())
        for password in ("first-password", "second-password"):
            await controller.add_credential(NAME, cloud="metro", credential=userpass(password))
            assert (await attributes(cloud))["password"] == password
        listed = await cloud.UserCredentials(
            user_clouds=[client.UserCloud(cloud_tag="cloud-metro", user_tag="user-bob")]
        )
        assert TAG in listed.results[0].result
        revoked = await cloud.RevokeCredentialsCheckModels(
            credentials=[client.RevokeCredentialArg(tag=TAG, force=False)]
        )
        assert revoked.results[0].error is None
        again = await cloud.UserCredentials(
            user_clouds=[client.UserCloud(cloud_tag="cloud-metro", user_tag="user-bob")]
        )
        assert TAG not in (again.results[0].result or [])


async def test_an_administrator_grants_and_revokes_on_the_controller(dev: Dev) -> None:
    async with dev.libjuju("admin") as admin:
        assert await admin.grant("bob", "superuser")
        try:
            assert (await admin.get_user("bob")).access == "superuser"
        finally:
            await admin.revoke("bob", "superuser")
        assert (await admin.get_user("bob")).access == "login"


async def test_a_user_grants_nothing_on_the_controller(dev: Dev) -> None:
    async with dev.libjuju("bob") as bob:
        with pytest.raises(JujuError, match="permission denied"):
            await bob.grant("bob", "superuser")


async def test_users_are_listed(dev: Dev) -> None:
    async with dev.libjuju("admin") as admin:
        users = {each.username: each.access for each in await admin.get_users()}
    assert {"admin", "alice", "bob"} <= users.keys()
    assert users["admin"] == "superuser"
