"""``KeyManager`` 1 (Juju 3.6 ``apiserver/facades/client/keymanager``): the SSH keys of a model,
which are its setting ``authorized-keys``."""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from jimm.errors import JimmError, NotSupported
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.wire.facade import method
from jimm.wire.params.key_manager import ListKeys, ModifyKeys

_INTERNAL: Final = ("juju-client-key", "juju-system-key")


class KeyManager(OnModel):
    """Keys that open a model's machines, the same for all users."""

    name = "KeyManager"

    @method("ListKeys", versions=(1,))
    async def list_keys(self, params: ListKeys) -> Row:
        """Keys, or their fingerprints (MD5) with comments."""
        model = self.read()
        shown = [
            key if params.mode else _shown(key)
            for key in _split(model.config.get("authorized-keys"))
            if _comment(key) not in _INTERNAL
        ]
        return {"results": [{"result": shown} for _ in params.entities.entities]}

    @method("AddKeys", versions=(1,))
    async def add_keys(self, params: ModifyKeys) -> Row:
        """Adds keys."""
        self._require_admin()
        model = self.change()
        keys = _split(model.config.get("authorized-keys"))

        def add(key: str) -> Row:
            found = _fingerprint(key)
            if not found:
                raise JimmError(f"invalid ssh key: {key}")
            if _comment(key) in _INTERNAL:
                raise JimmError(f"may not add key with comment {_comment(key)}: {key}")
            if found in map(_fingerprint, keys):
                raise JimmError(f"duplicate ssh key: {key}")
            keys.append(key)
            return {}

        found = rows(params.ssh_keys, add)
        self._write(keys)
        return {"results": found}

    @method("DeleteKeys", versions=(1,))
    async def delete_keys(self, params: ModifyKeys) -> Row:
        """Removes keys by fingerprint or comment.

        Raises:
            JimmError: none would be left.
        """
        self._require_admin()
        model = self.removal()
        keys = _split(model.config.get("authorized-keys"))
        gone: list[str] = []

        def delete(wanted: str) -> Row:
            fits = [key for key in keys if wanted in (_fingerprint(key), _comment(key), key)]
            if not fits:
                raise JimmError(f"key not found: {wanted}")
            if wanted in _INTERNAL:
                raise JimmError(f"may not delete internal key: {wanted}")
            gone.append(fits[-1])
            return {}

        found = rows(params.ssh_keys, delete)
        left = [key for key in keys if key not in gone]
        if not left and params.ssh_keys:
            raise JimmError("cannot delete all keys")
        self._write(left)
        return {"results": found}

    @method("ImportKeys", versions=(1,))
    async def import_keys(self, params: ModifyKeys) -> Row:
        """Refused: a simulated controller asks no other servers."""
        self._require_admin()
        self.change()

        def refuse(key_id: str) -> Row:
            raise NotSupported(f"a simulated controller imports no keys: {key_id}")

        return {"results": rows(params.ssh_keys, refuse)}

    def _require_admin(self) -> None:
        self.administration()

    def _write(self, keys: Iterable[str]) -> None:
        model = self.session.model
        config = {**model.config, "authorized-keys": "\n".join(keys)}
        self.keep(replace(model, config=config))


def _split(text: object) -> list[str]:
    lines = (line.strip() for line in str(text or "").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _shown(key: str) -> str:
    found = _fingerprint(key)
    if not found:
        return f"Invalid key: {key}"
    comment = _comment(key)
    return f"{found} ({comment})" if comment else found


def _fingerprint(key: str) -> str:
    """As ``ssh-keygen -l -E md5`` shows it; empty for what is no key."""
    parts = key.split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except (IndexError, binascii.Error):
        return ""
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2)) if blob else ""


def _comment(key: str) -> str:
    return " ".join(key.split()[2:])
