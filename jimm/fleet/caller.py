"""Who asks, and through which door."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    ``identity`` is the full name, ``alice@jimm``; ``admin`` whether they administer JIMM;
    ``door`` is ``api``, ``rest``, ``cli`` or ``jimm`` (JIMM by itself), for the audit trail.
    """

    identity: str
    admin: bool
    door: str
