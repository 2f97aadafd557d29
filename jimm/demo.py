"""The tour: three controllers behind one address, seen by an unmodified Juju client.

``make demo`` runs it. It starts ``jimm dev`` in a temporary folder, uses it with python-libjuju
and ``jimmctl``, and leaves nothing behind.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from jimm.registry.embedded import EmbeddedPostgres, cluster_folder

MODELS = 6
READY_WITHIN = 60.0
RECONNECT_WITHIN = 30.0


def main() -> None:
    """Runs the tour; exit status 0 when every step did what it says."""
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="jimm-demo-"))
    try:
        asyncio.run(_tour(folder))
    finally:
        EmbeddedPostgres(cluster_folder(folder)).destroy()
        shutil.rmtree(folder, ignore_errors=True)
    _say(f"Done in {time.monotonic() - began:.0f} s. Nothing was left behind.")


async def _tour(folder: Path) -> None:
    # libjuju is a guest of the extra `demo`; nothing else of JIMM imports it.
    from juju.controller import Controller

    _say("Starting Postgres, JIMM and three simulated Juju controllers (`jimm dev`).")
    async with _dev(folder) as dev:
        admin = _Jimmctl(dev, "admin")
        _say("The administrator sees three controllers (`jimmctl list-controllers`).")
        admin.show("list-controllers", "--format", "tabular")
        alice = next(user for user in dev["users"] if user["name"] == "alice")
        _say("alice connects to one address with python-libjuju, as to any Juju controller.")
        controller = Controller()
        await controller.connect(
            endpoint=dev["address"],
            cacert=Path(dev["ca_cert"]).read_text(),  # noqa: ASYNC240 - nobody waits
            username=alice["name"],
            password=alice["password"],
        )
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
    admin.show("list-models", "--format", "tabular")
    hosted = admin.ask("list-models")["models"]
    for name, count in sorted(Counter(each["controller-name"] for each in hosted).items()):
        print(f"  {name}: {count}")
    moving = next(each for each in hosted if each["controller-name"] != "controller-3")
    await _migrate(controller, admin, moving)
    _say("She destroys her models.")
    for each in hosted:
        await controller.destroy_model(each["model-uuid"])
    print("  destroyed:", ", ".join(sorted(each["model-name"] for each in hosted)))


async def _migrate(controller: Any, admin: "_Jimmctl", moving: dict[str, Any]) -> None:
    uuid, name = moving["model-uuid"], moving["model-name"]
    info = await controller.get_model_info(name)
    print(f"  {name} says of itself: {info.status.status}, on cloud {info.cloud_tag}")
    _say(f"She opens {name} and keeps it open: her client watches it through JIMM.")
    model = await controller.get_model(name)
    try:
        status = await model.get_status()
        print(f"  {name} runs Juju {status.model.version}, and is on {moving['controller-name']}")
        _say(f"Meanwhile it is moved (`jimmctl migrate --wait controller-3 {uuid}`).")
        admin.show("migrate", "--wait", "controller-3", uuid, "--format", "tabular")
        _say("The old connection was closed; her client finds the model at the same address.")
        found = await _found_again(model)
        now = admin.ask("show-model", uuid)
        print(f"  {name}: {found}; it is on {now['controller-name']} now")
        if now["controller-name"] != "controller-3":
            raise SystemExit(f"{name} is on {now['controller-name']}")
    finally:
        await model.disconnect()


async def _found_again(model: Any) -> str:
    """libjuju reconnects by itself when it is used; the first try may hit the closed socket."""
    deadline = time.monotonic() + RECONNECT_WITHIN
    while True:
        try:
            status = await model.get_status()
        except Exception:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.2)
        else:
            return str(status.model.model_status.status)


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
    """The administrator's tool, as a command."""

    def __init__(self, dev: dict[str, Any], user: str) -> None:
        login = next(each for each in dev["users"] if each["name"] == user)
        self._environment = {
            **os.environ,
            "JIMMCTL_ADDRESS": dev["address"],
            "JIMMCTL_CA_CERT": dev["ca_cert"],
            "JIMMCTL_USER": login["name"],
            "JIMMCTL_PASSWORD": login["password"],
        }

    def show(self, *arguments: str) -> None:
        """Runs it and shows what it prints."""
        sys.stdout.flush()
        self._run(arguments, capture=False)

    def ask(self, *arguments: str) -> Any:
        """Runs it and reads what it prints."""
        return json.loads(self._run([*arguments, "--format", "json"], capture=True))

    def _run(self, arguments: Any, *, capture: bool) -> str:
        command = [sys.executable, "-m", "jimmctl", *arguments]
        done = subprocess.run(  # noqa: S603 - our own arguments
            command,
            env=self._environment,
            stdout=subprocess.PIPE if capture else None,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(f"jimmctl {' '.join(arguments)} failed")
        return done.stdout or ""


def _say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n# {text}", flush=True)


if __name__ == "__main__":
    main()
