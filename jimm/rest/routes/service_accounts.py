"""Service accounts: programs that log in."""

from fastapi import APIRouter

from jimm.access.service_accounts import identity_of
from jimm.fleet import service_accounts
from jimm.rest import schemas
from jimm.rest.context import CallerParam, ServicesParam

router = APIRouter(tags=["service accounts"])


@router.post("/service-accounts", status_code=201)
async def add(
    body: schemas.ServiceAccountRequest, caller: CallerParam, given: ServicesParam
) -> schemas.ServiceAccountKey:
    """A service account, or another secret for one that is there; it is shown this once."""
    client_id, secret = await service_accounts.add(
        given.fleet, caller, body.name, replace=body.replace
    )
    return schemas.ServiceAccountKey(
        client_id=client_id, client_secret=secret.reveal(), identity=identity_of(client_id)
    )


@router.get("/service-accounts", response_model_exclude_none=True)
async def every(caller: CallerParam, given: ServicesParam) -> schemas.ServiceAccounts:
    """All service accounts, without the secrets."""
    return schemas.ServiceAccounts(
        service_accounts=[
            schemas.ServiceAccount(
                client_id=each.client_id,
                identity=identity_of(each.client_id),
                created_by=given.user_id(each.created_by),
                created=each.created_at,
                last_login=each.last_login_at,
            )
            for each in await service_accounts.every(given.fleet, caller)
        ]
    )


@router.delete("/service-accounts/{client_id}")
async def remove(client_id: str, caller: CallerParam, given: ServicesParam) -> schemas.Nothing:
    """Ends a service account, its tokens, and whatever it has open."""
    await service_accounts.remove(given.fleet, caller, client_id)
    return schemas.Nothing()
