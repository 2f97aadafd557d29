"""Which of JIMM's workers holds the other end of a socket, as the kernel tells."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.juju_client import Registration, Socket, dialled
from tests.system.crash.house import PASSWORD, House


def workers(home: House) -> list[int]:
    """The processes that JIMM's parent runs, by their ids."""
    assert home.process is not None
    pid = home.process.pid
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(each) for each in told.split()]


def holder(home: House, client: Socket) -> int:
    """The worker that a socket was accepted by."""
    port: int = client.connection.local_address[1]
    inode = _inode(home.port, port)
    (found,) = [pid for pid in workers(home) if f"socket:[{inode}]" in _held(pid)]
    return found


@asynccontextmanager
async def socket_on(
    home: House, worker: int, path: str = "/api", *, user: str = "alice"
) -> AsyncIterator[Socket]:
    """A user's socket to this one of the workers: the kernel chooses, until it is the right one.

    Raises:
        Refused: they may not log in there.
    """
    place = Registration("jimm", home.uuid, f"127.0.0.1:{home.port}", home.ca, user, PASSWORD)
    async with AsyncExitStack() as stack:
        async with asyncio.timeout(20):
            while True:
                opened = await stack.enter_async_context(dialled(place, path))
                if holder(home, opened) == worker:
                    break
        await opened.login(user, PASSWORD)
        yield opened


def _inode(local: int, remote: int) -> str:
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if (_port(words[1]), _port(words[2])) == (local, remote):
            return words[9]
    raise LookupError(f"no connection from port {remote} to port {local}")


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _held(pid: int) -> set[str]:
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(each.readlink()))
        except FileNotFoundError:
            continue  # closed meanwhile
    return found
