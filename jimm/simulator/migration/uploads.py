"""What goes to the target besides the model itself: binaries and the log. Their bodies are
empty here; headers, order and answers are Juju's (``core/migration/binaries.go``)."""

import datetime
import hashlib
from collections.abc import Coroutine
from typing import Final

import httpx
import msgspec

from jimm.errors import JimmError, ProtocolError, RemoteError
from jimm.simulator.migration import calls, lifecycle
from jimm.simulator.migration.minions import agents
from jimm.simulator.migration.outbound import UPLOAD_EXTENSIONS, Outbound
from jimm.simulator.state import Machine, Model
from jimm.wire.fold import convert
from jimm.wire.params.common import Error, Params

CHARM_HEADER: Final = "Juju-Curl"
NO_BODY: Final = b""


class UploadFailed(Exception):
    """A binary was not taken; the text says what kind of and why."""


class ErrorBody(Params, kw_only=True):
    """The first frame of a log stream, and the body of an upload that was refused: empty when
    all is well."""

    error: Error | None = None


class LogLine(Params, kw_only=True):
    """A line of a log on its way (Juju ``rpc/params`` ``LogRecord``)."""

    t: str
    m: str
    l: str  # noqa: E741 - the key on the wire
    v: str
    x: str
    e: str = ""


async def upload_binaries(target: Outbound, model: Model) -> None:
    """Uploads charms in ascending order of their urls, then agent binaries (not for k8s).
    Resources are not simulated, so there are none to send.

    Raises:
        UploadFailed: the target refused one.
    """
    charms = sorted({each.charm for each in model.applications.values()})
    versions = sorted({each.agent_version or model.agent_version for each in _machines(model)})
    async with target.uploads(model.uuid) as client:
        for charm in charms:
            await _attempt("cannot upload charms", _upload_charm(client, charm))
        for version in versions:
            await _attempt("cannot upload agent binaries", _upload_tools(client, version))


async def transfer_log(target: Outbound, model: Model, source_version: str) -> int:
    """Streams the lines that the target doesn't have yet; gives their number.

    Raises:
        RemoteError: the target refused the stream.
        OSError: the stream was lost.
        JimmError: it could not be opened.
    """
    latest = datetime.datetime.fromisoformat(await calls.latest_log_time(target, model.uuid))
    stream = await target.open_log(model.uuid, source_version)
    try:
        first = convert(msgspec.json.decode(await stream.receive()), ErrorBody)
        if first.error is not None:
            raise first.error.raised()
        lines = [line for line in _log(model) if datetime.datetime.fromisoformat(line.t) > latest]
        for line in lines:
            await stream.send(msgspec.json.encode(line))
    finally:
        await stream.aclose()
    return len(lines)


def _machines(model: Model) -> list[Machine]:
    return list(model.machines.values()) if model.type == "iaas" else []


async def _upload_charm(client: httpx.AsyncClient, charm: str) -> None:
    digest = hashlib.sha256(NO_BODY).hexdigest()[:7]
    response = await client.put(
        f"/migrate/charms/{charm_name(charm)}-{digest}",
        content=NO_BODY,
        headers={CHARM_HEADER: charm, "Content-Type": "application/zip"},
        extensions=UPLOAD_EXTENSIONS,
    )
    _check(response)
    assigned = response.headers.get(CHARM_HEADER, "")
    if assigned != charm:
        raise RemoteError(f"charm {charm} unexpectedly assigned {assigned}")


async def _upload_tools(client: httpx.AsyncClient, version: str) -> None:
    response = await client.post(
        "/migrate/tools",
        params={"binaryVersion": f"{version}-ubuntu-amd64"},
        content=NO_BODY,
        headers={"Content-Type": "application/x-tar-gz"},
        extensions=UPLOAD_EXTENSIONS,
    )
    _check(response)


async def _attempt(what: str, upload: Coroutine[None, None, None]) -> None:
    try:
        await upload
    except (JimmError, httpx.HTTPError) as error:
        raise UploadFailed(f"{what}: {error}") from error


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    try:
        body = convert(response.json(), ErrorBody)
    except (ValueError, ProtocolError):
        body = ErrorBody()
    if body.error is None:
        raise RemoteError(f"{response.reason_phrase.lower()} ({response.status_code})")
    raise body.error.raised()


def charm_name(url: str) -> str:
    """The bare name in a charm's url, ``ubuntu`` in ``ch:amd64/jammy/ubuntu-3``."""
    name, _, revision = url.rpartition("/")[2].rpartition("-")
    return name if revision.isdecimal() else url.rpartition("/")[2]


def _log(model: Model) -> list[LogLine]:
    """A line for each agent: it started when the attempt did."""
    start = lifecycle.record_of(model).start.isoformat()
    return [
        LogLine(t=start, m="juju.agent", l="", v="INFO", x="agent started", e=agent)
        for agent in agents(model)
    ]
