"""Registers controllers, adds a model and migrates it: ``tour.py REGISTRATION…``.

What ``jimmctl`` does is done with it, and shown. The model is added as a Juju client adds it,
over the RPC. Run again it registers nothing twice, and moves the same model on.
Server and user come from ``jimmctl``'s own variables, the password from the file in
``ADMIN_PASSWORD_FILE``.
"""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

MODEL = "tour"


def main(registrations: Sequence[Path]) -> None:
    """The tour; any step that fails ends it with a status of its own."""
    password = Path(os.environ["ADMIN_PASSWORD_FILE"]).read_text().strip()
    os.environ["JIMMCTL_PASSWORD"] = password
    registered = {each["name"] for each in _read("list-controllers")}
    for file in registrations:
        if file.stem not in registered:
            _show("add-controller", str(file), "--format", "tabular")
    _show("list-controllers", "--format", "tabular")
    if not _models():
        print(f"$ CreateModel {MODEL}, as a Juju client asks for it", flush=True)
        create_model(password)
    model = _models()[0]
    host = model["controller-name"]
    target = next(each["name"] for each in _read("list-controllers") if each["name"] != host)
    _show("migrate", target, model["model-uuid"], "--wait", "--format", "tabular")
    _show("list-models", "--format", "tabular")


def create_model(password: str) -> None:
    """Logs in with user and password (Admin 3) and calls ModelManager.CreateModel."""
    user = f"user-{os.environ['JIMMCTL_USER']}"
    context = ssl.create_default_context(cafile=os.environ["JIMMCTL_CA_CERT"])
    url = f"wss://{os.environ['JIMMCTL_ADDRESS']}/api"
    with connect(url, ssl=context, compression=None) as socket:
        login = {"auth-tag": user, "credentials": password, "client-version": "3.6.9"}
        _call(socket, 1, "Admin", 3, "Login", login)
        model = {"name": MODEL, "owner-tag": user, "cloud-tag": "cloud-metro", "region": "north"}
        _call(socket, 2, "ModelManager", 10, "CreateModel", model)


def _call(
    socket: ClientConnection,
    request_id: int,
    facade: str,
    version: int,
    method: str,
    params: Mapping[str, object],
) -> None:
    request = {"type": facade, "version": version, "request": method, "params": params}
    socket.send(json.dumps({"request-id": request_id, **request}))
    answer = json.loads(socket.recv(timeout=150))
    if answer.get("error"):
        sys.exit(f"{facade}.{method}: {answer['error']}")


def _models() -> Sequence[Mapping[str, Any]]:
    return [each for each in _read("list-models")["models"] if each["model-name"] == MODEL]


def _read(*command: str) -> Any:
    """What a jimmctl command answers, as values."""
    return json.loads(_run([*command, "--format", "json"], subprocess.PIPE))


def _show(*command: str) -> None:
    print(f"$ jimmctl {' '.join(command)}", flush=True)
    _run(command, None)


def _run(command: Sequence[str], output: int | None) -> bytes:
    """What is printed, if it is to be read; jimmctl itself has said what went wrong."""
    done = subprocess.run(["jimmctl", *command], check=False, stdout=output)
    if done.returncode != 0:
        sys.exit(done.returncode)
    return done.stdout or b""


if __name__ == "__main__":
    main([Path(each) for each in sys.argv[1:]])
