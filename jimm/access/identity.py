"""Somebody whose login was checked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """``name`` is the full name, ``alice@jimm``; ``admin`` whether they administer JIMM."""

    name: str
    display_name: str
    admin: bool
