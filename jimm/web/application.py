"""Puts the pages into JIMM's one application."""

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from jimm.web.auth import AuthPages
from jimm.web.context import Web
from jimm.web.device import DevicePages
from jimm.web.pages import STYLE, Pages, style


def mount(application: FastAPI, web: Web) -> None:
    """Adds the pages, and lets the pages of trusted origins ask JIMM with a login (CORS)."""
    pages = Pages()
    application.include_router(DevicePages(web, pages).routes())
    application.include_router(AuthPages(web, pages).routes())
    application.add_api_route(STYLE, style, include_in_schema=False, response_model=None)
    if web.settings.web_origins:
        application.add_middleware(
            CORSMiddleware,
            allow_origins=web.settings.web_origins,
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
        )
