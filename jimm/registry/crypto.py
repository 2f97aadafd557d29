"""Values that only the holder of the key can read: AES-256-GCM, bound to their place.

A sealed value is ``version (1 byte) | key id (8 bytes) | nonce (12 bytes) | ciphertext and tag``
(NIST SP 800-38D). Table, column and row are authenticated with it, so that a value copied to
another row does not open there. Keys have ids derived from themselves, so that several can be
known at once: the first one seals, all of them open.
"""

import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jimm.errors import ConfigurationError
from jimm.wire.secret import Secret

KEY_BYTES: Final = 32
_VERSION: Final = b"\x01"
_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 12


class Sealer:
    """Seals with the first of its keys and opens with any of them.

    A key is the base64 of 32 random bytes, as :func:`load_keys` gives it.

    Raises:
        ConfigurationError: there is no key, or one is no such text.
    """

    def __init__(self, *keys: Secret) -> None:
        self._ciphers = {_key_id(raw): AESGCM(raw) for raw in map(_decode, keys)}
        self._sealing = next(iter(self._ciphers), b"")
        if not self._sealing:
            raise ConfigurationError("there is no key to seal secrets with")

    def seal(self, plain: Secret | bytes, *, table: str, column: str, row: str) -> bytes:
        """The sealed value; ``row`` names the row by what never changes, as a uuid."""
        data = plain.reveal().encode() if isinstance(plain, Secret) else plain
        nonce = secrets.token_bytes(_NONCE_BYTES)
        place = _place(table, column, row)
        sealed = self._ciphers[self._sealing].encrypt(nonce, data, place)
        return _VERSION + self._sealing + nonce + sealed

    def open(self, sealed: bytes, *, table: str, column: str, row: str) -> Secret:
        """The text that was sealed for this very place.

        Raises:
            ConfigurationError: it was sealed by another key, or for another place, or altered.
        """
        data = self.open_bytes(sealed, table=table, column=column, row=row)
        return Secret(data.decode())

    def open_bytes(self, sealed: bytes, *, table: str, column: str, row: str) -> bytes:
        """As :meth:`open`, for what is no text."""
        version, rest = sealed[:1], sealed[1:]
        key_id, rest = rest[:_ID_BYTES], rest[_ID_BYTES:]
        cipher = self._ciphers.get(key_id)
        if version != _VERSION or cipher is None:
            raise ConfigurationError(
                f"{table}.{column} was sealed with a key that JIMM was not given; "
                "add the old key to the secret key file"
            )
        try:
            return cipher.decrypt(
                rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _place(table, column, row)
            )
        except (InvalidTag, ValueError) as error:
            raise ConfigurationError(
                f"{table}.{column} of {row} was altered, or sealed for another row"
            ) from error

    def sealed_by_newest(self, sealed: bytes) -> bool:
        """Whether a value need not be sealed again after a rotation."""
        return sealed[1 : 1 + _ID_BYTES] == self._sealing


def new_key() -> Secret:
    """A random key."""
    return Secret(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode())


def load_keys(path: Path, *, create: bool = False) -> Sequence[Secret]:
    """The keys in a file, one a line, the newest first; ``#`` begins a comment.

    With ``create`` a missing file is made with one new key, readable by its owner only.

    Raises:
        ConfigurationError: there is no such file, others may read it, or it holds no key.
    """
    if create:
        _create(path)
    try:
        mode = path.stat().st_mode
        lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    except OSError as error:
        raise ConfigurationError(f"cannot read the secret key file {path}") from error
    if mode & 0o007:
        raise ConfigurationError(f"everybody may read the secret key file {path}; chmod 0600 it")
    keys = [Secret(line) for line in lines if line]
    if not keys:
        raise ConfigurationError(f"the secret key file {path} holds no key")
    return keys


def _create(path: Path) -> None:
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(new_key().reveal() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def _decode(key: Secret) -> bytes:
    try:
        raw = base64.b64decode(key.reveal(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise ConfigurationError(f"a secret key must be the base64 of {KEY_BYTES} bytes")
    return raw


def _key_id(raw: bytes) -> bytes:
    return hashlib.sha256(b"jimm sealing key\0" + raw).digest()[:_ID_BYTES]


def _place(table: str, column: str, row: str) -> bytes:
    return f"{table}\0{column}\0{row}".encode()
