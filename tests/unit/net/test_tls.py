"""TLS contexts, and that both sides of ours understand each other."""

import asyncio
import ssl
import tempfile
from pathlib import Path

import pytest

from jimm.errors import NotValid
from jimm.net.certificates import Authority
from jimm.net.tls import JUJU_SERVER_NAME, client_context, server_context


def test_the_same_authority_gives_the_same_context() -> None:
    first, second = Authority.create("first"), Authority.create("second")
    context = client_context(first.certificate_pem)
    assert client_context(first.certificate_pem) is context
    assert client_context(second.certificate_pem) is not context


def test_only_the_given_authority_is_trusted() -> None:
    authority = Authority.create("ours")
    context = client_context(authority.certificate_pem)
    assert [each["subject"] for each in context.get_ca_certs()] == [((("commonName", "ours"),),)]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("text", ["not a certificate", "-----BEGIN CERTIFICATE-----", "ä"])
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(NotValid, match="not a PEM certificate"):
        client_context(text)


def test_no_authority_means_the_systems_roots() -> None:
    assert client_context(None).verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize("name", [JUJU_SERVER_NAME, "localhost", "127.0.0.1", "api.example.com"])
async def test_a_handshake_by_every_name_of_the_certificate(name: str) -> None:
    authority = Authority.create("ours")
    context = server_context(authority.issue(["127.0.0.1", "api.example.com"]))

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=context)
    async with server:
        reader, writer = await asyncio.open_connection(
            *server.sockets[0].getsockname(),
            ssl=client_context(authority.certificate_pem),
            server_hostname=name,
        )
        assert await reader.read() == b"hello"
        version = writer.get_extra_info("ssl_object").version()
        writer.close()
        await writer.wait_closed()
    assert version in {"TLSv1.2", "TLSv1.3"}


def test_the_key_leaves_nothing_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    server_context(Authority.create("ours").issue([]))
    assert not list(tmp_path.iterdir())
