"""What all sections share: a folder, a Postgres, an authority, and trees of JIMM by peer."""

import base64
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar, cast

import psycopg

from bench.jimms import Jimm, free_port, in_tree
from bench.processes import Ended, cpu
from bench.table import BEFORE, JIMM
from jimm.net.certificates import Authority
from jimm.registry.embedded import EmbeddedPostgres, cluster_folder

T = TypeVar("T")

TREE: Final = Path(__file__).parent.parent
USERS: Final = ("admin", "alice", "bob")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A database with schema and users, to be copied; and what belongs to it."""

    database: str
    key: Path
    ca: Path
    passwords: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ground:
    """What all sections share: a folder, a Postgres, an authority, and trees of JIMM by peer."""

    folder: Path
    postgres: EmbeddedPostgres
    postgres_log: Path
    trees: dict[str, Path]
    quick: bool
    stack: ExitStack
    _prepared: dict[str, Prepared] = field(default_factory=dict)
    _made: dict[Callable[["Ground"], object], object] = field(default_factory=dict)

    @property
    def rounds(self) -> int:
        """How often each peer runs; they take turns."""
        return 5 if self.quick else 7

    def once(self, make: Callable[["Ground"], T]) -> T:
        """What a function makes of it, made once and kept; what that has to end is on the
        stack."""
        if make not in self._made:
            self._made[make] = make(self)
        return cast("T", self._made[make])

    @property
    def postmaster(self) -> int:
        """The process id of Postgres.

        Raises:
            Ended: it does not run.
        """
        pid = self.postgres.pid
        if pid is None:
            raise Ended("Postgres has ended")
        return pid

    def postgres_cpu(self) -> float:
        """CPU seconds of all of Postgres until now."""
        return cpu(self.postmaster)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """One statement as the owner of everything."""
        with psycopg.connect(self.postgres.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def new_jimm(self, peer: str) -> Jimm:
        """A JIMM of a peer's tree with a database of its own; not started yet."""
        ready = self._prepared.get(peer)
        if ready is None:
            ready = self._prepared[peer] = self._prepare(peer)
        database = f"{peer}_{secrets.token_hex(4)}"
        self.execute(f"CREATE DATABASE {database} TEMPLATE {ready.database}")
        port = free_port()
        environment = self._environment(database, ready.key) | {
            "JIMM_LISTEN": f"127.0.0.1:{port}",
            "JIMM_PUBLIC_NAMES": "127.0.0.1,localhost",
            "JIMM_LOG_LEVEL": "warning",
        }
        tree = self.trees[peer]
        return Jimm(
            self.folder,
            self.postmaster,
            tree,
            database,
            port,
            environment,
            ready.ca,
            ready.passwords,
        )

    def _prepare(self, peer: str) -> Prepared:
        ready = Prepared(
            f"{peer}_prepared",
            self.folder / f"{peer}.key",
            self.folder / f"{peer}-ca.pem",
            {name: secrets.token_urlsafe(12) for name in USERS},
        )
        ready.key.touch(0o600)
        ready.key.write_text(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        self.execute(f"CREATE DATABASE {ready.database}")
        tree = self.trees[peer]
        done = subprocess.run(
            [sys.executable, "-P", str(TREE / "bench" / "prepare.py")],
            input=json.dumps(ready.passwords),
            capture_output=True,
            text=True,
            cwd=tree,
            env=in_tree(tree, self._environment(ready.database, ready.key)),
            check=False,
        )
        if done.returncode != 0:
            raise Ended(f"JIMM can't be prepared: {done.stderr.strip()[-1000:]}")
        ready.ca.write_text(done.stdout)
        return ready

    def _environment(self, database: str, key: Path) -> dict[str, str]:
        return {
            "JIMM_DATABASE_URL": self.postgres.url(database),
            "JIMM_SECRET_KEY_FILE": str(key),
        }


@contextmanager
def ground(*, quick: bool, tree: Path, before: Path | None) -> Iterator[Ground]:
    """The ground, and nothing left of it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="jimm-bench-"))
    cluster = cluster_folder(folder)
    postgres = EmbeddedPostgres(cluster)
    trees = {JIMM: tree} | ({} if before is None else {BEFORE: before})
    try:
        postgres.start()
        _certify(folder)
        with ExitStack() as stack:
            yield Ground(folder, postgres, cluster / "postgres.log", trees, quick, stack)
    finally:
        postgres.destroy()
        shutil.rmtree(folder, ignore_errors=True)


def _certify(folder: Path) -> None:
    """A certificate for whatever stands where a controller is: ECDSA, as JIMM's own is."""
    authority = Authority.create("bench")
    issued = authority.issue(["127.0.0.1"])
    key = issued.key_pem.reveal()
    (folder / "ca.pem").write_text(authority.certificate_pem)
    (folder / "server.pem").write_text(issued.chain_pem)
    (folder / "server.key").write_text(key)
    (folder / "both.pem").write_text(issued.chain_pem + key)
