"""Unmodified python-libjuju through JIMM: the round that most programs make, and its errors."""

import uuid
import warnings
from typing import Any

import pytest

from tests.eventually import eventually
from tests.fix_dev import Dev

with warnings.catch_warnings():
    # libjuju is a guest here: importing it uses what newer websockets deprecate.
    warnings.simplefilter("ignore", DeprecationWarning)
    from juju.client.client import CloudCredential
    from juju.controller import Controller
    from juju.errors import JujuAPIError, JujuError


def fresh(stem: str) -> str:
    """A model's name that no other test has."""
    return f"{stem}-{uuid.uuid4().hex[:8]}"


async def gone(controller: Any, name: str) -> None:
    """Waits until a listing does not have it."""

    async def is_gone() -> bool:
        return name not in await controller.list_models()

    assert await eventually(is_gone)


async def test_the_round_that_most_programs_make(dev: Dev) -> None:
    name = fresh("round")
    async with dev.libjuju() as controller:
        model = await controller.add_model(name, config={"simulated-applications": "ubuntu:2"})
        try:
            assert sorted(model.units) == ["ubuntu/0", "ubuntu/1"]
            assert model.applications["ubuntu"].status == "active"
            assert sorted((await model.get_status()).applications) == ["ubuntu"]
            assert model.info.controller_uuid == dev.described["jimm_uuid"]
        finally:
            await model.disconnect()
        assert name in await controller.list_models()
        info = await controller.get_model_info(model_name=name)
        assert (info.name, info.owner_tag) == (name, "user-alice")
        assert info.controller_uuid == dev.described["jimm_uuid"]
        await controller.destroy_model(name)
        await gone(controller, name)


async def test_a_model_s_watcher_stays_open_while_the_model_is_used(dev: Dev) -> None:
    name = fresh("watched")
    async with dev.libjuju() as controller:
        model = await controller.add_model(name, config={"simulated-applications": "app:1"})
        try:
            for _ in range(3):
                assert sorted((await model.get_status()).applications) == ["app"]
            assert model.is_connected()
        finally:
            await model.disconnect()
        await controller.destroy_model(name)


async def test_it_connects_by_the_owner_s_bare_name(dev: Dev) -> None:
    async with dev.libjuju() as controller:
        assert controller.get_current_username() == "alice"
        me = await controller.get_current_user()
        assert (me.username, me.access) == ("alice", "login")
    async with dev.libjuju("admin") as controller:
        assert (await controller.get_current_user()).access == "superuser"


async def test_a_wrong_password_is_juju_s_own_refusal(dev: Dev) -> None:
    with pytest.raises(JujuError, match="invalid entity name or password"):
        await Controller().connect(
            endpoint=dev.address, cacert=dev.ca, username="alice", password="not it at all"
        )


async def test_clouds_and_a_model_with_cloud_and_credential_named(dev: Dev) -> None:
    name = fresh("named")
    async with dev.libjuju() as controller:
        clouds = (await controller.clouds()).clouds
        assert list(clouds) == ["cloud-metro"]
        cloud = await controller.cloud("metro")
        assert sorted(cloud.cloud.auth_types) == ["empty", "userpass"]
        assert [each.name for each in cloud.cloud.regions] == ["north"]
        model = await controller.add_model(
            name, cloud_name="metro", region="north", credential_name="alice"
        )
        await model.disconnect()
        info = await controller.get_model_info(model_name=name)
        assert info.cloud_credential_tag == "cloudcred-metro_alice_alice"
        assert (info.cloud_tag, info.cloud_region) == ("cloud-metro", "north")
        await controller.destroy_model(name)


async def test_a_credential_is_added_and_read_again(dev: Dev) -> None:
    async with dev.libjuju("bob") as controller:
        credential = CloudCredential(
            auth_type="userpass", attrs={"username": "bob", "password": "bobs-cloud-secret"}
        )
        await controller.add_credential("mine", cloud="metro", credential=credential)
        facade = controller._connector.connection()
        told = await facade.rpc(
            {
                "type": "Cloud",
                "version": 7,
                "request": "CredentialContents",
                "params": {
                    "credentials": [{"cloud-name": "metro", "credential-name": "mine"}],
                    "include-secrets": True,
                },
            }
        )
        content = told["response"]["results"][0]["result"]["content"]
        assert content["attrs"] == {"username": "bob", "password": "bobs-cloud-secret"}
        await facade.rpc(
            {
                "type": "Cloud",
                "version": 7,
                "request": "RevokeCredentialsCheckModels",
                "params": {"credentials": [{"tag": "cloudcred-metro_bob_mine"}]},
            }
        )


async def test_a_model_is_shared_used_and_taken_back(dev: Dev) -> None:
    name = fresh("shared")
    async with dev.libjuju() as alice, dev.libjuju("bob") as bob:
        model = await alice.add_model(name, config={"simulated-applications": "app:1"})
        info = model.info.uuid
        await model.disconnect()
        assert name not in await bob.list_models()
        await alice.grant_model("bob", info, acl="read")
        assert name in await bob.list_models()
        his = await bob.get_model(name)
        try:
            assert sorted((await his.get_status()).applications) == ["app"]
        finally:
            await his.disconnect()
        await alice.revoke_model("bob", info, acl="read")
        assert name not in await bob.list_models()
        with pytest.raises(JujuError, match="not found"):
            await bob.get_model_info(model_uuid=info)
        await alice.destroy_model(info)


async def test_two_users_have_models_of_one_name(dev: Dev) -> None:
    name = fresh("same")
    async with dev.libjuju() as alice, dev.libjuju("bob") as bob:
        uuids = set()
        for owner in (alice, bob):
            model = await owner.add_model(name)
            uuids.add(model.info.uuid)
            await model.disconnect()
        assert len(uuids) == 2
        for owner, tag in ((alice, "user-alice"), (bob, "user-bob")):
            info = await owner.get_model_info(model_name=name)
            assert info.owner_tag == tag
            await owner.destroy_model(name)


async def test_a_name_taken_and_a_name_that_cannot_be(dev: Dev) -> None:
    name = fresh("taken")
    async with dev.libjuju() as controller:
        await (await controller.add_model(name)).disconnect()
        with pytest.raises(JujuAPIError, match="already exists"):
            await controller.add_model(name)
        with pytest.raises(JujuAPIError, match="not a valid name"):
            await controller.add_model("Not_A_Name")
        assert name in await controller.list_models()
        await controller.destroy_model(name)
