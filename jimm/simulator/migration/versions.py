"""Juju's version numbers (``github.com/juju/version``): ``3.6.9``, ``3.6.9.1``, ``4.1-beta2``."""

import re
from typing import Final, NamedTuple

_VERSION: Final = re.compile(
    r"(?P<major>\d{1,9})\.(?P<minor>\d{1,9})"
    r"(?:(?:\.|-(?P<tag>[a-z]+))(?P<patch>\d{1,9})(?:\.(?P<build>\d{1,9}))?)?"
)
_RELEASED: Final = "~"  # sorts after every tag: 3.6-beta2 comes before 3.6.0


class Version(NamedTuple):
    """A version; compares as Juju compares."""

    major: int
    minor: int
    tag: str
    patch: int
    build: int

    @classmethod
    def parse(cls, text: str) -> "Version":
        """The version that a text tells.

        Raises:
            ValueError: it tells none.
        """
        found = _VERSION.fullmatch(text)
        if found is None:
            raise ValueError(f'invalid version "{text}"')
        return cls(
            major=int(found["major"]),
            minor=int(found["minor"]),
            tag=found["tag"] or _RELEASED,
            patch=int(found["patch"] or 0),
            build=int(found["build"] or 0),
        )

    def __str__(self) -> str:
        joint = "." if self.tag == _RELEASED else f"-{self.tag}"
        text = f"{self.major}.{self.minor}{joint}{self.patch}"
        return f"{text}.{self.build}" if self.build else text

    @property
    def minor_release(self) -> "Version":
        """The version without patch and build, for comparisons that ignore them."""
        return self._replace(tag=_RELEASED, patch=0, build=0)


ZERO: Final = Version(0, 0, _RELEASED, 0, 0)
"""What a caller sends who doesn't know; every check skips it."""
