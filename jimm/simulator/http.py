"""What a controller serves over HTTP below a model's path (Juju ``apiserver/apiserver.go``):
charms, resources and agent binaries."""

import hashlib
from collections.abc import Awaitable, Callable
from email.message import Message
from typing import Final
from urllib.parse import unquote

import msgspec
from msgspec.structs import replace
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from jimm.errors import BadRequest, JimmError, NotFound
from jimm.simulator import blocks, charm_archives, resources
from jimm.simulator.access import Caller
from jimm.simulator.blobs import Digest, Intake
from jimm.simulator.core import Core
from jimm.simulator.http_login import Rejected, authenticate
from jimm.simulator.logins import Tokens
from jimm.simulator.migration.versions import Version
from jimm.simulator.state import Charm, Model, ModelAccess
from jimm.wire import codes
from jimm.wire.params.common import Error
from jimm.wire.tags import ModelUUID, is_uuid

CHARM_HEADER: Final = "Juju-Curl"
_LEVELS_COUNT_SINCE: Final = Version.parse("3.6.24")
_STATUS: Final = {
    codes.NOT_FOUND: 404,
    codes.MODEL_NOT_FOUND: 404,
    codes.BAD_REQUEST: 400,
    codes.OPERATION_BLOCKED: 400,
    codes.UNAUTHORIZED: 401,
}

Act = Callable[[Request, Model, Caller], Awaitable[Response]]


def routes(core: Core) -> list[BaseRoute]:
    """The routes below models' paths."""
    store = _Store(core)
    resource = "/model/{uuid}/applications/{application}/resources/{resource}"
    return [
        Route("/model-{uuid}/charms/{object}", store.get_object, methods=["GET"]),
        Route("/model-{uuid}/charms/{object}", store.put_object, methods=["PUT"]),
        Route("/model/{uuid}/charms", store.get_charm, methods=["GET"]),
        Route("/model/{uuid}/charms", store.post_charm, methods=["POST"]),
        Route(resource, store.get_resource, methods=["GET"]),
        Route(resource, store.put_resource, methods=["PUT"]),
        Route("/model/{uuid}/tools", store.post_tools, methods=["POST"]),
    ]


async def admit(
    core: Core, tokens: Tokens, connection: HTTPConnection, level: ModelAccess
) -> tuple[Model, Caller]:
    """The model in the path, for who may do this with it.

    Raises:
        Rejected: nobody, or they may not, or there is no such model.
    """
    uuid = connection.path_params.get("uuid", core.store.controller.model_uuid)
    if not is_uuid(uuid):
        raise Rejected(400, f'invalid model UUID "{uuid}"', codes.BAD_REQUEST)
    caller = await authenticate(core, tokens, connection)
    model = core.store.models.get(ModelUUID(uuid))
    if model is None:
        raise Rejected(404, f'unknown model: "{uuid}"', codes.MODEL_NOT_FOUND)
    if not _may(core, caller, model, level):
        raise Rejected(403, "authorization failed: permission denied", codes.FORBIDDEN)
    return model, caller


def _may(core: Core, caller: Caller, model: Model, level: ModelAccess) -> bool:
    """Whether the level is theirs. A token's level on the model was looked at last."""
    old = Version.parse(core.store.controller.version) < _LEVELS_COUNT_SINCE
    if old and caller.token is not None:
        return caller.is_superuser(core)
    return caller.may(core, model, level)


class _Store:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._tokens = Tokens(core)

    async def get_object(self, request: Request) -> Response:
        return await self._serve(request, "read", self._find_object, old_form=True)

    async def put_object(self, request: Request) -> Response:
        return await self._serve(request, "write", self._keep_object, old_form=True)

    async def get_charm(self, request: Request) -> Response:
        return await self._serve(request, "read", self._find_charm, old_form=True)

    async def post_charm(self, request: Request) -> Response:
        return await self._serve(request, "write", self._keep_charm, old_form=True)

    async def get_resource(self, request: Request) -> Response:
        return await self._serve(request, "read", self._find_resource)

    async def put_resource(self, request: Request) -> Response:
        return await self._serve(request, "write", self._keep_resource)

    async def post_tools(self, request: Request) -> Response:
        return await self._serve(request, "admin", self._keep_tools)

    async def _serve(
        self, request: Request, level: ModelAccess, act: Act, *, old_form: bool = False
    ) -> Response:
        try:
            model, caller = await admit(self._core, self._tokens, request, level)
        except Rejected as error:
            return PlainTextResponse(f"{error}\n", error.status)
        try:
            return await act(request, model, caller)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except JimmError as error:
            return _failure(error, old_form=old_form)

    async def _find_object(self, request: Request, model: Model, _caller: Caller) -> Response:
        _, _, digest = request.path_params["object"].rpartition("-")
        for charm in model.charms.values():
            if charm.sha256 and charm.sha256.startswith(digest):
                return self._content(charm, request.query_params.get("file", "*"))
        raise NotFound("cannot retrieve charm: cannot get charm from state: charm not found")

    async def _find_charm(self, request: Request, model: Model, _caller: Caller) -> Response:
        url = request.query_params.get("url", "")
        if not url:
            raise BadRequest("cannot retrieve charm: expected url=CharmURL query argument")
        charm = model.charms.get(url)
        if charm is None:
            raise NotFound(
                f'cannot retrieve charm: cannot get charm from state: charm "{url}" not found'
            )
        icon = "icon.svg" if request.query_params.get("icon") == "1" else ""
        return self._content(charm, request.query_params.get("file", icon))

    def _content(self, charm: Charm, name: str) -> Response:
        path = self._core.blobs.path(charm.sha256) if charm.sha256 else None
        if path is None:
            raise NotFound(f'cannot retrieve charm: charm "{charm.url}" has no archive here')
        if name == "*":
            return FileResponse(path, media_type="application/zip")
        if not name:
            return _json({"files": charm_archives.members(path)})
        found = charm_archives.member(path, name)
        if found is None:
            raise NotFound(f'cannot retrieve charm: charm file "{name}" not found')
        return Response(found, media_type="application/octet-stream")

    async def _keep_object(self, request: Request, model: Model, _caller: Caller) -> Response:
        _require_zip(request)
        name, _, digest = request.path_params["object"].rpartition("-")
        url = request.headers.get(CHARM_HEADER, "")
        if not url.startswith("local:"):
            raise BadRequest(f'cannot upload charm: "{url}" is not a valid charm url')
        intake = self._core.blobs.intake()
        try:
            found = await _take(request, intake)
            if found.sha256[:7] != digest[:7]:
                raise BadRequest(
                    f"cannot upload charm: Uploaded charm sha256 ({found.sha256[:7]})"
                    f" does not match sha in url ({digest})"
                )
            return self._keep(intake, found, model.uuid, _renamed(url, name))
        finally:
            intake.drop()

    async def _keep_charm(self, request: Request, model: Model, _caller: Caller) -> Response:
        _require_zip(request)
        query = request.query_params
        if query.get("schema", "local") != "local":
            raise BadRequest(
                "cannot upload charm: charms may only be uploaded during model migration import"
            )
        intake = self._core.blobs.intake()
        try:
            found = await _take(request, intake)
            about = charm_archives.read_archive(intake.path)
            series = query.get("series", "")
            stem = f"{series}/" if series else ""
            revision = query.get("revision", "")
            number = int(revision) if revision.isdecimal() else about.revision
            url = f"local:{stem}{query.get('name') or about.name}-{number}"
            return self._keep(intake, found, model.uuid, url)
        finally:
            intake.drop()

    def _keep(self, intake: Intake, found: Digest, uuid: ModelUUID, wanted: str) -> Response:
        about = charm_archives.read_archive(intake.path)
        model = self._model(uuid)
        url = charm_archives.local_url(model, wanted)
        charm = Charm(
            url=url,
            name=about.name,
            revision=int(url.rpartition("-")[2]),
            meta=about.meta,
            config=about.config,
            actions=about.actions,
            sha256=found.sha256,
            size=found.size,
        )
        intake.keep(found.sha256)
        self._core.store.put(replace(model, charms={**model.charms, url: charm}))
        return _json({"charm-url": url}, {CHARM_HEADER: url})

    async def _find_resource(self, request: Request, model: Model, _caller: Caller) -> Response:
        application, name = request.path_params["application"], request.path_params["resource"]
        found = resources.find(model, application, name)
        path = self._core.blobs.path(found.fingerprint) if found.fingerprint else None
        if path is None:
            raise NotFound(f'resource "{application}/{name}" not found')
        return FileResponse(path, media_type="application/octet-stream")

    async def _keep_resource(self, request: Request, model: Model, caller: Caller) -> Response:
        blocks.check_change(model)
        kind = request.headers.get("content-type", "")
        if kind != "application/octet-stream":
            raise JimmError(f'unsupported content type "{kind}"')
        place = (
            request.path_params["application"],
            request.path_params["resource"],
            request.query_params.get("pendingid", ""),
        )
        resources.check_extension(resources.find(model, *place), _filename(request))
        intake = self._core.blobs.intake()
        try:
            found = await _take(request, intake)
            if found.sha384 != request.headers.get("content-sha384", ""):
                raise JimmError("invalid fingerprint: it is not that of what was sent")
            intake.keep(found.sha384)
        finally:
            intake.drop()
        model = self._model(model.uuid)
        kept = replace(
            resources.find(model, *place),
            origin="upload",
            revision=0,
            fingerprint=found.sha384,
            size=found.size,
            username=caller.user,
            timestamp=self._core.clock.now(),
        )
        self._core.store.put(resources.with_resource(model, kept))
        return _json({"resource": resources.described(kept)})

    async def _keep_tools(self, request: Request, _model: Model, _caller: Caller) -> Response:
        version = request.query_params.get("binaryVersion", "")
        if not version:
            raise BadRequest("expected binaryVersion argument")
        kind = request.headers.get("content-type", "")
        if kind != "application/x-tar-gz":
            raise BadRequest(f"expected Content-Type: application/x-tar-gz, got: {kind}")
        digest, size = hashlib.sha256(), 0
        async for piece in request.stream():
            digest.update(piece)
            size += len(piece)
        if not size:
            raise BadRequest("no agent binaries uploaded")
        tools = {"version": version, "url": "", "sha256": digest.hexdigest(), "size": size}
        return _json({"tools": [tools]})

    def _model(self, uuid: ModelUUID) -> Model:
        found = self._core.store.models.get(uuid)
        if found is None:  # it went while the upload was on its way
            raise NotFound(f'unknown model: "{uuid}"')
        return found


async def _take(request: Request, intake: Intake) -> Digest:
    async for piece in request.stream():
        intake.write(piece)
    return intake.end()


def _require_zip(request: Request) -> None:
    kind = request.headers.get("content-type", "")
    if kind != "application/zip":
        raise BadRequest(
            f"cannot upload charm: expected Content-Type: application/zip, got: {kind}"
        )


def _renamed(url: str, name: str) -> str:
    """The URL with the name in the path, as Juju has it."""
    head, _, revision = url.rpartition("-")
    front, slash, _ = (head or url).removeprefix("local:").rpartition("/")
    number = revision if head and revision.isdecimal() else "0"
    return f"local:{front}{slash}{name}-{number}"


def _filename(request: Request) -> str:
    message = Message()
    message["Content-Disposition"] = request.headers.get("content-disposition", "")
    found = message.get_filename()
    if not found:
        raise JimmError("missing filename in resource upload request")
    return unquote(found)


def _failure(error: JimmError, *, old_form: bool) -> Response:
    status = _STATUS.get(error.juju_code, 500)
    if old_form:
        return _json({"error": str(error), "error-code": error.juju_code}, status=status)
    return _json({"error": Error.of(error)}, status=status)


def _json(value: object, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, headers, "application/json")
