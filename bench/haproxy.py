"""HAProxy as a peer: TLS ended and begun again, and nothing known of what passes."""

import shutil
from pathlib import Path
from typing import Final

INSTALL: Final = "HAProxy is not installed; on Debian: apt-get install haproxy"

_CONFIGURATION: Final = """\
global
    nbthread 1
    maxconn 4000
    ssl-default-bind-options ssl-min-ver TLSv1.2
    ssl-default-server-options ssl-min-ver TLSv1.2

defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h

frontend client
    bind 127.0.0.1:{port} ssl crt {folder}/both.pem
    default_backend controller

backend controller
    server one 127.0.0.1:{controller} ssl verify required ca-file {folder}/ca.pem \
sni str(juju-apiserver) verifyhost juju-apiserver
"""
"""One thread, for JIMM has one too; the rest is as Debian's package has it, TLS sessions being
resumed on both sides included."""


def program() -> str | None:
    """Where HAProxy is, if it is there."""
    return shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")


def write(folder: Path, port: int, controller: int) -> Path:
    """The configuration of one that listens on a port and passes on to a controller's."""
    file = folder / "haproxy.cfg"
    file.write_text(_CONFIGURATION.format(folder=folder, port=port, controller=controller))
    return file
