"""TLS contexts for both sides, 1.2 at least."""

import secrets
import ssl
import tempfile
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from jimm.errors import NotValid
from jimm.net.certificates import Issued
from jimm.net.resumption import ResumingContext

JUJU_SERVER_NAME = "juju-apiserver"
"""The name that every Juju controller's certificate carries (Juju ``api/apiclient.go``)."""


@lru_cache(maxsize=512)
def client_context(ca_pem: str | None) -> ssl.SSLContext:
    """A context that trusts this authority and no other, or the system's roots for none.

    The same text gives the same context, so that a hundred dials load it once.

    Raises:
        NotValid: the text holds no certificate.
    """
    return _trusting(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca_pem)


@lru_cache(maxsize=512)
def resuming_context(ca_pem: str | None, server_name: str, peer: str) -> ssl.SSLContext:
    """As :func:`client_context`, for the many connections to one peer, which take up each
    other's TLS sessions; ``peer`` tells apart those of one authority and name.

    Raises:
        NotValid: the text holds no certificate.
    """
    if not peer:
        return client_context(ca_pem)
    return _trusting(ResumingContext.of(server_name), ca_pem)


def server_context(issued: Issued) -> ssl.SSLContext:
    """A server's context that presents the leaf and its authority.

    Python reads keys from files only: the key lies on the disk for a moment, encrypted with a
    passphrase that never leaves memory.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Clients know what is cheap for their machine; all that is offered here is good enough.
    context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    passphrase = secrets.token_urlsafe(32)
    with tempfile.TemporaryDirectory(prefix="jimm-tls-") as folder:
        chain, key = Path(folder, "chain.pem"), Path(folder, "key.pem")
        chain.write_text(issued.chain_pem)
        key.write_bytes(_encrypted(issued, passphrase))
        context.load_cert_chain(chain, key, password=passphrase)
    return context


def _trusting(context: ssl.SSLContext, ca_pem: str | None) -> ssl.SSLContext:
    try:
        if ca_pem:
            context.load_verify_locations(cadata=ca_pem)
        else:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    except (ssl.SSLError, TypeError, ValueError) as error:
        raise NotValid(
            "the CA certificate is not a PEM certificate", field="ca-certificate"
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # As Go verifies: what was registered is trusted even if it is no root, and an older
    # controller's certificate need not follow RFC 5280 to the letter.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _encrypted(issued: Issued, passphrase: str) -> bytes:
    key = serialization.load_pem_private_key(issued.key_pem.reveal().encode(), password=None)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase.encode()),
    )
