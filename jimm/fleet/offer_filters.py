"""Which offers somebody asks for (Juju ``crossmodel.ApplicationOfferFilter``): pure values."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from jimm.access import rules
from jimm.registry.offers import Offer
from jimm.registry.words import ObjectKind
from jimm.wire.patterns import Pattern, compiled

_CONSUME: Final = "consume"


@dataclass(frozen=True, slots=True)
class EndpointTerm:
    """What an endpoint is to be; one part that fits is enough, as in Juju."""

    role: str = ""
    interface: str = ""
    name: str = ""

    def fits(self, endpoint: Mapping[str, object]) -> bool:
        """Whether a part that is asked for is the endpoint's."""
        parts = (("role", self.role), ("interface", self.interface), ("name", self.name))
        return any(wanted and endpoint.get(key) == wanted for key, wanted in parts)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter; what is empty is not asked for. ``owner`` is a full identity, ``connected`` and
    ``allowed`` are sets of them, of which one is enough."""

    owner: str = ""
    model: str = ""
    name: Pattern = field(default_factory=lambda: compiled(""))
    application: str = ""
    description: str = ""
    endpoints: tuple[EndpointTerm, ...] = ()
    connected: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()

    def fits(self, offer: Offer, users: Mapping[str, str], connected: Collection[str]) -> bool:
        """Whether an offer is asked for; ``users`` are levels by identity, ``connected`` the
        identities whose models have a relation to it."""
        return (
            self.owner in ("", offer.owner)
            and self.model in ("", offer.model_name)
            and self.name.found_in(offer.name)
            and self.application in ("", offer.application)
            and self.description in offer.description
            and self._ends_fit(offer)
            and (not self.connected or not self.connected.isdisjoint(connected))
            and (not self.allowed or any(may_consume(users.get(who, "")) for who in self.allowed))
        )

    def _ends_fit(self, offer: Offer) -> bool:
        """Whether one endpoint meets every term."""
        if not self.endpoints:
            return True
        return any(all(term.fits(end) for term in self.endpoints) for end in offer.endpoints)


def may_consume(level: str) -> bool:
    """Whether a level on an offer is enough to consume it."""
    return rules.covers(ObjectKind.OFFER, level, _CONSUME)
