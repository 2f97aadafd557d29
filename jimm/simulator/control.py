"""The door for whoever runs the simulator: ``/simulator/faults``. Juju has no such route.

``POST`` puts in a :class:`~jimm.simulator.faults.Fault` and answers it with its id, ``GET``
lists them, ``DELETE`` clears all, ``DELETE /simulator/faults/<id>`` one. Basic authentication
with a superuser's name and password.
"""

import base64
import binascii

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from jimm.simulator import rules
from jimm.simulator.core import Core
from jimm.simulator.faults import Fault


def routes(core: Core) -> list[BaseRoute]:
    """The routes of the control door."""
    door = _Door(core)
    return [
        Route("/simulator/faults", door.faults, methods=["GET", "POST", "DELETE"]),
        Route("/simulator/faults/{fault_id:int}", door.one_fault, methods=["DELETE"]),
    ]


class _Door:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def faults(self, request: Request) -> Response:
        if not self._is_superuser(request):
            return _refused()
        faults = self._core.faults
        if request.method == "DELETE":
            faults.clear()
        if request.method != "POST":
            return _json(faults.list())
        try:
            fault = msgspec.json.decode(await request.body(), type=Fault)
        except msgspec.DecodeError as error:
            return Response(f"not a fault: {error}\n", 400)
        try:
            return _json(faults.add(fault))
        except ValueError as error:
            return Response(f"not a fault: {error}\n", 400)

    async def one_fault(self, request: Request) -> Response:
        if not self._is_superuser(request):
            return _refused()
        self._core.faults.clear(request.path_params["fault_id"])
        return _json(self._core.faults.list())

    def _is_superuser(self, request: Request) -> bool:
        name, password = basic_credentials(request.headers.get("authorization", ""))
        user = self._core.store.users.get(name)
        if user is None or user.access != "superuser":
            return False
        return rules.password_fits(user, password)


def basic_credentials(header: str) -> tuple[str, str]:
    """Name and password of a Basic header, two empty texts for anything else. Juju's clients
    send ``user-admin`` for ``admin``."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    name, _, password = text.partition(":")
    return name.removeprefix("user-"), password


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _refused() -> Response:
    return Response(
        "the name and password of a superuser are needed\n",
        401,
        {"WWW-Authenticate": 'Basic realm="simulator"'},
    )
