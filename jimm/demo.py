"""The tour: three controllers behind one address, seen by an unmodified Juju client.

``make demo`` runs it. It starts ``jimm dev`` in a temporary folder, uses it with python-libjuju
and ``jimmctl``, and leaves nothing behind.
"""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jimm.registry.embedded import EmbeddedPostgres, cluster_folder

MODELS: Final = 6
TARGET: Final = "controller-3"
READY_WITHIN: Final = 60.0
RECONNECT_WITHIN: Final = 30.0


def main() -> None:
    """Runs the tour; exit status 0 when every step did what it says."""
    began = time.monotonic()
    # Told to end, it puts away what it started, as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # libjuju tells of facades that it does not know, of reconnecting, and of its own tasks' ends.
    for guest in ("juju", "asyncio"):
        logging.getLogger(guest).setLevel(logging.CRITICAL + 1)
    folder = Path(tempfile.mkdtemp(prefix="jimm-demo-"))
    _make_ssh_key(folder / "juju")
    try:
        asyncio.run(_tour(folder / "dev"))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        EmbeddedPostgres(cluster_folder(folder / "dev")).destroy()
        shutil.rmtree(folder, ignore_errors=True)
    _say(f"Done in {time.monotonic() - began:.0f} s. Nothing was left behind.")


def _make_ssh_key(juju_data: Path) -> None:
    """libjuju puts the user's public key into a new model, and expects what ``juju`` has made."""
    key = Ed25519PrivateKey.generate().public_key()
    file = juju_data / "ssh" / "juju_id_rsa.pub"
    file.parent.mkdir(parents=True)
    file.write_bytes(key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) + b" alice\n")
    os.environ["JUJU_DATA"] = str(juju_data)


async def _tour(folder: Path) -> None:
    # libjuju is a guest of the extra `demo`; nothing else of JIMM imports it.
    from juju.controller import Controller

    _say("Starting Postgres, JIMM and three simulated Juju controllers (`jimm dev`).")
    async with _dev(folder) as dev:
        admin = _Jimmctl(dev, "admin")
        _say("The administrator sees three controllers (`jimmctl list-controllers`).")
        await admin.show("list-controllers", "--format", "tabular")
        alice = next(user for user in dev["users"] if user["name"] == "alice")
        _say("alice connects to one address with python-libjuju, as to any Juju controller.")
        controller = Controller()
        await controller.connect(
            endpoint=dev["address"],
            cacert=Path(dev["ca_cert"]).read_text(),  # noqa: ASYNC240 - nobody waits
            username=alice["name"],
            password=alice["password"],
        )
        print(f"  {alice['name']} is connected to {dev['address']}")
        try:
            await _use(controller, admin)
        finally:
            await controller.disconnect()


async def _use(controller: Any, admin: "_Jimmctl") -> None:
    _say(f"She adds {MODELS} models and names no controller; JIMM places each at random.")
    for number in range(1, MODELS + 1):
        model = await controller.add_model(f"demo-{number}")
        await model.disconnect()
    print("  her client lists:", ", ".join(sorted(await controller.list_models())))
    _say("The administrator sees where they are (`jimmctl list-models`).")
    await admin.show("list-models", "--format", "tabular")
    hosted = (await admin.ask("list-models"))["models"]
    for name, count in sorted(Counter(each["controller-name"] for each in hosted).items()):
        print(f"  {name}: {count}")
    moving = await _movable(controller, admin, hosted)
    await _migrate(controller, admin, moving)
    await _destroy(controller, admin)


async def _movable(
    controller: Any, admin: "_Jimmctl", hosted: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """A model that is not on the target yet; if chance put all there, one more is added."""
    number = MODELS
    while all(each["controller-name"] == TARGET for each in hosted):
        number += 1
        await (await controller.add_model(f"demo-{number}")).disconnect()
        hosted = (await admin.ask("list-models"))["models"]
    return next(each for each in hosted if each["controller-name"] != TARGET)


async def _migrate(controller: Any, admin: "_Jimmctl", moving: Mapping[str, Any]) -> None:
    uuid, name = moving["model-uuid"], moving["model-name"]
    _say(f"Her client asks what {name} is (get_model_info).")
    info = await controller.get_model_info(name)
    print(f"  {info.name}: {info.status.status}, {info.cloud_tag}, {info.owner_tag}")
    _say(f"She opens {name} and keeps it open: her client watches it through JIMM.")
    model = await controller.get_model(name)
    try:
        status = await model.get_status()
        print(f"  {name} runs Juju {status.model.version}, and is on {moving['controller-name']}")
        _say(f"Meanwhile it is moved (`jimmctl migrate --wait {TARGET} {uuid}`).")
        await admin.show("migrate", "--wait", TARGET, uuid, "--format", "tabular")
        _say("The old connection was closed; her client finds the model at the same address.")
        status = await _found_again(model)
        now = await admin.ask("show-model", uuid)
        print(f"  {status.name} runs Juju {status.version}, and is on {now['controller-name']} now")
        if now["controller-name"] != TARGET:
            raise SystemExit(f"{name} is on {now['controller-name']}")
    finally:
        await model.disconnect()


async def _found_again(model: Any) -> Any:
    """What the model says of itself over a new connection.

    libjuju reconnects by itself when it is used, but a call that it sent just before a
    connection ended is never answered, so each try has its own deadline.
    """
    deadline = time.monotonic() + RECONNECT_WITHIN
    while True:
        try:
            async with asyncio.timeout(3):
                return (await model.get_status()).model
        except Exception:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)


async def _destroy(controller: Any, admin: "_Jimmctl") -> None:
    _say("She destroys her models, and disconnects.")
    hosted = (await admin.ask("list-models"))["models"]
    for each in hosted:
        await controller.destroy_model(each["model-uuid"])
    print("  destroyed:", ", ".join(sorted(each["model-name"] for each in hosted)))


@asynccontextmanager
async def _dev(folder: Path) -> AsyncIterator[dict[str, Any]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "jimm", "dev", "--data", str(folder), "--port", str(port)),
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + READY_WITHIN
        file = folder / "dev.json"
        while not file.exists():
            if process.returncode is not None or time.monotonic() > deadline:
                raise SystemExit("jimm dev did not start")
            await asyncio.sleep(0.05)
        yield json.loads(file.read_text())
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await process.wait()


class _Jimmctl:
    """The administrator's tool, as a command; her client goes on meanwhile."""

    def __init__(self, dev: Mapping[str, Any], user: str) -> None:
        login = next(each for each in dev["users"] if each["name"] == user)
        self._environment = {
            **os.environ,
            "JIMMCTL_ADDRESS": dev["address"],
            "JIMMCTL_CA_CERT": dev["ca_cert"],
            "JIMMCTL_USER": login["name"],
            "JIMMCTL_PASSWORD": login["password"],
        }

    async def show(self, *arguments: str) -> None:
        """Runs it and shows what it prints."""
        sys.stdout.flush()
        await self._run(arguments, output=None)

    async def ask(self, *arguments: str) -> Any:
        """Runs it and reads what it prints."""
        printed = await self._run([*arguments, "--format", "json"], output=asyncio.subprocess.PIPE)
        return json.loads(printed)

    async def _run(self, arguments: Sequence[str], *, output: int | None) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "jimmctl", *arguments), env=self._environment, stdout=output
        )
        printed, _ = await process.communicate()
        if process.returncode != 0:
            raise SystemExit(f"jimmctl {' '.join(arguments)} failed")
        return printed or b""


def _say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n# {text}", flush=True)


if __name__ == "__main__":
    main()
