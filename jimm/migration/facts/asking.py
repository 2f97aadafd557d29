"""Asking a controller many things, of which any may go without an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from jimm.errors import JimmError, RemoteError
from jimm.migration.reasons import redact_reason
from jimm.wire import codes

T = TypeVar("T")

WITHIN: Final = 10.0
"""Seconds that a controller has for one answer."""

WITHIN_WHOLE: Final = 20.0
"""Seconds for what grows with a model: its status."""


class Asking:
    """What one controller was asked.

    ``upgrading``: it said that it is in the middle of an upgrade.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.upgrading = False
        self._unasked: list[str] = []

    @property
    def unasked(self) -> tuple[str, ...]:
        """The questions without an answer, a sentence each."""
        return tuple(self._unasked)

    async def ask(
        self, what: str, question: Callable[[], Awaitable[T]], *, within: float = WITHIN
    ) -> T | None:
        """The answer, or ``None`` where the controller gives none: that is noted, and no more.

        ``question`` is not begun before its turn, so that nothing is left half begun by a cancel.
        """
        try:
            async with asyncio.timeout(within):
                return await question()
        except TimeoutError:
            self.note(what, f"no answer within {within:g} s")
        except RemoteError as error:
            if error.juju_code == codes.UPGRADE_IN_PROGRESS:
                self.upgrading = True
            self.note(what, str(error))
        except JimmError as error:
            self.note(what, str(error))
        return None

    def note(self, what: str, why: str) -> None:
        """Notes a question that has no answer."""
        self._unasked.append(f"{self.name} does not tell {what}: {redact_reason(why)}")
