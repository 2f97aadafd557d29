"""The HTTP application: ``/v1``."""

from typing import Any

from fastapi import FastAPI

from jimm.rest import problems, schemas
from jimm.rest.boundary import Boundary
from jimm.rest.routes import (
    audit_events,
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
from jimm.rest.services import Services


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
        audit_events,
    ):
        application.include_router(router.router, prefix="/v1")
    return application
