"""The macaroon that a 4.1 target gives a source in exchange for a password (Juju
``MigrationTarget.CreateMigrationMacaroon``). It opens the target for a day, and nothing else is
a macaroon here: there is no bakery behind it."""

import datetime
import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from jimm.simulator.core import Core

LIFETIME: Final = datetime.timedelta(hours=24)

Slices = list[list[dict[str, object]]]
"""Juju's ``[]macaroon.Slice``."""


def mint(core: Core, user: str) -> Slices:
    """A macaroon for a user, for a day of the controller's clock."""
    expires = int((core.clock.now() + LIFETIME).timestamp())
    identifier = f"migration {user} {expires}"
    return [[{"caveats": [], "location": "", "i": identifier, "s": _sign(core, identifier)}]]


def user_of(core: Core, macaroons: Iterable[object]) -> str:
    """Whose macaroon is among them, empty for none that is good still."""
    now = core.clock.now().timestamp()
    for each in _flat(macaroons):
        identifier, signature = str(each.get("i", "")), str(each.get("s", ""))
        kind, _, rest = identifier.partition(" ")
        user, _, expires = rest.rpartition(" ")
        if kind != "migration" or not expires.isdecimal() or int(expires) < now:
            continue
        if hmac.compare_digest(signature, _sign(core, identifier)):
            return user
    return ""


def _flat(macaroons: Iterable[object]) -> Iterable[dict[str, object]]:
    for each in macaroons:
        if isinstance(each, dict):
            yield each
        elif isinstance(each, list):
            yield from _flat(each)


def _sign(core: Core, identifier: str) -> str:
    key = core.identity.authority_key.reveal().encode()
    return hmac.new(key, identifier.encode(), hashlib.sha256).hexdigest()
