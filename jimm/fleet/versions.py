"""The one Juju version that JIMM says it is."""

import re
from typing import Final

from jimm.fleet.fleet import Fleet
from jimm.registry import controllers

WITHOUT_CONTROLLERS: Final = "3.6.9"
"""Said when none is registered: clients refuse ``0.0.0``."""


async def reported(fleet: Fleet) -> str:
    """The lowest 3.x among the registered controllers (python-libjuju refuses 4.x)."""
    found = await controllers.versions(fleet.registry)
    return min(
        (each for each in found if each.startswith("3.")), key=_key, default=WITHOUT_CONTROLLERS
    )


def _key(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
