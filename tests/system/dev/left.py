"""What a stopped `jimm dev` may have left running."""

import os
from pathlib import Path

from jimm.registry.embedded import cluster_folder


def left(folder: Path) -> list[str]:
    """The processes that have anything to do with a folder of `jimm dev`, or with its database:
    by their command lines, their environments, or the folder that they are in."""
    names = [os.fsencode(folder), os.fsencode(cluster_folder(folder))]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        told = _told(process)
        if any(name in told for name in names):
            found.append(f"{process.name}: {told[:80]!r}")
    return found


def groups(pids: list[int]) -> set[int]:
    """The process groups and sessions of these."""
    return {os.getpgid(pid) for pid in pids} | {os.getsid(pid) for pid in pids}


def members(group: int) -> list[int]:
    """The processes that are in a group or session."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z" and str(group) in fields[2:4]:  # group, session
            found.append(int(process.name))
    return found


def is_running(pid: int) -> bool:
    """Whether it is there, and not as a zombie that nobody has asked for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] != "Z"


def _told(process: Path) -> bytes:
    if int(process.name) == os.getpid():
        return b""
    try:
        here = os.fsencode((process / "cwd").readlink())
        return b"\0".join(
            [(process / "cmdline").read_bytes(), (process / "environ").read_bytes(), here]
        )
    except OSError:
        return b""
