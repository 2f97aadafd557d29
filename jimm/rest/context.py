"""What every route is given: the services, and who asks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from jimm.access.keys import KeyRing
from jimm.access.logins import Logins
from jimm.access.names import shown
from jimm.access.tokens import SessionTokens
from jimm.errors import SessionTokenInvalid
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.migration.experience import Experience
from jimm.migration.followers import Followers


@dataclass(frozen=True)
class Services:
    """What the routes are built on; ``is_working`` tells whether the background work goes on."""

    fleet: Fleet
    logins: Logins
    tokens: SessionTokens
    keys: KeyRing
    experience: Experience
    followers: Followers
    is_working: Callable[[], bool]

    def user_id(self, identity: str) -> str:
        """An identity as it is shown: bare for the local domain."""
        return shown(identity, self.fleet.local_domain)


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
