"""Where lines go, and what is there when they stop coming."""

from pathlib import Path

import pytest

from jimmctl.errors import AnswerLost, JimmctlError
from jimmctl.lines import Destination


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("the last export")
    with Destination(file) as destination:
        destination.add(b"one\ntw")
        assert file.read_text() == "the last export"
        destination.add(b"o\n")
    assert destination.count == 2
    assert file.read_bytes() == b"one\ntwo\n"
    assert list(tmp_path.iterdir()) == [file]


def test_what_is_broken_off_stays_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"

    def broken() -> None:
        with Destination(file) as destination:
            destination.add(b"one\ntw")
            raise AnswerLost("the connection to JIMM broke")

    with pytest.raises(AnswerLost):
        broken()
    assert not file.exists()
    assert (tmp_path / "events.jsonl.part").read_bytes() == b"one\ntw"


def test_standard_output_stays_open(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with Destination(None) as destination:
        destination.add(b"one\n")
    with Destination(None) as destination:
        destination.add(b"two\n")
    assert capfdbinary.readouterr().out == b"one\ntwo\n"


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    place = tmp_path / "no" / "where"
    with pytest.raises(JimmctlError, match="can't be written"), Destination(place):
        pass
