"""The audit log from the command line."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jimm.registry.session import Registry
from tests.fix_dev import Dev
from tests.system.audit.past import Past, own, write
from tests.system.fleet.test_trail import database_url
from tests.system.jimmctl.conftest import Ctl

MODEL = "9e39fde1-c9a1-4bdb-9a25-6ac6eab13f6d"
HEADS = ("Time", "User", "Door", "Model", "Method", "Message", "Outcome", "Params")


@pytest.fixture
async def begin(dev: Dev) -> datetime:
    """An hour with a call, its failure, and sixty makings of models."""
    hour = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=uuid.uuid4().int % 5000)
    call = Past(
        hour,
        model_uuid=MODEL,
        facade="Application",
        method="Deploy",
        params={"applications": [{"application": f"ubuntu{'x' * 100}"}]},
    )
    wrong = replace(
        call, is_response=True, facade="", method="", params={}, outcome="failed", error="no\nroom"
    )
    made = [
        replace(own(0, "create-model", identity="bob@jimm"), at=hour + timedelta(seconds=n))
        for n in range(1, 61)
    ]
    opened = Registry(database_url(dev), application_name="jimm-test", pool_size=1)
    await write(opened, [call, replace(wrong, at=hour + timedelta(microseconds=1)), *made])
    await opened.aclose()
    return hour


def within(begin: datetime) -> tuple[str, ...]:
    """The options for the hour; the zone is left away."""
    end = begin + timedelta(hours=1)
    return (f"--after={begin:%Y-%m-%d %H:%M}", f"--before={end:%Y-%m-%dT%H:%M:%S}Z")


async def test_events_are_listed(ctl: Ctl, begin: datetime) -> None:
    first = await ctl("list-audit-events", *within(begin), "--limit", "2", "--format", "json")
    call, failure = first.json["events"]
    assert first.err == "there are more: --offset 2 goes on, --all shows them all\n"
    assert list(call)[:12] == [
        "time",
        "conversation-id",
        "message-id",
        "facade-name",
        "facade-method",
        "facade-version",
        "user-tag",
        "model",
        "is-response",
        "params",
        "id",
        "door",
    ]
    assert (call["user-tag"], call["facade-name"]) == ("user-alice", "Application")
    assert failure["errors"] == {"results": [{"error": {"code": "", "message": "no\nroom"}}]}
    usual = (await ctl("audit-events", *within(begin))).yaml["events"]
    assert len(usual) == 50
    assert usual[2]["facade-method"] == "create-model"
    assert (usual[2]["conversation-id"], usual[2]["message-id"]) == ("", 0)
    every = await ctl("audit-events", *within(begin), "--all")
    assert (len(every.yaml["events"]), every.err) == (62, "")
    newest = (await ctl("audit-events", *within(begin), "--reverse", "--offset", "60")).yaml
    assert [each["time"] for each in newest["events"]] == [failure["time"], call["time"]]


async def test_events_are_searched(ctl: Ctl, begin: datetime) -> None:
    for options, count in (
        (("--method", "Deploy"), 1),
        (("--method", "create-model", "--all"), 60),
        (("--by", "alice", "--failed"), 1),
        (("--user-tag", "user-alice@jimm", "--model", MODEL), 2),
    ):
        found = await ctl("audit-events", *within(begin), *options)
        assert len(found.yaml["events"]) == count, options
    assert "no model" in (await ctl("audit-events", "--model", "alice/no-such")).error


async def test_a_table_for_people(ctl: Ctl, begin: datetime) -> None:
    options = (*within(begin), "--limit", "3", "--format", "tabular")
    head, call, failure, made = (await ctl("audit-events", *options)).out.splitlines()
    assert head.split() == list(HEADS)
    assert "Application.Deploy" in call
    assert call.endswith("xxx…")
    assert "<-0123456789abcdef:1" in failure
    assert "no room" in failure
    assert made.split()[1:] == ["bob", "rest", "-", "create-model", "-", "done", "-"]


async def test_an_export_goes_to_a_file_or_to_a_pipe(
    ctl: Ctl, begin: datetime, tmp_path: Path
) -> None:
    done = await ctl("export-audit-events", *within(begin), "--output", "events.jsonl")
    ended = f"{begin + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}Z"
    assert done.err == f"62 events up to {ended}: the next export begins with --after {ended}\n"
    assert done.out == ""
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(each)["user"] for each in lines] == ["alice"] * 2 + ["bob"] * 60
    assert [each.name for each in tmp_path.iterdir()] == ["events.jsonl"]
    piped = await ctl("export-audit-events", *within(begin), "--failed", "--format", "json")
    assert json.loads(piped.out)["error"]["message"] == "no\nroom"
    assert piped.err.startswith("1 event up to")
    assert "leave --format away" in (await ctl("export-audit-events", "--format", "yaml")).misuse


async def test_who_may(ctl: Ctl, begin: datetime) -> None:
    assert (await ctl("export-audit-events", user="bob")).error == "unauthorized"
    granted = await ctl("grant-audit-log-access", "bob")
    assert granted.err == "bob may read the audit log\n"
    seen = await ctl("audit-events", *within(begin), "--limit", "1", user="bob")
    assert len(seen.yaml["events"]) == 1
    revoked = await ctl("revoke-audit-log-access", "user-bob")
    assert revoked.err.startswith("bob may not read the audit log any more")
    assert (await ctl("audit-events", user="bob")).error == "unauthorized"


async def test_a_purge_is_asked_for(ctl: Ctl, dev: Dev) -> None:
    opened = Registry(database_url(dev), application_name="jimm-test", pool_size=1)
    await write(opened, [Past(datetime(2018, 5, 1, tzinfo=UTC))] * 3)
    await opened.aclose()
    assert "give --yes" in (await ctl("purge-audit-logs", "2018-06-01", stdin="y\n")).misuse
    assert (await ctl("purge-audit-logs", "2018-06-01", "--yes")).yaml == {"deleted-count": 3}
