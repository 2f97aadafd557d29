"""What `jimm dev` keeps in its folder."""

import socket
from pathlib import Path

import pytest

from jimm.dev import state
from jimm.errors import ConfigurationError


def test_ports_and_passwords_stay(tmp_path: Path) -> None:
    assert state.is_new(tmp_path)
    first = state.load(tmp_path, ["a", "b"])
    assert not state.is_new(tmp_path)
    again = state.load(tmp_path, ["a", "b", "c"])
    assert {name: again.ports[name] for name in first.ports} == first.ports
    assert again.passwords == first.passwords
    assert len(set(again.ports.values())) == 3
    assert set(again.ports.values()) <= set(state.PORTS)
    assert set(again.passwords) == {"admin", "alice", "bob"}


def test_a_private_file_is_whole_or_not_there(tmp_path: Path) -> None:
    state.write_private(tmp_path / "file", "one")
    state.write_private(tmp_path / "file", "two")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "two"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600


def test_one_run_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "dev"
    with state.alone(folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "dev.json").write_text("{}")
        with (
            pytest.raises(ConfigurationError, match="another jimm dev runs on"),
            state.alone(folder),
        ):
            pass
        assert (folder / "dev.json").exists()
    with state.alone(folder):
        assert not (folder / "dev.json").exists()


def test_a_port_that_somebody_has(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{port} \(address already"):
            state.require_free(port)
    state.require_free(port)
