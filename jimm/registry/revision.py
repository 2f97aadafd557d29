"""The schema revision that this program needs, found without loading Alembic.

That is all that a start has to know; :mod:`jimm.registry.schema` does the rest.
"""

import re
from pathlib import Path
from typing import Final

import migrations
from jimm.errors import ConfigurationError

_OWN: Final = re.compile(r'^revision = "(\w+)"$', re.M)
_BEFORE: Final = re.compile(r'^down_revision = "(\w+)"$', re.M)


def needed() -> str:
    """The newest of the revisions in ``migrations``, whose history is one line.

    Raises:
        ConfigurationError: there is none.
    """
    own: set[str] = set()
    before: set[str] = set()
    for file in (Path(next(iter(migrations.__path__))) / "versions").glob("*.py"):
        text = file.read_text()
        own.update(_OWN.findall(text))
        before.update(_BEFORE.findall(text))
    newest = own - before
    if len(newest) != 1:
        raise ConfigurationError("this copy of JIMM has no schema revisions")
    return newest.pop()
