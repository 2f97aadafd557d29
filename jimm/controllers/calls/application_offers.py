"""``ApplicationOffers`` 4 to 6: what models on a controller offer.

Filters carry the owner under both of its keys, 4 and 5 read the one and 6 the other.
"""

from collections.abc import Iterable
from typing import Final

from jimm.controllers import deadlines
from jimm.controllers.calls.rows import only, only_done, refuse_error
from jimm.controllers.link import Link
from jimm.wire.params.application_offers import (
    AddOffer,
    AddOffers,
    ConsumeOfferDetailsArg,
    ConsumeOfferDetailsResult,
    ConsumeOfferDetailsResults,
    DestroyOffers,
    ModifyOfferAccess,
    ModifyOfferAccessRequest,
    OfferAdminDetails,
    OfferFilter,
    OfferFilters,
    OfferURLs,
    QueryOffersResults,
)
from jimm.wire.params.common import ErrorResults

_FACADE: Final = "ApplicationOffers"
_VERSIONS: Final = (4, 5, 6)


async def offer(link: Link, wanted: AddOffer, *, deadline: float = deadlines.CHANGE) -> None:
    """Offers an application's endpoints, or changes the offer of that name (not on 4.0).

    Raises:
        LostAnswer: nobody knows whether the offer is there; list the model's.
    """
    done = await link.call(
        _FACADE,
        "Offer",
        AddOffers(offers=[wanted]),
        ErrorResults,
        versions=_VERSIONS,
        deadline=deadline,
    )
    only_done(link, done)


async def offers_of(
    link: Link, owner: str, model: str, *, deadline: float = deadlines.READ
) -> list[OfferAdminDetails]:
    """All that a model offers, for those who administer it; owner and name as they are there."""
    wanted = OfferFilter(owner_name=owner, model_qualifier=owner, model_name=model)
    found = await link.call(
        _FACADE,
        "ListApplicationOffers",
        OfferFilters(filters=[wanted]),
        QueryOffersResults,
        versions=_VERSIONS,
        deadline=deadline,
    )
    return found.results


async def offers_of_many(
    link: Link, models: Iterable[tuple[str, str]], *, deadline: float = deadlines.READ
) -> list[OfferAdminDetails]:
    """As :func:`offers_of`, of several models in one call, each by its owner and name there."""
    wanted = [
        OfferFilter(owner_name=owner, model_qualifier=owner, model_name=name)
        for owner, name in models
    ]
    found = await link.call(
        _FACADE,
        "ListApplicationOffers",
        OfferFilters(filters=wanted),
        QueryOffersResults,
        versions=_VERSIONS,
        deadline=deadline,
    )
    return found.results


async def destroy_offer(
    link: Link, url: str, *, force: bool, deadline: float = deadlines.CHANGE
) -> None:
    """Takes an offer back; with ``force`` the relations to it go too."""
    params = DestroyOffers(offer_urls=[url], force=force)
    done = await link.call(
        _FACADE, "DestroyOffers", params, ErrorResults, versions=_VERSIONS, deadline=deadline
    )
    only_done(link, done)


async def modify_offer_access(
    link: Link, change: ModifyOfferAccess, *, deadline: float = deadlines.CHANGE
) -> None:
    """Grants or revokes."""
    params = ModifyOfferAccessRequest(changes=[change])
    done = await link.call(
        _FACADE, "ModifyOfferAccess", params, ErrorResults, versions=_VERSIONS, deadline=deadline
    )
    only_done(link, done)


async def consume_details(
    link: Link, url: str, *, bakery_version: int, deadline: float = deadlines.READ
) -> ConsumeOfferDetailsResult:
    """What a model needs to consume an offer, in the name of the link's user."""
    params = ConsumeOfferDetailsArg(
        offer_urls=OfferURLs(offer_urls=[url], bakery_version=bakery_version)
    )
    found = await link.call(
        _FACADE,
        "GetConsumeDetails",
        params,
        ConsumeOfferDetailsResults,
        versions=_VERSIONS,
        deadline=deadline,
    )
    row = only(link, found.results)
    refuse_error(row.error)
    return row
