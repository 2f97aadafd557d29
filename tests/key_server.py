"""A real HTTPS server that publishes a JWKS, and signs tokens with its keys."""

import datetime
import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from jimm.net.certificates import Authority
from jimm.net.tls import server_context

PATH = "/.well-known/jwks.json"


class KeyServer:
    """``fetches`` counts the requests; ``ca_file`` is the authority's PEM."""

    def __init__(self, ca_file: Path) -> None:
        self.ca_file = ca_file
        self.url = ""
        self.fetches = 0
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self.publish("first")

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator["KeyServer"]:
        """A server for the length of a block."""
        authority = Authority.create("keys")
        ca_file = folder / "keys-ca.pem"
        ca_file.write_text(authority.certificate_pem)
        keys = cls(ca_file)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(keys))
        context = server_context(authority.issue(["127.0.0.1"]))
        # The handshake is the handler's: whoever does not finish it must not hold up the others,
        # nor the end of the server.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        keys.url = f"https://127.0.0.1:{server.server_address[1]}{PATH}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield keys
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def publish(self, key_id: str) -> None:
        """Makes a key and publishes it."""
        self._keys[key_id] = self.new_key()

    def new_key(self) -> rsa.RSAPrivateKey:
        """A key that is not published."""
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def token(
        self,
        user: str,
        access: Mapping[str, str],
        *,
        key_id: str = "first",
        key: rsa.RSAPrivateKey | None = None,
        lifetime: float = 300,
        **claims: Any,
    ) -> str:
        """A compact JWT for ``user`` with these levels by tag; ``lifetime`` in seconds."""
        now = datetime.datetime.now(datetime.UTC)
        body = {
            "sub": f"user-{user}",
            "access": dict(access),
            "exp": now + datetime.timedelta(seconds=lifetime),
            **claims,
        }
        return jwt.encode(body, key or self._keys[key_id], "RS256", headers={"kid": key_id})

    def document(self) -> bytes:
        """The JWKS."""
        keys = [
            {**jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id}
            for key_id, key in self._keys.items()
        ]
        return json.dumps({"keys": keys}).encode()


def _handler(keys: KeyServer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        timeout = 10  # seconds

        def do_GET(self) -> None:
            keys.fetches += 1
            body = keys.document()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Keeps quiet."""

    return Handler
