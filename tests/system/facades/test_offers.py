"""Offers on ``/api`` through the raw client: made, listed, found, shared, consumed, taken back."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jimm.wire.tags import is_uuid
from tests.fix_dev import Dev
from tests.juju_client import Refused, Socket

APPLICATION = "db"


@asynccontextmanager
async def model_of(socket: Socket, **more: Any) -> AsyncIterator[dict[str, Any]]:
    """A model with the application ``db``, destroyed at the end."""
    params = {
        "name": f"o-{uuid.uuid4().hex[:8]}x",
        "owner-tag": "",
        "config": {"simulated-applications": f"{APPLICATION}:1"},
        **more,
    }
    made: dict[str, Any] = await socket.call("ModelManager", 10, "CreateModel", params)
    try:
        yield made
    finally:
        models = [{"model-tag": f"model-{made['uuid']}", "force": True}]
        await socket.call("ModelManager", 10, "DestroyModels", {"models": models})


async def offer(socket: Socket, model: str, name: str = "pg", **more: Any) -> dict[str, Any]:
    """The row of an ``Offer``."""
    wanted = {
        "model-tag": f"model-{model}",
        "offer-name": name,
        "application-name": APPLICATION,
        "application-description": "a database",
        "endpoints": {"server": "server"},
        **more,
    }
    told = await socket.call("ApplicationOffers", 5, "Offer", {"Offers": [wanted]})
    row: dict[str, Any] = told["results"][0]
    return row


async def query(
    socket: Socket, method: str, version: int = 5, **wanted: Any
) -> list[dict[str, Any]]:
    """The offers of one filter; underscores in keys are hyphens."""
    filters = {key.replace("_", "-"): value for key, value in wanted.items()}
    told = await socket.call("ApplicationOffers", version, method, {"Filters": [filters]})
    assert not any("error" in row for row in told["results"])
    return list(told["results"])


async def found(socket: Socket, **wanted: Any) -> list[str]:
    """The urls of ``FindApplicationOffers``."""
    return [each["offer-url"] for each in await query(socket, "FindApplicationOffers", **wanted)]


async def one(socket: Socket, method: str, **params: Any) -> dict[str, Any]:
    """The only row of a call; underscores in keys are hyphens."""
    given = {key.replace("_", "-"): value for key, value in params.items()}
    told = await socket.call("ApplicationOffers", 5, method, given)
    assert len(told["results"]) == 1
    row: dict[str, Any] = told["results"][0]
    return row


async def change(socket: Socket, action: str, access: str, user: str, url: str) -> dict[str, Any]:
    """The row of a ``ModifyOfferAccess``."""
    wanted = {"user-tag": f"user-{user}", "action": action, "access": access, "offer-url": url}
    return await one(socket, "ModifyOfferAccess", changes=[wanted])


@asynccontextmanager
async def offered(dev: Dev) -> AsyncIterator[tuple[Socket, dict[str, Any], str]]:
    """alice's connection, a model of hers, and the url of its offer ``pg``."""
    async with dev.socket() as alice, model_of(alice) as model:
        assert await offer(alice, model["uuid"]) == {}
        yield alice, model, f"alice/{model['name']}.pg"


async def test_an_offer_is_told_as_a_controller_tells_it(dev: Dev) -> None:
    async with offered(dev) as (alice, model, url):
        listed = await query(
            alice, "ListApplicationOffers", owner_name="alice", model_name=model["name"]
        )
        assert len(listed) == 1
        assert is_uuid(listed[0].pop("offer-uuid"))
        assert listed[0] == {
            "source-model-tag": f"model-{model['uuid']}",
            "offer-url": url,
            "offer-name": "pg",
            "application-description": "a database",
            "endpoints": [
                {"name": "server", "role": "provider", "interface": "server", "limit": 0}
            ],
            "users": [{"user": "alice", "display-name": "", "access": "admin"}],
            "application-name": APPLICATION,
            "charm-url": f"ch:amd64/{APPLICATION}-1",
        }
        for spelt in (url, f"{model['name']}.pg", f"jimm:{url}"):
            row = await one(alice, "ApplicationOffers", offer_urls=[spelt], bakery_version=3)
            assert row["result"]["offer-url"] == url


async def test_each_version_knows_its_own_key_for_the_owner(dev: Dev) -> None:
    async with offered(dev) as (_, model, url), dev.socket("admin") as admin:
        name = model["name"]
        for version, key in ((4, "owner_name"), (5, "owner_name"), (6, "model_qualifier")):
            for method in ("ListApplicationOffers", "FindApplicationOffers"):
                told = await query(admin, method, version, model_name=name, **{key: "alice"})
                assert [each["offer-url"] for each in told] == [url]
                with pytest.raises(Refused) as refused:
                    await query(admin, method, version, model_name=name, **{key: "bob"})
                assert refused.value.message == f'model "bob/{name}" not found'
                assert refused.value.code == "not found"


async def test_filters_narrow_a_search(dev: Dev) -> None:
    async with offered(dev) as (alice, model, url):
        assert await offer(alice, model["uuid"], "pg-admin", endpoints={"adm": "admin"}) == {}
        other = f"alice/{model['name']}.pg-admin"
        here = {"owner_name": "alice", "model_name": model["name"]}
        for wanted, urls in (
            ({}, [url, other]),
            ({"offer_name": "^pg$"}, [url]),
            ({"offer_name": "admin"}, [other]),
            ({"application_name": APPLICATION}, [url, other]),
            ({"application_name": "d"}, []),
            ({"application_description": "data"}, [url, other]),
            ({"endpoints": [{"role": "", "interface": "admin", "name": ""}]}, [other]),
            ({"endpoints": [{"role": "requirer", "interface": "", "name": ""}]}, []),
            ({"allowed_users": ["user-alice"]}, [url, other]),
            ({"allowed_users": ["user-bob"]}, []),
            ({"connected_users": ["user-bob"]}, []),
        ):
            assert await found(alice, **here, **wanted) == urls, wanted
            told = await query(alice, "ListApplicationOffers", **here, **wanted)
            assert [each["offer-url"] for each in told] == urls, wanted
        with pytest.raises(Refused) as refused:
            await found(alice, **here, offer_name="(p+)+")
        assert refused.value.code == "not valid"


async def test_a_list_needs_a_model_and_a_search_does_not(dev: Dev) -> None:
    async with offered(dev) as (alice, _, url):
        assert url in await found(alice)
        assert url in await found(alice, owner_name="alice")
        refusals: tuple[tuple[str, list[dict[str, str]]], ...] = (
            ("ListApplicationOffers", []),
            ("ListApplicationOffers", [{}]),
            ("FindApplicationOffers", []),
            ("FindApplicationOffers", [{}, {}]),
        )
        for method, filters in refusals:
            with pytest.raises(Refused, match="filter"):
                await alice.call("ApplicationOffers", 5, method, {"Filters": filters})


async def test_names_that_can_t_be_are_not_found(dev: Dev) -> None:
    async with dev.socket() as alice:
        filters: list[dict[str, Any]] = [
            {"model_name": "a\0b"},
            {"owner_name": "a_\0", "model_name": "m1"},
        ]
        for wanted in filters:
            for method in ("ListApplicationOffers", "FindApplicationOffers"):
                with pytest.raises(Refused, match="not found"):
                    await query(alice, method, **wanted)


async def test_nobody_sees_what_was_not_shared_with_them(dev: Dev) -> None:
    async with offered(dev) as (_, model, url), dev.socket("bob") as bob:
        assert url not in await found(bob)
        unknown = f'application offer "{url}" not found'
        for row in (
            await one(bob, "ApplicationOffers", offer_urls=[url]),
            await one(bob, "DestroyOffers", offer_urls=[url], force=True),
            await one(bob, "GetConsumeDetails", offer_urls={"offer-urls": [url]}),
            await one(bob, "RemoteApplicationInfo", offer_urls=[url]),
            await change(bob, "grant", "admin", "bob", url),
        ):
            assert row["error"] == {"message": unknown, "code": "not found"}
        assert (await offer(bob, model["uuid"]))["error"]["code"] == "model not found"
        for method in ("ListApplicationOffers", "FindApplicationOffers"):
            with pytest.raises(Refused) as refused:
                await query(bob, method, owner_name="alice", model_name=model["name"])
            assert refused.value.code == "not found"


async def test_sharing_in_steps(dev: Dev) -> None:
    async with offered(dev) as (alice, model, url), dev.socket("bob") as bob:
        assert await change(alice, "grant", "read", "bob", url) == {}
        assert await found(bob) == [url]
        row = (await one(bob, "ApplicationOffers", offer_urls=[url]))["result"]
        assert row["users"] == [{"user": "bob", "display-name": "", "access": "read"}]
        assert row["charm-url"] == ""
        for denied in (
            await one(bob, "GetConsumeDetails", offer_urls={"offer-urls": [url]}),
            await one(bob, "DestroyOffers", offer_urls=[url]),
            await change(bob, "grant", "consume", "bob", url),
        ):
            assert denied["error"] == {
                "message": "permission denied",
                "code": "unauthorized access",
            }
        assert await found(alice, model_name=model["name"], allowed_users=["user-bob"]) == []
        assert await change(alice, "grant", "consume", "bob", url) == {}
        assert await found(alice, model_name=model["name"], allowed_users=["user-bob"]) == [url]
        info = (await one(bob, "RemoteApplicationInfo", offer_urls=[url]))["result"]
        assert (info["name"], info["offer-url"]) == ("pg", url)
        assert await change(alice, "grant", "admin", "bob", url) == {}
        users = (await one(bob, "ApplicationOffers", offer_urls=[url]))["result"]["users"]
        assert {each["user"]: each["access"] for each in users} == {
            "alice": "admin",
            "bob": "admin",
        }
        assert await change(bob, "revoke", "read", "bob", url) == {}
        assert await found(bob) == []


async def test_what_is_wrong_with_a_grant_is_said_as_juju_says_it(dev: Dev) -> None:
    async with offered(dev) as (alice, _, url):
        assert await change(alice, "grant", "consume", "bob", url) == {}
        for action, access, user, text, code in (
            ("grant", "read", "bob", 'user already has "read" access or greater', ""),
            ("grant", "consume", "bob", 'user already has "consume" access or greater', ""),
            (
                "grant",
                "write",
                "bob",
                'could not modify offer access: "write" offer access not valid',
                "not valid",
            ),
            (
                "grant",
                "read",
                "nobody",
                (
                    'could not grant offer access: user "nobody" does not exist locally: '
                    'user "nobody" not found'
                ),
                "user not found",
            ),
            (
                "revoke",
                "read",
                "carol",
                'could not revoke offer access: offer user "carol" does not exist',
                "not found",
            ),
            ("give", "read", "bob", 'unknown action "give"', "bad request"),
        ):
            row = await change(alice, action, access, user, url)
            assert row["error"] == {"message": text, "code": code}
        assert await change(alice, "revoke", "consume", "bob", url) == {}
        assert await change(alice, "revoke", "consume", "bob", url) == {}, "read stays read"
        assert await change(alice, "revoke", "read", "bob", url) == {}


async def test_offering_again_changes_the_offer_and_keeps_who_may(dev: Dev) -> None:
    async with offered(dev) as (alice, model, url):
        before = (await one(alice, "ApplicationOffers", offer_urls=[url]))["result"]
        assert await change(alice, "grant", "consume", "bob", url) == {}
        again = await offer(alice, model["uuid"], endpoints={"adm": "admin"})
        assert again == {}
        after = (await one(alice, "ApplicationOffers", offer_urls=[url]))["result"]
        assert after["offer-uuid"] == before["offer-uuid"]
        assert [each["name"] for each in after["endpoints"]] == ["adm"]
        assert {each["user"] for each in after["users"]} == {"alice", "bob"}


async def test_what_is_wrong_with_an_offer_is_the_controller_s_own_refusal(dev: Dev) -> None:
    async with offered(dev) as (alice, model, _):
        row = await offer(alice, model["uuid"], "x", **{"application-name": "ghost"})
        assert row["error"]["message"].endswith('application "ghost" not found')
        row = await offer(alice, model["uuid"], "Not a name")
        assert 'offer name "Not a name" not valid' in row["error"]["message"]
        row = await offer(alice, model["uuid"], "x", **{"owner-tag": "user-bob"})
        assert row["error"] == {
            "message": 'user "bob" does not administer the model',
            "code": "not valid",
        }
        for tag in ("", "model-x", "user-alice"):
            row = await offer(alice, model["uuid"], "x", **{"model-tag": tag})
            assert row["error"]["code"] == "not valid"
        told = await alice.call("ApplicationOffers", 5, "Offer", {"Offers": []})
        assert told == {"results": []}


async def test_details_to_consume_hold_no_address_of_the_controller(dev: Dev) -> None:
    async with offered(dev) as (alice, model, url):
        row = await one(
            alice, "GetConsumeDetails", offer_urls={"offer-urls": [url], "bakery-version": 3}
        )
        assert row["offer"]["offer-url"] == url
        assert row["offer"]["source-model-tag"] == f"model-{model['uuid']}"
        assert row["macaroon"]["signature"]
        outside = row["external-controller"]
        assert (outside["addrs"], outside["ca-cert"]) == ([], "")
        where = await alice.call("JIMM", 4, "ModelControllerInfo", {"model": model["uuid"]})
        host = where["controller-uuid"]
        assert outside["controller-tag"] == f"controller-{host}"


async def test_an_offer_is_taken_back(dev: Dev) -> None:
    async with offered(dev) as (alice, model, url):
        assert await one(alice, "DestroyOffers", offer_urls=[url]) == {}
        assert url not in await found(alice)
        listed = await query(alice, "ListApplicationOffers", model_name=model["name"])
        assert listed == []
        row = await one(alice, "DestroyOffers", offer_urls=[url])
        assert row["error"]["code"] == "not found"
        assert await offer(alice, model["uuid"]) == {}
        assert url in await found(alice)


async def test_one_bad_url_spares_the_others(dev: Dev) -> None:
    async with offered(dev) as (alice, _, url):
        urls = ["", "m1", f"{url}:server", url, "alice/none.such"]
        told = await alice.call("ApplicationOffers", 5, "ApplicationOffers", {"offer-urls": urls})
        assert ["result" in row for row in told["results"]] == [False, False, False, True, False]
        assert ["error" in row for row in told["results"]] == [True, True, True, False, True]
