"""The audit log: who did what, and who may read it."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from jimmctl import arguments, moments, output, rows
from jimmctl.call import Call, command
from jimmctl.errors import BadAnswer, Interrupted, Usage
from jimmctl.lines import Destination
from jimmctl.rows import Row

if TYPE_CHECKING:
    from jimmctl.client import Client

_NOUN = "audit-events"
_PAGE = 500
_USUAL = 50
_HEADS = ("Time", "User", "Door", "Model", "Method", "Message", "Outcome", "Params")
_WIDEST = 60  # characters of parameters in a table

After = Annotated[
    str,
    typer.Option(
        "--after",
        metavar="TIME",
        help='Then or later: 2026-11-21, "2026-11-21 20:17", RFC 3339 or "2h ago"; UTC.',
    ),
]
Before = Annotated[str, typer.Option("--before", metavar="TIME", help="Earlier than then.")]
By = Annotated[
    str, typer.Option("--by", "--user-tag", metavar="USER", help="Whoever did it, name or tag.")
]
Model = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="uuid, controller/name, owner/name or name; one that is gone: its uuid.",
    ),
]
Method = Annotated[
    str,
    typer.Option("--method", metavar="NAME", help="A call's, or an action of JIMM's own."),
]
Failed = Annotated[bool, typer.Option("--failed", help="Only what was refused or went wrong.")]
Viewer = Annotated[str, typer.Argument(metavar="USER", help="The user's name.")]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("list-audit-events")(command(list_audit_events))
    app.command("audit-events", help="The same as list-audit-events.")(command(list_audit_events))
    app.command("export-audit-events")(command(export_audit_events))
    app.command("purge-audit-logs")(command(purge_audit_logs))
    app.command("grant-audit-log-access")(command(grant_audit_log_access))
    app.command("revoke-audit-log-access")(command(revoke_audit_log_access))


def list_audit_events(
    call: Call,
    after: After = "",
    before: Before = "",
    by: By = "",
    model: Model = "",
    method: Method = "",
    failed: Failed = False,
    offset: Annotated[
        int, typer.Option("--offset", metavar="N", min=0, help="Leave out the first N.")
    ] = 0,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="Events at most; 50 without.")
    ] = _USUAL,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    reverse: Annotated[bool, typer.Option("--reverse", help="The newest first.")] = False,
) -> None:
    """List who did what, the oldest first.

    Calls that passed JIMM, and what JIMM did for users. Administrators may, and whom they have
    given access to the audit log.
    """
    asked = _asked(after, before, by, model, method, failed)
    asked |= {"order": "newest" if reverse else "oldest", "offset": offset}

    async def work(client: "Client") -> tuple[list[Row], bool]:
        return await _pages(client, asked, 0 if every else limit)

    found, more = call.run(work)
    events = [document(one) for one in found]
    call.output.write(
        {"events": events}, lambda: output.columns(_HEADS, [_line(one) for one in found])
    )
    if more:
        output.say(f"there are more: --offset {offset + len(found)} goes on, --all shows them all")


def export_audit_events(
    call: Call,
    after: After = "",
    before: Before = "",
    by: By = "",
    model: Model = "",
    method: Method = "",
    failed: Failed = False,
) -> None:
    """Write the audit log as JSON lines, the oldest event first.

    Without --before it ends ten seconds ago. That the log was exported is on record itself.
    """
    if call.output.format not in ("", "json"):
        raise Usage("an export is JSON lines: leave --format away")
    asked = _asked(after, before, by, model, method, failed)

    async def work(client: "Client") -> tuple[int, str]:
        async with client.lines(f"/{_NOUN}/export", asked) as (headers, chunks):
            with Destination(call.output.file) as destination:
                async for chunk in chunks:
                    destination.add(chunk)
            return destination.count, headers.get("audit-before", "")

    try:
        count, ended = call.run(work)
    except Interrupted:
        output.say("interrupted: what was written is not the whole of it")
        raise
    noun = "event" if count == 1 else "events"
    until = f" up to {ended}: the next export begins with --after {ended}" if ended else ""
    output.say(f"{count} {noun}{until}")


def purge_audit_logs(
    call: Call,
    date: Annotated[
        str, typer.Argument(metavar="DATE", help="A time as --after of list-audit-events.")
    ],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove from the audit log what is older than DATE, for good."""
    before = moments.written(moments.moment(date, _now()))
    if not yes:
        _confirm(f"Remove all audit events before {before}, for good?")

    async def work(client: "Client") -> Row:
        return await client.delete(f"/{_NOUN}", {"before": before})

    answer = call.run(work)
    if not isinstance(answer.get("deleted-count"), int):
        raise BadAnswer("JIMM's answer does not say how many events were removed")
    count = rows.text(answer, "deleted-count")
    call.output.write(
        {"deleted-count": answer["deleted-count"]}, lambda: output.facts([("Removed", count)])
    )


def grant_audit_log_access(call: Call, viewer: Viewer) -> None:
    """Let a user read the audit log."""
    name = arguments.user_name(_bare(viewer))

    async def work(client: "Client") -> Row:
        return await client.put(_viewer(name))

    call.run(work)
    output.say(f"{name} may read the audit log")


def revoke_audit_log_access(call: Call, viewer: Viewer) -> None:
    """Take that back. Administrators of JIMM read it all the same."""
    name = arguments.user_name(_bare(viewer))

    async def work(client: "Client") -> Row:
        return await client.delete(_viewer(name))

    call.run(work)
    output.say(f"{name} may not read the audit log any more, unless as an administrator of JIMM")


def _confirm(question: str) -> None:
    if not sys.stdin.isatty():
        raise Usage("nobody can be asked here: give --yes if you are sure")
    typer.confirm(question, abort=True, err=True)


def document(event: Row) -> Row:
    """An event with the keys that Juju's own tools have always shown, then JIMM's others."""
    error = rows.child(event, "error")
    method = rows.text(event, "facade-method") or _own_action(event)
    renamed: Row = {
        "time": event.get("time"),
        "conversation-id": rows.text(event, "conversation-id"),
        "message-id": event.get("message-id", 0),
        "facade-name": event.get("facade-name"),
        "facade-method": method or None,
        "facade-version": event.get("facade-version"),
        "object-id": event.get("object-id"),
        "user-tag": f"user-{rows.text(event, 'user')}" if rows.text(event, "user") else None,
        "model": event.get("model"),
        "is-response": event.get("is-response") is True,
        "params": event.get("params"),
        "errors": {"results": [{"error": error}]} if error else None,
    }
    known = {*renamed, "user", "error"}
    renamed.update((key, value) for key, value in event.items() if key not in known)
    return {key: value for key, value in renamed.items() if value is not None}


async def _pages(
    client: "Client", asked: Mapping[str, str | int], limit: int
) -> tuple[list[Row], bool]:
    """Events, page after page, and whether there are more; all for a limit of 0."""
    found: list[Row] = []
    query = dict(asked)
    while True:
        left = limit - len(found) if limit else _PAGE
        query["limit"] = min(left, _PAGE)
        page = await client.get(f"/{_NOUN}", query)
        if not isinstance(page.get(_NOUN), list):
            raise BadAnswer("JIMM's answer has no list of audit events")
        found += rows.children(page, _NOUN)
        cursor = rows.text(page, "next")
        if not cursor or cursor == query.get("cursor"):
            return found, False
        if limit and len(found) >= limit:
            return found, True
        query |= {"cursor": cursor, "offset": 0}


def _asked(
    after: str, before: str, by: str, model: str, method: str, failed: bool
) -> dict[str, str | int]:
    """The query, without what was not given."""
    now = _now()
    asked = {
        "after": moments.written(moments.moment(after, now)) if after else "",
        "before": moments.written(moments.moment(before, now)) if before else "",
        "user": arguments.user_name(_bare(by)) if by else "",
        "model": model,
        "method": method,
        "failed": "true" if failed else "",
    }
    return {key: value for key, value in asked.items() if value}


def _now() -> datetime:
    return datetime.now(UTC)


def _bare(user: str) -> str:
    return user.removeprefix("user-")


def _viewer(name: str) -> str:
    return f"/{_NOUN}/viewers/{name}"


def _own_action(event: Row) -> str:
    action = rows.text(event, "action")
    return "" if action == "call" else action


def _line(event: Row) -> Sequence[str]:
    names = (rows.text(event, "facade-name"), rows.text(event, "facade-method"))
    return (
        *(rows.text(event, key) for key in ("time", "user", "door", "model")),
        ".".join(one for one in names if one) or _own_action(event),
        _message(event),
        rows.error_text(event) or rows.text(event, "outcome"),
        _params(event),
    )


def _message(event: Row) -> str:
    """Which message of which connection; an answer's has an arrow."""
    conversation = rows.text(event, "conversation-id")
    if not conversation:
        return ""
    arrow = "<-" if event.get("is-response") is True else ""
    return f"{arrow}{conversation}:{rows.text(event, 'message-id')}"


def _params(event: Row) -> str:
    params = rows.child(event, "params")
    if not params:
        return ""
    text = json.dumps(params, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
