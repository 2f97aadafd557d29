"""The embedded server survives its starter, a stop, and a SIGKILL."""

import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest

from jimm.errors import ConfigurationError
from jimm.registry.embedded import EmbeddedPostgres, cluster_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: that is below a private folder, where Postgres can't get as another user.
    path = Path(tempfile.gettempdir()) / f"jimm-embedded-{os.getpid()}-{token_hex(3)}"
    yield path
    EmbeddedPostgres(path).destroy()
    assert not path.exists()


def test_data_outlives_a_stop_and_a_kill(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    assert server.pid is None
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (it text)")
    server.stop()
    assert server.pid is None
    server.start()
    killed = server.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    server.start()
    assert server.pid not in (None, killed)
    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_running_server_is_adopted(folder: Path) -> None:
    first, second = EmbeddedPostgres(folder, durable=False), EmbeddedPostgres(folder)
    first.start()
    second.start()
    assert second.pid == first.pid
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    second.stop()
    assert first.pid is None
    second.stop()


def test_a_long_path_gets_its_socket_elsewhere(folder: Path) -> None:
    folder.mkdir(mode=0o755)
    server = EmbeddedPostgres(folder / ("long" * 25), durable=False)
    try:
        server.start()
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        server.destroy()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts it as another user")
def test_a_private_folder_is_refused_and_left_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(ConfigurationError, match="private"):
        EmbeddedPostgres(tmp_path / "postgres").start()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    elsewhere = cluster_folder(tmp_path)
    assert not elsewhere.is_relative_to(tmp_path)
    assert elsewhere == cluster_folder(tmp_path)
