"""The state on disk."""

import datetime
from pathlib import Path

import pytest

from jimm.simulator.state import Credential, ExternalUser, LocalUser
from jimm.simulator.store import Change, Identity, Store
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID, CredentialId

NOW = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
BOB = LocalUser(name="bob", created=NOW)


def opened(path: Path | None = None) -> Store:
    store = Store(path)
    store.open()
    return store


def test_what_was_put_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.db"
    first = opened(path)
    credential = Credential(id=CredentialId("metro", "bob", "one"), auth_type="userpass")
    alice = ExternalUser(name="alice@jimm", created=NOW)
    first.put(BOB, alice, credential)
    first.remove(alice)
    first.close()
    assert path.stat().st_mode & 0o777 == 0o600
    second = opened(path)
    assert dict(second.users) == {"bob": BOB}
    assert dict(second.credentials) == {"metro/bob/one": credential}
    assert not second.outsiders
    second.close()


def test_the_identity_is_kept_with_its_secrets(tmp_path: Path) -> None:
    identity = Identity(
        uuid=ControllerUUID("u"),
        authority_pem="a",
        authority_key=Secret("k"),
        chain_pem="c",
        key=Secret("s"),
        names=("localhost",),
        admin_password=Secret("p"),
    )
    first = opened(tmp_path / "state.db")
    assert first.identity() is None
    first.keep_identity(identity)
    first.close()
    second = opened(tmp_path / "state.db")
    assert second.identity() == identity
    second.close()


def test_listeners_hear_of_changes_only() -> None:
    store = opened()
    heard: list[Change] = []
    store.listen(heard.append)
    store.put(BOB)
    store.put(BOB)
    store.remove(BOB)
    store.unlisten(heard.append)
    store.put(BOB)
    assert heard == [Change(before=None, after=BOB), Change(before=BOB, after=None)]
    store.close()


def test_a_closed_store_takes_nothing() -> None:
    store = opened()
    store.close()
    with pytest.raises(RuntimeError, match="closed"):
        store.put(BOB)
    assert not store.users
