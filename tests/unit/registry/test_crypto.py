import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import ConfigurationError
from jimm.registry.crypto import Sealer, load_keys, new_key
from jimm.wire.secret import Secret

PLACE = {"table": "controllers", "column": "admin_password_sealed", "row": "u1"}


@given(st.binary())
def test_what_is_sealed_opens_at_its_place(plain: bytes) -> None:
    sealer = Sealer(new_key())
    assert sealer.open_bytes(sealer.seal(plain, **PLACE), **PLACE) == plain


def test_a_text_comes_back_as_a_secret() -> None:
    sealer = Sealer(new_key())
    sealed = sealer.seal(Secret("s3cret"), **PLACE)
    assert b"s3cret" not in sealed
    assert sealer.open(sealed, **PLACE) == Secret("s3cret")


@pytest.mark.parametrize("changed", [{"row": "u2"}, {"column": "x"}, {"table": "x"}])
def test_it_does_not_open_elsewhere(changed: dict[str, str]) -> None:
    sealer = Sealer(new_key())
    sealed = sealer.seal(Secret("s3cret"), **PLACE)
    with pytest.raises(ConfigurationError, match="altered, or sealed for another row"):
        sealer.open(sealed, **{**PLACE, **changed})


def test_another_key_does_not_open_it() -> None:
    sealed = Sealer(new_key()).seal(Secret("s3cret"), **PLACE)
    with pytest.raises(ConfigurationError, match="add the old key"):
        Sealer(new_key()).open(sealed, **PLACE)


@given(st.binary(max_size=60))
def test_rubbish_does_not_open(rubbish: bytes) -> None:
    with pytest.raises(ConfigurationError):
        Sealer(new_key()).open_bytes(rubbish, **PLACE)


def test_keys_rotate() -> None:
    old, new = new_key(), new_key()
    sealed = Sealer(old).seal(Secret("s3cret"), **PLACE)
    both = Sealer(new, old)
    assert both.open(sealed, **PLACE) == Secret("s3cret")
    assert not both.sealed_by_newest(sealed)
    again = both.seal(both.open(sealed, **PLACE), **PLACE)
    assert both.sealed_by_newest(again)
    assert Sealer(new).open(again, **PLACE) == Secret("s3cret")


def test_a_key_file_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "key"
    first = load_keys(path, create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(load_keys(path, create=True)) == list(first)
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("content", "mode", "text"),
    [
        ("# nothing\n", 0o600, "holds no key"),
        ("A" * 43 + "=", 0o644, "everybody may read"),
    ],
)
def test_a_bad_key_file_is_refused(tmp_path: Path, content: str, mode: int, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=text):
        load_keys(path)


def test_a_missing_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot read"):
        load_keys(tmp_path / "key")


@pytest.mark.parametrize("text", ["", "short", "x" * 44, "aGVsbG8="])
def test_a_bad_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Sealer(Secret(text))
