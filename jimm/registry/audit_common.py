"""Which calls are common: the reads that clients make all the time.

Searches for them read along the time, and find enough soon; what is seldom has an index, which
the common ones cost nothing. The lists are part of the schema: another list is another index.
"""

from typing import Final

CALL: Final = "call"
"""The action of a client's call; every other one is JIMM's own word for what it did."""

COMMON_METHODS: Final = (
    "CheckRelation",
    "CheckRelations",
    "Clouds",
    "DisableControllerUUIDMasking",
    "FullStatus",
    "Get",
    "ListControllers",
    "ListModelSummaries",
    "ListModels",
    "Login",
    "LoginWithClientCredentials",
    "LoginWithSessionToken",
    "ModelInfo",
    "ModelStatus",
    "UserCredentials",
    "UserInfo",
    "WatchAll",
)
"""Methods that clients call at each of their starts, or every few seconds."""

COMMON_FACADES: Final = (
    "Admin",
    "AllWatcher",
    "Annotations",
    "Application",
    "Client",
    "Cloud",
    "Controller",
    "JIMM",
    "ModelManager",
    "Pinger",
    "UserManager",
)
"""Their facades."""

CALL_DOORS: Final = ("api", "model")
"""The doors that calls come through; what came through any other is JIMM's own action."""

WENT_WELL: Final = ("", "done")
"""Outcomes of what did not fail."""

A_CALL: Final = f"action = '{CALL}'"
"""What a client called."""

OWN_ACTION: Final = f"action <> '{CALL}'"
"""What JIMM itself did; the condition of an index."""


def _none_of(column: str, words: tuple[str, ...]) -> str:
    listed = ", ".join(f"'{word}'" for word in words)
    return f"{column} NOT IN ({listed})"


WENT_WRONG: Final = _none_of("outcome", WENT_WELL)
"""What failed, or was refused; the condition of an index."""

SELDOM_METHOD: Final = f"{A_CALL} AND {_none_of('method', COMMON_METHODS)}"
"""A call of a method that is not common; the condition of an index."""

SELDOM_FACADE: Final = f"{A_CALL} AND {_none_of('facade', COMMON_FACADES)}"
"""A call of a facade that is not common; the condition of an index."""
