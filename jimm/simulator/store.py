"""The state on disk: one row per thing, written before the answer goes out.

SQLite in WAL mode: a transaction that returned survives a SIGKILL of the process. What is read
comes from memory, which holds the same values.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct

from jimm.simulator.migration.lifecycle import fault_of
from jimm.simulator.state import (
    Controller,
    Credential,
    ExternalUser,
    FormerModel,
    LocalUser,
    Model,
    Thing,
)
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID, ModelUUID

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS things (
    kind TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, key)
) WITHOUT ROWID
"""


class Identity(Struct, frozen=True, kw_only=True):
    """What a controller is given once and keeps: its uuid, certificates and administrator."""

    uuid: ControllerUUID
    authority_pem: str
    authority_key: Secret
    chain_pem: str
    key: Secret
    names: tuple[str, ...]
    admin_password: Secret


class Change(Struct, frozen=True, kw_only=True):
    """A thing as it was and as it is; ``None`` is not there."""

    before: Thing | None
    after: Thing | None


Listener = Callable[[Change], None]


class Store:
    """Everything that a simulated controller remembers. ``None`` as path is memory only."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._database: sqlite3.Connection | None = None
        self._tables: dict[type, dict[str, Thing]] = {kind: {} for kind in _KINDS.values()}
        self._listeners: list[Listener] = []

    @property
    def controller(self) -> Controller:
        """The controller itself."""
        return self._table(Controller)[""]

    @property
    def users(self) -> Mapping[str, LocalUser]:
        """Local users by name."""
        return MappingProxyType(self._table(LocalUser))

    @property
    def outsiders(self) -> Mapping[str, ExternalUser]:
        """Users with a domain who have logged in, by id."""
        return MappingProxyType(self._table(ExternalUser))

    @property
    def credentials(self) -> Mapping[str, Credential]:
        """Credentials by ``cloud/owner/name``."""
        return MappingProxyType(self._table(Credential))

    @property
    def models(self) -> Mapping[ModelUUID, Model]:
        """Models that live here, by uuid."""
        return cast("Mapping[ModelUUID, Model]", MappingProxyType(self._table(Model)))

    @property
    def former(self) -> Mapping[ModelUUID, FormerModel]:
        """Models that were moved away, by uuid."""
        return cast("Mapping[ModelUUID, FormerModel]", MappingProxyType(self._table(FormerModel)))

    def open(self) -> None:
        """Opens the file (made if need be, readable by its owner only) and reads it all."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
        self._database = sqlite3.connect(str(self._path or ":memory:"))
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(_SCHEMA)
        for kind, key, body in self._database.execute("SELECT kind, key, body FROM things"):
            if kind in _KINDS:
                self._tables[_KINDS[kind]][key] = _decode(body, _KINDS[kind])

    def close(self) -> None:
        """Closes the file; nothing can be written after that."""
        if self._database is not None:
            self._database.close()
            self._database = None

    def listen(self, listener: Listener) -> None:
        """Calls ``listener`` for each change, once it is on disk."""
        self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        """Calls ``listener`` no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def put(self, *things: Thing) -> None:
        """Puts things in place of the ones with the same key, in one transaction."""
        self.apply(put=things)

    def remove(self, *things: Thing) -> None:
        """Takes things out, in one transaction."""
        self.apply(remove=things)

    def apply(self, *, put: Iterable[Thing] = (), remove: Iterable[Thing] = ()) -> None:
        """Puts and removes in one transaction; listeners hear of it afterwards.

        Raises:
            RuntimeError: the store is closed.
            ValueError: a model that Juju cannot have.
        """
        put = tuple(put)
        for model in put:
            if isinstance(model, Model) and (fault := fault_of(model)):
                raise ValueError(f"model {model.name} cannot be: {fault}")
        changes: list[tuple[type, str, Thing | None]] = []
        changes.extend((type(thing), _key(thing), None) for thing in remove)
        changes.extend((type(thing), _key(thing), thing) for thing in put)
        database = self._open_database()
        with database:
            for kind, key, thing in changes:
                _write(database, kind, key, thing)
        for change in [self._remember(*each) for each in changes]:
            if change.before != change.after:
                for listener in tuple(self._listeners):
                    listener(change)

    def identity(self) -> Identity | None:
        """The identity, once there is one."""
        found = self._open_database().execute("SELECT body FROM things WHERE kind = 'identity'")
        row = found.fetchone()
        return None if row is None else _decode(row[0], Identity)

    def keep_identity(self, identity: Identity) -> None:
        """Writes the identity."""
        with self._open_database() as database:
            database.execute(
                "INSERT OR REPLACE INTO things VALUES ('identity', '', ?)", (_encode(identity),)
            )

    def _remember(self, kind: type, key: str, thing: Thing | None) -> Change:
        table = self._tables[kind]
        before = table.get(key)
        if thing is None:
            table.pop(key, None)
        else:
            table[key] = thing
        return Change(before=before, after=thing)

    def _table(self, kind: type[T]) -> dict[str, T]:
        return cast("dict[str, T]", self._tables[kind])

    def _open_database(self) -> sqlite3.Connection:
        if self._database is None:
            raise RuntimeError("the store is closed")
        return self._database


_KINDS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "controller": Controller,
        "user": LocalUser,
        "outsider": ExternalUser,
        "credential": Credential,
        "model": Model,
        "former": FormerModel,
    }
)


def _key(thing: Thing) -> str:
    match thing:
        case Controller():
            return ""
        case LocalUser() | ExternalUser():
            return thing.name
        case Credential():
            return str(thing.id)
        case Model() | FormerModel():
            return thing.uuid


def _write(database: sqlite3.Connection, kind: type, key: str, thing: Thing | None) -> None:
    name = next(name for name, each in _KINDS.items() if each is kind)
    if thing is None:
        database.execute("DELETE FROM things WHERE kind = ? AND key = ?", (name, key))
        return
    database.execute("INSERT OR REPLACE INTO things VALUES (?, ?, ?)", (name, key, _encode(thing)))


def _encode(thing: Struct) -> bytes:
    return msgspec.json.encode(thing, enc_hook=reveal)


def _decode(body: bytes, kind: type[T]) -> T:
    return msgspec.json.decode(body, type=kind, dec_hook=conceal)


def reveal(value: object) -> object:
    """How msgspec writes a secret where it has to be written."""
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"cannot store {type(value).__name__}")


def conceal(kind: type, value: object) -> object:
    """How msgspec reads one again."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    if kind is object:
        return value
    raise NotImplementedError(f"cannot read {kind.__name__}")
