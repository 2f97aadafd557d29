"""The HTTP application: ``/v1``, health, and the keys that controllers fetch."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse

from jimm.errors import ConfigurationError
from jimm.registry import schema
from jimm.rest import problems, schemas
from jimm.rest.boundary import Boundary
from jimm.rest.context import Services, ServicesParam
from jimm.rest.routes import (
    controllers,
    migrations,
    model_moves,
    models,
    placements,
    plans,
    service_accounts,
    tokens,
    unmanaged,
)

health = APIRouter(include_in_schema=False)


@health.get("/healthz")
async def healthz() -> PlainTextResponse:
    """That this process answers."""
    return PlainTextResponse("ok\n")


@health.get("/readyz")
async def readyz(given: ServicesParam) -> PlainTextResponse:
    """That this replica can work: database, schema, background work."""
    try:
        await given.fleet.registry.ping()
    except ConfigurationError as error:
        return PlainTextResponse(f"{error}\n", status_code=503)
    if await given.fleet.registry.head() != schema.head():
        return PlainTextResponse("the schema is not at its head\n", status_code=503)
    if not given.is_working():
        return PlainTextResponse("background work has stopped\n", status_code=503)
    return PlainTextResponse("ok\n")


@health.get("/.well-known/jwks.json")
async def jwks(given: ServicesParam) -> JSONResponse:
    """The public keys of the tokens that controllers are shown (RFC 7517)."""
    return JSONResponse(await given.keys.jwks(), headers={"Cache-Control": "public, max-age=600"})


class Application(FastAPI):
    """FastAPI, whose description says what our errors really look like."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document."""
        if self.openapi_schema is None:
            for operations in super().openapi()["paths"].values():
                for operation in operations.values():
                    content = operation["responses"]["default"]["content"]
                    operation["responses"]["default"]["content"] = {
                        problems.MEDIA_TYPE: next(iter(content.values()))
                    }
        return super().openapi()


def create_rest(services: Services) -> FastAPI:
    """The application over these services."""
    application = Application(
        title="JIMM",
        summary="One address in front of many Juju controllers.",
        version="1",
        openapi_url="/v1/openapi.json",
        docs_url="/v1/docs",
        redoc_url=None,
        responses={"default": {"model": schemas.Problem, "description": "A problem."}},
    )
    application.state.services = services
    problems.install(application)
    application.add_middleware(Boundary)
    for router in (
        tokens,
        service_accounts,
        controllers,
        model_moves,
        models,
        placements,
        migrations,
        plans,
        unmanaged,
    ):
        application.include_router(router.router, prefix="/v1")
    application.include_router(health)
    return application
