"""Small charms, packed and unpacked, for tests."""

import hashlib
import io
import zipfile
from pathlib import Path

METADATA = """\
name: tiny
summary: A tiny charm.
description: It does nothing.
requires:
  db:
    interface: pgsql
provides:
  website: http
resources:
  data:
    type: file
    filename: data.txt
    description: What it serves.
"""
FILES = {
    "metadata.yaml": METADATA,
    "config.yaml": "options:\n  port: {type: int, default: 80, description: The port.}\n",
    "actions.yaml": "backup: {description: Back it up.}\n",
    "manifest.yaml": "bases:\n- {name: ubuntu, channel: '24.04', architectures: [amd64]}\n",
    "dispatch": "#!/bin/sh\n",
}


def packed(prefix: str = "") -> bytes:
    """The charm's archive, with a folder around it if asked for."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(prefix + name, text)
    return buffer.getvalue()


def unpacked(folder: Path) -> Path:
    """The charm's folder, made there."""
    made = folder / "tiny"
    made.mkdir()
    for name, text in FILES.items():
        (made / name).write_text(text)
    (made / "dispatch").chmod(0o755)
    return made


def object_path(model: str, archive: bytes, name: str = "tiny") -> str:
    """Where a client of Juju 3.6 and 4.0 puts the archive."""
    return f"/model-{model}/charms/{name}-{hashlib.sha256(archive).hexdigest()[:7]}"


def resource_headers(data: bytes, filename: str = "data.txt") -> dict[str, str]:
    """What goes with a resource."""
    return {
        "Content-Type": "application/octet-stream",
        "Content-Sha384": hashlib.sha384(data).hexdigest(),
        "Content-Disposition": f'form-data; filename="{filename}"',
    }
