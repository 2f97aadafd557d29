"""``ApplicationOffers`` 4, 5 and 6: what everybody's models offer, whichever controller has them.

The versions differ in the key of a filter's owner, and here each version reads both.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import msgspec

from jimm.errors import BadRequest, NotFound, Unauthorized
from jimm.facades.session import Session, SessionFacade, each, errors
from jimm.fleet import levels, offer_access, offer_consuming, offering, offers
from jimm.fleet.offer_filters import EndpointTerm, Wanted, may_consume
from jimm.fleet.offering import NewOffer
from jimm.fleet.offers import Known
from jimm.registry.words import EVERYONE
from jimm.wire import offer_urls, tags
from jimm.wire.facade import method
from jimm.wire.fold import convert
from jimm.wire.offer_urls import OfferURL
from jimm.wire.params import application_offers as params_
from jimm.wire.params.common import Error, ErrorResults
from jimm.wire.patterns import compiled

VERSIONS: Final = (4, 5, 6)


class ApplicationOffers(SessionFacade):
    """Offers, by urls with JIMM's own names."""

    name = "ApplicationOffers"

    @method("Offer", versions=VERSIONS)
    async def offer(self, params: params_.AddOffers) -> ErrorResults:
        """Offers applications, or changes the offers of those names."""
        session = self.session

        async def one(wanted: params_.AddOffer) -> None:
            new = NewOffer(
                model=tags.parse_model_tag(wanted.model_tag),
                name=wanted.offer_name,
                application=wanted.application_name,
                description=wanted.application_description,
                endpoints=wanted.endpoints,
                owner=session.identity(wanted.owner_tag),
            )
            await offering.offer(session.fleet, session.caller, new)

        return await errors(params.offers, one)

    @method("ListApplicationOffers", versions=VERSIONS)
    async def list_offers(self, params: params_.OfferFilters) -> params_.QueryOffersResults:
        """What the caller's own models offer, with who is connected."""
        session = self.session
        wanted = [self._wanted(one) for one in params.filters]
        found = await offers.list_(session.fleet, session.caller, wanted)
        return params_.QueryOffersResults(results=[record(session, one) for one in found])

    @method("FindApplicationOffers", versions=VERSIONS)
    async def find_offers(self, params: params_.OfferFilters) -> params_.QueryOffersResults:
        """The offers that the caller may see."""
        session = self.session
        wanted = [self._wanted(one) for one in params.filters]
        found = await offers.find(session.fleet, session.caller, wanted)
        return params_.QueryOffersResults(results=[record(session, one) for one in found])

    @method("ApplicationOffers", versions=VERSIONS)
    async def show(self, params: params_.OfferURLs) -> params_.OffersResults:
        """Some offers by url."""
        session = self.session

        async def one(url: str) -> params_.OfferResult:
            found = await offers.show(session.fleet, session.caller, self._url(url))
            return params_.OfferResult(result=record(session, found))

        def refused(_: str, error: Error) -> params_.OfferResult:
            return params_.OfferResult(error=error)

        return params_.OffersResults(results=await each(params.offer_urls, one, refused))

    @method("ModifyOfferAccess", versions=VERSIONS)
    async def modify_access(self, params: params_.ModifyOfferAccessRequest) -> ErrorResults:
        """Grants and revokes."""
        session = self.session

        async def one(change: params_.ModifyOfferAccess) -> None:
            await offer_access.modify(
                session.fleet,
                session.caller,
                self._url(change.offer_url),
                identity=self._identity(change.user_tag),
                action=change.action,
                access=change.access,
            )

        return await errors(params.changes, one)

    @method("DestroyOffers", versions=VERSIONS)
    async def destroy_offers(self, params: params_.DestroyOffers) -> ErrorResults:
        """Takes offers back."""
        session = self.session

        async def one(url: str) -> None:
            await offering.destroy(
                session.fleet, session.caller, self._url(url), force=params.force
            )

        return await errors(params.offer_urls, one)

    @method("GetConsumeDetails", versions=VERSIONS)
    async def consume_details(
        self, params: params_.ConsumeOfferDetailsArg
    ) -> params_.ConsumeOfferDetailsResults:
        """What a model on an offer's own controller needs to consume it."""
        session = self.session
        if params.user_tag and session.identity(params.user_tag) != session.caller.identity:
            raise Unauthorized("details are given to those who are to consume an offer themselves")

        async def one(url: str) -> params_.ConsumeOfferDetailsResult:
            found, told = await offer_consuming.details(
                session.fleet,
                session.caller,
                self._url(url),
                bakery_version=params.offer_urls.bakery_version,
            )
            return consumed(session, found, told)

        def refused(_: str, error: Error) -> params_.ConsumeOfferDetailsResult:
            return params_.ConsumeOfferDetailsResult(error=error)

        rows = await each(params.offer_urls.offer_urls, one, refused)
        return params_.ConsumeOfferDetailsResults(results=rows)

    @method("RemoteApplicationInfo", versions=VERSIONS)
    async def remote_application_info(
        self, params: params_.OfferURLs
    ) -> params_.RemoteApplicationInfoResults:
        """Some offered applications in short."""
        session = self.session

        async def one(url: str) -> params_.RemoteApplicationInfoResult:
            wanted = self._url(url)
            found = await offers.resolve(session.fleet, session.caller, wanted)
            if not may_consume(found.level):
                raise offers.unknown(session.fleet, wanted)
            return params_.RemoteApplicationInfoResult(result=remote(session, found))

        def refused(_: str, error: Error) -> params_.RemoteApplicationInfoResult:
            return params_.RemoteApplicationInfoResult(error=error)

        rows = await each(params.offer_urls, one, refused)
        return params_.RemoteApplicationInfoResults(results=rows)

    def _url(self, url: str) -> OfferURL:
        """The parts, the owner in full, oneself where none is named."""
        parsed = offer_urls.parse(url)
        own = self.session.caller.identity
        return replace(parsed, owner=self.session.full_name(parsed.owner) if parsed.owner else own)

    def _identity(self, tag: str) -> str:
        """The identity in a user tag; an empty one is refused."""
        if not tag:
            raise BadRequest('"" is not a valid tag')
        return self.session.identity(tag)

    def _wanted(self, asked: params_.OfferFilter) -> Wanted:
        session = self.session
        owner, model = asked.owner_name or asked.model_qualifier, asked.model_name
        if (owner and not tags.is_user_id(owner)) or (model and not tags.is_model_name(model)):
            raise NotFound(f'model "{owner}/{model}" not found')
        return Wanted(
            owner=session.full_name(owner) if owner else "",
            model=model,
            name=compiled(asked.offer_name),
            application=asked.application_name,
            description=asked.application_description,
            endpoints=tuple(
                EndpointTerm(role=one.role, interface=one.interface, name=one.name)
                for one in asked.endpoints
            ),
            connected=frozenset(self._identity(tag) for tag in asked.connected_users),
            allowed=frozenset(self._identity(tag) for tag in asked.allowed_users),
        )


def record(session: Session, known: Known) -> params_.OfferAdminDetails:
    """An offer as the caller may see it: how it is deployed, and whose it is, is told to its
    administrators only (Juju ``getOfferAdminDetails``)."""
    offer = known.offer
    admin = known.level == levels.ADMIN
    return params_.OfferAdminDetails(
        source_model_tag=tags.model_tag(offer.model_uuid),
        offer_uuid=offer.uuid,
        offer_url=_shown_url(session, known),
        offer_name=offer.name,
        application_description=offer.description,
        endpoints=_endpoints(known),
        users=_users(session, known, everybody=admin),
        application_name=offer.application,
        charm_url=offer.charm_url if admin else "",
        connections=[
            msgspec.structs.replace(one, username=session.user_id(one.username))
            for one in known.connections
        ],
    )


def consumed(
    session: Session, known: Known, told: params_.ConsumeOfferDetailsResult
) -> params_.ConsumeOfferDetailsResult:
    """What the controller gave, with JIMM's names and without its addresses: the consuming
    model sees by the controller's uuid that the offer is next to it, and asks for no more."""
    offer = known.offer
    dressed = params_.OfferDetails(
        source_model_tag=tags.model_tag(offer.model_uuid),
        offer_uuid=offer.uuid,
        offer_url=_shown_url(session, known),
        offer_name=offer.name,
        application_description=offer.description,
        endpoints=_endpoints(known) if told.offer is None else told.offer.endpoints,
        users=_users(session, known, everybody=False),
    )
    return params_.ConsumeOfferDetailsResult(
        offer=dressed,
        macaroon=told.macaroon,
        external_controller=params_.ExternalController(
            controller_tag=tags.controller_tag(offer.controller_uuid or ""),
            controller_alias="",
            addrs=[],
            ca_cert="",
        ),
    )


def remote(session: Session, known: Known) -> params_.RemoteApplicationInfo:
    """An offered application in short."""
    offer = known.offer
    return params_.RemoteApplicationInfo(
        model_tag=tags.model_tag(offer.model_uuid),
        name=offer.name,
        description=offer.description,
        offer_url=_shown_url(session, known),
        source_model_label=offer.model_name,
        endpoints=_endpoints(known),
        icon_url_path=f"rest/1.0/remote-application/{offer.name}/icon",
    )


def _shown_url(session: Session, known: Known) -> str:
    offer = known.offer
    return str(OfferURL(session.user_id(offer.owner), offer.model_name, offer.name))


def _endpoints(known: Known) -> list[params_.RemoteEndpoint]:
    return [convert(one, params_.RemoteEndpoint) for one in known.offer.endpoints]


def _users(session: Session, known: Known, *, everybody: bool) -> list[params_.OfferUser]:
    """Oneself, which is where the client reads its own access, and the others."""
    own = session.caller.identity
    access: Mapping[str, str] = {own: known.level}
    if everybody:
        others = {who: level for who, level in known.users.items() if who not in (own, EVERYONE)}
        access = {**access, **others}
    return [
        params_.OfferUser(user=session.user_id(who), display_name="", access=level)
        for who, level in access.items()
    ]
