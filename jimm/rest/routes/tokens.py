"""Logging in, and who is logged in."""

from fastapi import APIRouter

from jimm.errors import NotValid, UserNotFound
from jimm.fleet import tokens
from jimm.rest import problems, schemas
from jimm.rest.context import CallerParam, ServicesParam
from jimm.wire.secret import Secret

router = APIRouter(tags=["tokens"])


@router.post("/tokens", status_code=201)
async def issue(body: schemas.TokenRequest, given: ServicesParam) -> schemas.IssuedToken:
    """A session token for a user name and password; it is shown this once."""
    identity = await given.logins.by_password(
        body.username, Secret(body.password.get_secret_value())
    )
    issued = await given.tokens.issue(identity.name, name=body.name)
    return schemas.IssuedToken(
        token=issued.token.reveal(),
        id=issued.id,
        identity=given.user_id(identity.name),
        expires=issued.expires,
    )


@router.get("/tokens", response_model_exclude_none=True)
async def every(caller: CallerParam, given: ServicesParam, user: str = "") -> schemas.Tokens:
    """The caller's session tokens, without the secrets; for administrators also a user's."""
    with problems.naming({NotValid: "user", UserNotFound: "user"}):
        found = await tokens.every(given.fleet, caller, given.tokens, user)
    return schemas.Tokens(
        tokens=[
            schemas.Token(
                id=token.id,
                name=token.name,
                created=token.created_at,
                last_used=token.last_used_at,
                expires=token.expires_at,
            )
            for token in found
        ]
    )


@router.delete("/tokens/{token_id}")
async def revoke(token_id: str, caller: CallerParam, given: ServicesParam) -> schemas.Nothing:
    """Ends one of the caller's session tokens; for administrators anybody's."""
    await tokens.revoke(given.fleet, caller, token_id)
    return schemas.Nothing()


@router.get("/whoami")
async def whoami(caller: CallerParam, given: ServicesParam) -> schemas.Whoami:
    """Who the bearer is, and where."""
    return schemas.Whoami(
        identity=given.user_id(caller.identity),
        display_name=given.user_id(caller.identity),
        admin=caller.admin,
        jimm_uuid=given.fleet.uuid,
        address=given.fleet.settings.address,
    )
