"""The audit log through `/api`, as Go JIMM's clients and the Dashboard read it, and by REST."""

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from jimm.registry.session import Registry
from jimm.rest import paging
from tests.fix_dev import Dev
from tests.juju_client import Refused, Socket
from tests.system.audit.past import Past, own, write
from tests.system.fleet.test_trail import database_url
from tests.system.rest.conftest import admin, bob, nobody, stage
from tests.system.rest.scene import Stage, problem

__all__ = ["admin", "bob", "nobody", "stage"]


@dataclass(frozen=True)
class Told:
    """Some calls and an action, an hour of its own in the past, by a user of their own."""

    user: str
    begin: datetime
    conversation: str
    gone: str

    @property
    def within(self) -> dict[str, str]:
        """The hour, as a client asks for it."""
        return {"after": written(self.begin), "before": written(self.begin + timedelta(hours=1))}

    def minute(self, number: int) -> datetime:
        """So far into the hour."""
        return self.begin + timedelta(minutes=number)


def written(time: datetime) -> str:
    """RFC 3339, as browsers have it."""
    return time.isoformat().replace("+00:00", "Z")


@pytest.fixture
async def registry(dev: Dev) -> AsyncIterator[Registry]:
    """The database of ``dev``."""
    opened = Registry(database_url(dev), application_name="jimm-test", pool_size=2)
    yield opened
    await opened.aclose()


@pytest.fixture
async def told(registry: Registry) -> Told:
    """A deploy with its failure, a login, and a model's making, a minute after the other."""
    begin = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=uuid.uuid4().int % 5000)
    name = f"u{uuid.uuid4().hex[:10]}"
    made = Told(name, begin, uuid.uuid4().hex[:16], str(uuid.uuid4()))
    call = Past(
        made.minute(1),
        identity=f"{name}@jimm",
        model_uuid=made.gone,
        conversation=made.conversation,
        message_id=7,
        facade="Application",
        facade_version=19,
        method="Deploy",
        params={"applications": [{"application": "ubuntu", "...": "redacted"}]},
        client="192.0.2.1",
    )
    failure = replace(
        call,
        at=made.minute(2),
        is_response=True,
        facade="",
        facade_version=0,
        method="",
        params={},
        outcome="failed",
        error="no such charm",
        error_code="not found",
    )
    action = replace(
        own(0, "create-model", identity=f"{name}@jimm", params={"name": "m1"}), at=made.minute(3)
    )
    await write(registry, [call, failure, action])
    return made


async def find(socket: Socket, **asked: Any) -> list[dict[str, Any]]:
    """What ``FindAuditEvents`` tells."""
    answer = await socket.call("JIMM", 4, "FindAuditEvents", asked)
    assert list(answer) == ["events"]
    events: list[dict[str, Any]] = answer["events"]
    return events


async def test_events_look_as_go_jimm_s(dev: Dev, told: Told) -> None:
    common = {
        "conversation-id": told.conversation,
        "message-id": 7,
        "user-tag": f"user-{told.user}",
        "model": told.gone,
    }
    async with dev.socket("admin") as socket:
        assert await find(socket, **told.within) == [
            {
                **common,
                "time": written(told.minute(1)),
                "facade-name": "Application",
                "facade-method": "Deploy",
                "facade-version": 19,
                "is-response": False,
                "params": {"applications": [{"application": "ubuntu", "...": "redacted"}]},
            },
            {
                **common,
                "time": written(told.minute(2)),
                "is-response": True,
                "errors": {
                    "results": [{"error": {"message": "no such charm", "code": "not found"}}]
                },
            },
            {
                "time": written(told.minute(3)),
                "conversation-id": "",
                "message-id": 0,
                "facade-method": "create-model",
                "user-tag": f"user-{told.user}",
                "is-response": False,
                "params": {"name": "m1"},
            },
        ]


async def test_searches_of_go_jimm_s_clients(dev: Dev, told: Told) -> None:
    async with dev.socket("admin") as socket:

        async def minutes(**asked: Any) -> list[int]:
            times = [each["time"] for each in await find(socket, **{**told.within, **asked})]
            return [int(each[14:16]) for each in times]

        assert await minutes() == [1, 2, 3]
        assert await minutes(sortTime=True) == [3, 2, 1]
        assert await minutes(sortTime=True, limit=1) == [3]
        assert await minutes(offset=1, limit=1) == [2]
        assert await minutes(offset=-1, limit=-1) == [1, 2, 3]
        assert await minutes(after=written(told.minute(2)), before=written(told.minute(2))) == [2]
        assert await minutes(method="Deploy") == [1]
        assert await minutes(method="create-model") == [3]
        assert await minutes(**{"user-tag": f"user-{told.user}@jimm"}) == [1, 2, 3]
        assert await minutes(**{"user-tag": told.user}) == [1, 2, 3]
        assert await minutes(**{"user-tag": "user-nobody"}) == []
        assert await minutes(model=told.gone) == [1, 2]
        assert await minutes(model="controller-1/no-such-model") == []
        nanoseconds = written(told.minute(1)).replace("Z", ".000000999Z")
        assert await minutes(before=nanoseconds) == [1]
        assert await minutes(after=told.begin.strftime("%Y-%m-%dT%H:%M:%S")) == [1, 2, 3]
        for key in ("after", "before"):
            with pytest.raises(Refused) as refused:
                await find(socket, **{key: "yesterday"})
            assert refused.value.code == "not valid"
            assert refused.value.message.startswith(f'{key}: "yesterday" is no time')


async def test_the_dashboard_s_two_pages(dev: Dev, stage: Stage, registry: Registry) -> None:
    """All of it, and one model's: that names the first controller, whichever hosts the model."""
    model = await stage.model("logs", on="controller-2")
    begin = datetime.now(UTC)
    calls = [
        Past(begin + timedelta(microseconds=n), model_uuid=model.uuid, message_id=n)
        for n in range(120)
    ]
    await write(registry, calls)
    async with dev.socket("admin") as socket:
        first = (await socket.call("JIMM", 4, "ListControllers"))["controllers"][0]["name"]
        assert first != "controller-2"
        asked = {"model": f"{first}/{model.name}", "limit": 51, "sortTime": True}
        page = await find(socket, **asked, method="FullStatus")
        assert {each["model"] for each in page} == {f"controller-2/{model.name}"}
        assert [each["message-id"] for each in page] == list(range(119, 68, -1))
        page = await find(socket, **asked, method="FullStatus", offset=100)
        assert [each["message-id"] for each in page] == list(range(19, -1, -1))
        assert len(await find(socket, limit=51, sortTime=True, offset=0)) == 51
        assert len(await find(socket)) == 50
        assert len(await find(socket, limit=5000, after=written(begin))) >= 120


async def test_who_may_through_the_facade(dev: Dev, told: Told) -> None:
    access = {"user-tag": "user-bob", "level": "read"}
    async with dev.socket("admin") as admins, dev.socket("bob") as bobs:
        for method, params in (
            ("FindAuditEvents", {}),
            ("GrantAuditLogAccess", access),
            ("RevokeAuditLogAccess", access),
            ("PurgeLogs", {"date": "2020-01-01T00:00:00Z"}),
        ):
            with pytest.raises(Refused) as refused:
                await bobs.call("JIMM", 4, method, params)
            assert (refused.value.message, refused.value.code) == (
                "unauthorized",
                "unauthorized access",
            )
        assert await admins.call("JIMM", 4, "GrantAuditLogAccess", access) == {}
        async with dev.socket("bob") as viewers:
            assert len(await find(viewers, **told.within)) == 3
            with pytest.raises(Refused, match="unauthorized"):
                await viewers.call("JIMM", 4, "PurgeLogs", {"date": "2020-01-01T00:00:00Z"})
        assert await admins.call("JIMM", 4, "RevokeAuditLogAccess", access) == {}
        async with dev.socket("bob") as others:
            with pytest.raises(Refused, match="unauthorized"):
                await find(others)
        rows = await find(admins, sortTime=True, limit=2, method="revoke-audit-log")
        assert rows[0]["user-tag"] == "user-admin"
        assert rows[0]["params"] == {"user": "bob@jimm"}
        with pytest.raises(Refused, match="is not a valid tag"):
            await admins.call("JIMM", 4, "GrantAuditLogAccess", {"user-tag": "bob"})


async def test_a_purge_through_both_doors(
    dev: Dev, admin: httpx.AsyncClient, registry: Registry
) -> None:
    old = [Past(datetime(2019, 6, day, tzinfo=UTC)) for day in range(1, 8)]
    await write(registry, old)
    async with dev.socket("admin") as socket:
        purged = await socket.call("JIMM", 4, "PurgeLogs", {"date": "2019-06-03T00:00:00Z"})
        assert purged == {"deleted-count": 2}
        with pytest.raises(Refused, match='date: "x" is no time'):
            await socket.call("JIMM", 4, "PurgeLogs", {"date": "x"})
        answer = await admin.delete("/audit-events", params={"before": "2020-01-01T00:00:00Z"})
        assert answer.json() == {"deleted-count": 5}
        rows = await find(socket, method="purge-audit-log", sortTime=True, limit=2)
        assert [each["params"]["removed"] for each in rows] == [5, 2]


async def test_a_page_of_rest(admin: httpx.AsyncClient, told: Told) -> None:
    query = {**told.within, "order": "oldest"}
    (call, failure, action) = (await admin.get("/audit-events", params=query)).json()[
        "audit-events"
    ]
    assert call | {"id": ""} == {
        "id": "",
        "time": written(told.minute(1)),
        "user": told.user,
        "door": "model",
        "action": "call",
        "model": told.gone,
        "model-uuid": told.gone,
        "conversation-id": told.conversation,
        "message-id": 7,
        "facade-name": "Application",
        "facade-version": 19,
        "facade-method": "Deploy",
        "is-response": False,
        "params": {"applications": [{"application": "ubuntu", "...": "redacted"}]},
        "client": "192.0.2.1",
    }
    assert failure["error"] == {"code": "not found", "message": "no such charm"}
    assert (failure["is-response"], failure["outcome"]) == (True, "failed")
    assert action | {"id": ""} == {
        "id": "",
        "time": written(told.minute(3)),
        "user": told.user,
        "door": "rest",
        "action": "create-model",
        "outcome": "done",
        "is-response": False,
        "params": {"name": "m1"},
    }


async def test_pages_of_rest(admin: httpx.AsyncClient, told: Told) -> None:
    for order in ("oldest", "newest"):
        query = {**told.within, "order": order, "limit": "1"}
        seen: list[str] = []
        while True:
            page = (await admin.get("/audit-events", params=query)).json()
            seen += [each["time"][14:16] for each in page["audit-events"]]
            if "next" not in page:
                break
            query["cursor"] = page["next"]
        assert seen == sorted(seen, reverse=order == "newest")
        assert len(seen) == 3
    for query, count in (
        ({"user": told.user}, 3),
        ({"user": f"{told.user}@jimm", "offset": "2"}, 1),
        ({"facade": "Application"}, 1),
        ({"action": "create-model"}, 1),
        ({"door": "rest"}, 1),
        ({"outcome": "failed"}, 1),
        ({"failed": "true"}, 1),
        ({"model": told.gone, "method": "Deploy"}, 1),
    ):
        answer = await admin.get("/audit-events", params={**told.within, **query})
        assert len(answer.json()["audit-events"]) == count, query


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("after", "yesterday"),
        ("after", "2026-11-21"),
        ("after", "20261121"),
        ("before", "2026-11-21T10:00:00"),
        ("limit", "501"),
        ("offset", "-1"),
        ("order", "sideways"),
        ("cursor", "zzz"),
        ("user", "no_name"),
        ("user", "x" * 400),
        ("failed", "perhaps"),
    ],
)
async def test_what_can_t_be_asked_for(admin: httpx.AsyncClient, field: str, value: str) -> None:
    problem(await admin.get("/audit-events", params={field: value}), 422, "not valid", field)


async def test_a_cursor_of_another_listing(admin: httpx.AsyncClient) -> None:
    time = "2026-01-01T00:00:00+00:00"
    for key in ((), ("1",), (time, "x"), (time, "-1"), (time[:-6], "1"), ("x", "1"), (time, "²")):
        answer = await admin.get("/audit-events", params={"cursor": paging.encode(*key)})
        problem(answer, 422, "not valid", "cursor")


async def test_an_unknown_model_is_told(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/audit-events", params={"model": "controller-1/nothing"})
    found = problem(answer, 404, "model not found", "model")
    assert "by its uuid" in found["detail"]
    problem(await admin.delete("/audit-events"), 422, "not valid", "before")


async def test_who_may_through_rest(
    admin: httpx.AsyncClient, bob: httpx.AsyncClient, nobody: httpx.AsyncClient
) -> None:
    for method, path in (
        ("GET", "/audit-events"),
        ("GET", "/audit-events/export"),
        ("DELETE", "/audit-events?before=2020-01-01T00:00:00Z"),
        ("PUT", "/audit-events/viewers/bob"),
        ("DELETE", "/audit-events/viewers/bob"),
    ):
        problem(await bob.request(method, path), 403, "unauthorized access")
        problem(await nobody.request(method, path), 401, "session token invalid")
    assert (await admin.put("/audit-events/viewers/bob")).json() == {}
    assert (await bob.get("/audit-events", params={"limit": "1"})).status_code == 200
    assert (await admin.delete("/audit-events/viewers/bob")).json() == {}
    assert (await bob.get("/audit-events")).status_code == 403
    for name, code, status in (("no_name", "not valid", 422), ("nobody", "user not found", 404)):
        answer = await admin.put(f"/audit-events/viewers/{name}")
        problem(answer, status, code, "user")


async def test_an_export(admin: httpx.AsyncClient, told: Told, registry: Registry) -> None:
    odd = {"text": "a\u2028b\nc", "number": 2**60}
    await write(registry, [Past(told.minute(10), params=odd, conversation="c" * 16)] * 450)
    answer = await admin.get("/audit-events/export", params=told.within)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["audit-before"] == told.within["before"]
    *lines, rest = answer.content.split(b"\n")
    assert rest == b""
    events = [json.loads(line) for line in lines]
    assert len(events) == 453
    assert events[-1]["params"] == odd
    page = await admin.get("/audit-events", params={**told.within, "order": "oldest"})
    assert events[:100] == page.json()["audit-events"]
    found = await admin.get("/audit-events", params={"action": "export-audit-events", "limit": "1"})
    (row,) = found.json()["audit-events"]
    assert row["params"]["after"] == told.begin.isoformat()
    open_end = await admin.get("/audit-events/export", params={"after": written(told.minute(5))})
    ended = datetime.fromisoformat(open_end.headers["audit-before"])
    assert timedelta() < datetime.now(UTC) - ended < timedelta(minutes=1)
