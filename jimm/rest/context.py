"""What every route is given: the services, and who asks."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from jimm.errors import SessionTokenInvalid
from jimm.fleet.caller import Caller
from jimm.rest.services import Services as Services


def services(request: Request) -> Services:
    """The services of this application."""
    found = request.app.state.services
    if not isinstance(found, Services):
        raise TypeError("the application was made without its services")
    return found


ServicesParam = Annotated[Services, Depends(services)]


Bearer = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(
        HTTPBearer(
            scheme_name="token",
            description="A session token: `POST /v1/tokens` issues one.",
            auto_error=False,
        )
    ),
]


async def caller(bearer: Bearer, given: ServicesParam) -> Caller:
    """Who bears the token.

    Raises:
        SessionTokenInvalid: there is no token, or it can't be used.
    """
    if bearer is None:
        raise SessionTokenInvalid("log in first: jimmctl login")
    identity = await given.logins.by_token(bearer.credentials.strip())
    return Caller(identity.name, identity.admin, "rest")


CallerParam = Annotated[Caller, Depends(caller)]

Recheck = Callable[[], Awaitable[Caller]]
"""Who bears the token now, for an answer that goes on; raises as :func:`caller`."""


async def recheck(bearer: Bearer, given: ServicesParam) -> Recheck:
    """Asks again with the same token, whenever it is called."""
    return partial(caller, bearer, given)


RecheckParam = Annotated[Recheck, Depends(recheck)]
