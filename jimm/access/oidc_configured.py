"""The identity provider as the settings name it."""

from dataclasses import dataclass
from pathlib import Path

from jimm.access.oidc import Client, Provider
from jimm.access.oidc_claims import ClaimNames
from jimm.access.oidc_logins import OidcAccounts, OidcClients, OidcDevice, OidcLogins
from jimm.access.tokens import SessionTokens
from jimm.errors import ConfigurationError
from jimm.registry.session import Registry
from jimm.settings import Settings
from jimm.wire.secret import Secret

CALLBACK = "/auth/callback"
"""The path that the provider sends browsers back to; it is registered there."""


@dataclass(frozen=True)
class Oidc:
    """Every kind of login with the provider; ``device`` only where its page is to be used."""

    logins: OidcLogins
    clients: OidcClients
    device: OidcDevice | None


def configured(settings: Settings, registry: Registry, tokens: SessionTokens) -> Oidc | None:
    """Logins with the provider, if there is one.

    Raises:
        ConfigurationError: what is set can't be used.
    """
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client_id:
        raise ConfigurationError("with JIMM_OIDC_ISSUER give JIMM_OIDC_CLIENT_ID")
    client = Client(settings.oidc_client_id, _secret(settings.oidc_client_secret_file))
    provider = Provider(settings.oidc_issuer, client)
    accounts = OidcAccounts(registry, admin_group=settings.oidc_admin_group)
    claims = ClaimNames(
        username=settings.oidc_username_claim,
        groups=settings.oidc_groups_claim,
        domain=settings.oidc_domain,
        local_domain=settings.local_domain,
    )
    scope = settings.oidc_scopes
    return Oidc(
        logins=OidcLogins(
            provider, accounts, claims, callback=f"{settings.url}{CALLBACK}", scope=scope
        ),
        clients=OidcClients(provider, accounts, scope=settings.oidc_client_credentials_scopes),
        device=OidcDevice(provider, accounts, claims, tokens, scope=scope)
        if settings.oidc_device_flow == "provider"
        else None,
    )


def _secret(file: Path | None) -> Secret:
    if file is None:
        return Secret("")
    try:
        return Secret(file.read_text().strip())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read the client secret file {file}") from error
