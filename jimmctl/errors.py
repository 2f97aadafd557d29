"""What can keep a command from being done, each with the exit status it ends in.

::

    JimmctlError
    ├── Usage            exit 2: the command line, a file named in it, or the environment is wrong
    ├── NotLoggedIn      nothing to sign in with
    ├── Unreachable      no answer, and nothing was sent
    ├── AnswerLost       sent, and nobody knows what came of it
    ├── BadAnswer        an answer that is not what JIMM's API sends
    ├── Refused          JIMM's own refusal (RFC 9457), with its code and its checks
    └── Interrupted      exit 130: the user pressed Ctrl-C
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class JimmctlError(Exception):
    """Base of all. The message is one sentence that says, where it can, what to do."""

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Usage(JimmctlError):
    """What was asked for can't be right; nothing was sent."""

    exit_status = 2


class NotLoggedIn(JimmctlError):
    """A JIMM is known, and no token or password for it."""


class Unreachable(JimmctlError):
    """No connection could be made, or none that may be trusted; nothing was sent."""


class AnswerLost(JimmctlError):
    """The request was sent and the connection broke before its answer came."""


class BadAnswer(JimmctlError):
    """Somebody answered, and not as JIMM's API does."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that speaks against a migration, and what to do about it. ``advice`` stands in
    nobody's way; what is ``mendable`` is made right with ``--prepare``."""

    code: str
    found: str
    remedy: str
    advice: bool = False
    mendable: bool = False

    @property
    def sentence(self) -> str:
        """What was found, and what to do."""
        told = f"{self.found.rstrip('.')}. {self.remedy}".strip() if self.remedy else self.found
        if self.mendable and "--prepare" not in self.remedy:
            return f"{told.rstrip('.')} (or --prepare)"
        return told

    def document(self) -> dict[str, object]:
        """The check as JIMM's answer has it."""
        words: dict[str, object] = {
            "code": self.code,
            "found": self.found,
            "remedy": self.remedy,
        }
        flags = {"advice": self.advice, "mendable": self.mendable}
        return words | {name: True for name, value in flags.items() if value}


class Refused(JimmctlError):
    """JIMM's answer was a problem document (``application/problem+json``).

    ``status`` is the HTTP status, ``code`` the error code, ``checks`` all that stands in the
    way, empty for most refusals.
    """

    def __init__(self, message: str, *, status: int, code: str, checks: Sequence[Check]) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.checks = tuple(checks)


class Interrupted(JimmctlError):
    """The user has stopped the command; what JIMM has begun it carries on."""

    exit_status = 130  # 128 + SIGINT, as shells have it

    def __init__(self, message: str = "interrupted") -> None:
        super().__init__(message)
