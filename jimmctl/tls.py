"""Whom to trust, and what to say when a server can't be trusted."""

import ssl

from jimmctl.errors import Usage

CONTROLLER_NAME = "juju-apiserver"
"""The name in every Juju server's certificate. The juju client asks for it wherever it has
the server's CA, whatever the address (Juju ``api/apiclient.go``)."""

_HOSTNAME_MISMATCH = 62  # X509_V_ERR_HOSTNAME_MISMATCH (OpenSSL x509_vfy.h)
_ADDRESS_MISMATCH = 64  # X509_V_ERR_IP_ADDRESS_MISMATCH
_UNKNOWN_AUTHORITY = (18, 19, 20, 21)  # self-signed leaf or root, no issuer known


def context(authority: str) -> ssl.SSLContext:
    """Trusts the authority in PEM and nobody else; ``""`` trusts the system's roots.

    Raises:
        Usage: the PEM holds no certificate that can be read.
    """
    try:
        made = ssl.create_default_context(cadata=authority or None)
    except (ssl.SSLError, ValueError) as error:
        raise Usage("the CA certificate can't be read: it has to be PEM") from error
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made


def refusal(error: BaseException) -> ssl.SSLError | None:
    """The TLS error that an error of the HTTP library stands for, if one."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def is_other_name(error: ssl.SSLError) -> bool:
    """Whether the certificate is a trusted authority's, for another name."""
    return isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in (
        _HOSTNAME_MISMATCH,
        _ADDRESS_MISMATCH,
    )


def sentence(error: ssl.SSLError, address: str, authority: str) -> str:
    """Why the server at ``address`` is not trusted, and what to do."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"{address} does not speak TLS as it should: check the address and its port"
    if error.verify_code not in _UNKNOWN_AUTHORITY:
        return f"the certificate of {address} can't be trusted: {error.verify_message}"
    if authority:
        return (
            f"the certificate of {address} is from another authority than the given one: "
            "check --ca-cert and the address"
        )
    return (
        f"the certificate of {address} is from no authority that this machine trusts: "
        "give JIMM's own with --ca-cert FILE"
    )
