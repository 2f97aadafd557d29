"""A certificate authority of our own, for JIMM's address and for simulated controllers.

Go clients insist on the name ``juju-apiserver`` (Juju ``api/apiclient.go``) and on finding the
authority in the presented chain; strict X.509 clients (Python 3.13) on critical
``basicConstraints`` and ``keyUsage`` and on key identifiers.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from jimm.wire.secret import Secret

_LIFETIME = datetime.timedelta(days=3650)
_BACKDATED = datetime.timedelta(hours=1)  # clocks of clients may be behind


@dataclass(frozen=True, slots=True)
class Issued:
    """A server's certificate: the leaf and its authority in one PEM, and the leaf's key."""

    chain_pem: str
    key_pem: Secret


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its certificate and its key, both PEM."""

    certificate_pem: str
    key_pem: Secret

    @classmethod
    def create(cls, common_name: str) -> "Authority":
        """A new self-signed authority."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(common_name)
        builder = _builder(name, name, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        builder = builder.add_extension(_usage(signs_certificates=True), True)
        certificate = builder.sign(key, hashes.SHA256())
        return cls(_pem(certificate), _key_pem(key))

    def issue(self, names: Sequence[str]) -> Issued:
        """A server certificate for these host names and addresses, ``juju-apiserver`` and
        ``localhost`` always among them."""
        authority = x509.load_pem_x509_certificate(self.certificate_pem.encode())
        authority_key = serialization.load_pem_private_key(
            self.key_pem.reveal().encode(), password=None
        )
        if not isinstance(authority_key, ec.EllipticCurvePrivateKey):
            raise TypeError("the authority's key is not an elliptic curve key")
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name("juju-apiserver"), authority.subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        builder = builder.add_extension(_usage(signs_certificates=False), True)
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False
        )
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), False
        )
        everyone = dict.fromkeys(["juju-apiserver", "localhost", *names])
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in everyone]), False
        )
        leaf = builder.sign(authority_key, hashes.SHA256())
        return Issued(_pem(leaf) + self.certificate_pem, _key_pem(key))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> Secret:
    return Secret(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()
    )
