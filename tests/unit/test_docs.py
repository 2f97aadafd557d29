"""What the reference pages must list: every domain error, every setting."""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic.fields import FieldInfo

from jimm.errors import JimmError
from jimm.settings import Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def test_every_error_is_documented_with_its_code() -> None:
    expected = {each.__name__: each.code for each in _tree(JimmError)}
    assert dict(_rows("errors.md")) == expected


def test_every_setting_is_documented_with_its_default() -> None:
    expected = {}
    for name, field in Settings.model_fields.items():
        expected[f"JIMM_{name.upper()}"] = _written(field)
    assert dict(_rows("settings.md")) == expected


def _tree(kind: type[JimmError]) -> Iterator[type[JimmError]]:
    """A class of ours and all below it; not those that tests make."""
    if kind.__module__ == JimmError.__module__:
        yield kind
    for each in kind.__subclasses__():
        yield from _tree(each)


def _written(field: FieldInfo) -> str:
    """A setting's default as one would write it in the environment."""
    if field.is_required() or field.default in (None, "", ()):
        return ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)


def _rows(page: str) -> Iterator[tuple[str, str]]:
    """The first two cells of each row of a page's tables that names one of ours."""
    for line in (REFERENCE / page).read_text().splitlines():
        if row := re.match(r"\| `(\w+)` \| (?:`([^`]*)`)? *\|", line):
            yield row[1], row[2] or ""
