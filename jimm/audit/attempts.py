"""Logins as the audit trail names them. Pure."""

from typing import assert_never

from jimm.wire.login import (
    JAAS_VERSION,
    VERSION,
    Attempt,
    ClientCredentialsLogin,
    CookieLogin,
    PasswordLogin,
    SessionTokenLogin,
)


def claim(attempt: Attempt) -> tuple[str, int, str]:
    """Whom an attempt claims to be, if anybody, and the version and method of ``Admin`` that it
    came by."""
    match attempt:
        case PasswordLogin():
            return attempt.name, VERSION, "Login"
        case SessionTokenLogin():
            return "", JAAS_VERSION, "LoginWithSessionToken"
        case ClientCredentialsLogin():
            return attempt.client_id, JAAS_VERSION, "LoginWithClientCredentials"
        case CookieLogin():
            return "", JAAS_VERSION, "LoginWithSessionCookie"
        case _:
            assert_never(attempt)
