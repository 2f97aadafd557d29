"""``ApplicationOffers`` 4 and 5 (Juju 3.6 ``apiserver/facades/client/applicationoffers``)."""

import hashlib
import uuid
from collections.abc import Iterable

import msgspec

from jimm.errors import BadRequest, JimmError, NotFound, NotSupported, Unauthorized
from jimm.simulator import offers
from jimm.simulator.session import Answering, each
from jimm.simulator.state import Model, Offer, OfferAccess
from jimm.wire import offer_urls, tags
from jimm.wire.facade import method
from jimm.wire.params import application_offers as params_
from jimm.wire.params.common import EntityStatus, Error, ErrorResults
from jimm.wire.patterns import compiled

VERSIONS = (4, 5)


class ApplicationOffers(Answering):
    """What the models of this controller offer."""

    name = "ApplicationOffers"

    @method("Offer", versions=VERSIONS)
    async def offer(self, params: params_.AddOffers) -> ErrorResults:
        """Offers one application, or changes the offer of that name."""
        if len(params.offers) != 1:
            raise BadRequest(f"expected exactly one offer, got {len(params.offers)}")
        return await each(params.offers, self._offer)

    @method("ListApplicationOffers", versions=VERSIONS)
    async def list_offers(self, params: params_.OfferFilters) -> params_.QueryOffersResults:
        """What one's own models offer."""
        return params_.QueryOffersResults(results=self._details(params.filters, admin=True))

    @method("FindApplicationOffers", versions=VERSIONS)
    async def find_offers(self, params: params_.OfferFilters) -> params_.QueryOffersResults:
        """What one may see; in all models where none is named."""
        wanted = params.filters
        if len(wanted) == 1 and not wanted[0].model_name:
            models = self.core.store.models.values()
            wanted = [
                msgspec.structs.replace(wanted[0], model_name=each.name, owner_name=each.owner)
                for each in models
            ]
        return params_.QueryOffersResults(results=self._details(wanted, admin=False))

    @method("ApplicationOffers", versions=VERSIONS)
    async def show(self, params: params_.OfferURLs) -> params_.OffersResults:
        """Some offers by url."""
        rows = []
        for url in params.offer_urls:
            try:
                rows.append(params_.OfferResult(result=self._record(*self._find(url))))
            except JimmError as error:
                rows.append(params_.OfferResult(error=Error.of(error)))
        return params_.OffersResults(results=rows)

    @method("ModifyOfferAccess", versions=VERSIONS)
    async def modify_access(self, params: params_.ModifyOfferAccessRequest) -> ErrorResults:
        """Grants and revokes."""
        return await each(params.changes, self._modify)

    @method("DestroyOffers", versions=VERSIONS)
    async def destroy_offers(self, params: params_.DestroyOffers) -> ErrorResults:
        """Takes offers back."""

        async def one(url: str) -> None:
            model, name = self._placed(url)
            self.caller.require_model(self.core, model, "admin")
            self.core.store.put(offers.removed(model, name, force=params.force))

        return await each(params.offer_urls, one)

    @method("GetConsumeDetails", versions=VERSIONS)
    async def consume_details(
        self, params: params_.ConsumeOfferDetailsArg
    ) -> params_.ConsumeOfferDetailsResults:
        """What a model needs to consume offers; the macaroon opens nothing here."""
        if params.user_tag:
            self.caller.require_superuser(self.core)
        rows = []
        for url in params.offer_urls.offer_urls:
            try:
                rows.append(self._consumed(url))
            except JimmError as error:
                rows.append(params_.ConsumeOfferDetailsResult(error=Error.of(error)))
        return params_.ConsumeOfferDetailsResults(results=rows)

    async def _offer(self, wanted: params_.AddOffer) -> None:
        model = self.find_model(tags.parse_model_tag(wanted.model_tag))
        self.caller.require_model(self.core, model, "admin")
        owner = tags.parse_user_tag(wanted.owner_tag) if wanted.owner_tag else self.caller.user
        users: dict[str, OfferAccess] = {owner: "admin", offers.EVERYONE: "read"}
        new = Offer(
            uuid=str(uuid.uuid4()),
            name=wanted.offer_name or wanted.application_name,
            application=wanted.application_name,
            description=wanted.application_description,
            endpoints=wanted.endpoints,
            users=users,
        )
        self.core.store.put(offers.offered(model, new))

    def _details(
        self, filters: list[params_.OfferFilter], *, admin: bool
    ) -> list[params_.OfferAdminDetails]:
        if not filters:
            raise BadRequest("at least one offer filter is required")
        found: dict[str, params_.OfferAdminDetails] = {}
        for wanted in filters:
            if not wanted.model_name:
                raise BadRequest("application offer filter must specify a model name")
            model = self._named(wanted.owner_name, wanted.model_name)
            if admin:
                self.caller.require_model(self.core, model, "admin")
            for offer in sorted(model.offers.values(), key=lambda each: each.name):
                if self._level(model, offer) and self._fits(model, offer, wanted):
                    found.setdefault(offer.uuid, self._record(model, offer))
        return list(found.values())

    def _fits(self, model: Model, offer: Offer, wanted: params_.OfferFilter) -> bool:
        connected = {f"user-{each.user}" for each in offer.connections}
        consumers = {
            f"user-{user}"
            for user, access in offer.users.items()
            if offers.LEVELS.index(access) >= offers.LEVELS.index("consume")
        }
        ends = offers.published(model, offer)
        return (
            compiled(wanted.offer_name).found_in(offer.name)
            and wanted.application_name in ("", offer.application)
            and wanted.application_description in offer.description
            and (not wanted.endpoints or any(_end_fits(end, wanted.endpoints) for end in ends))
            and (not wanted.connected_users or bool(connected & set(wanted.connected_users)))
            and (not wanted.allowed_users or bool(consumers & set(wanted.allowed_users)))
        )

    def _record(self, model: Model, offer: Offer) -> params_.OfferAdminDetails:
        level = self._level(model, offer)
        users = {self.caller.user: level}
        if level == "admin":
            users = {**users, **{name: a for name, a in offer.users.items() if name not in users}}
        application = model.applications.get(offer.application)
        return params_.OfferAdminDetails(
            source_model_tag=tags.model_tag(model.uuid),
            offer_uuid=offer.uuid,
            offer_url=f"{model.owner}/{model.name}.{offer.name}",
            offer_name=offer.name,
            application_description=offer.description,
            endpoints=offers.published(model, offer),
            users=[
                params_.OfferUser(user=name, display_name="", access=access)
                for name, access in users.items()
            ],
            application_name=offer.application,
            charm_url=application.charm if application is not None and level == "admin" else "",
            connections=_connections(offer) if level == "admin" else [],
        )

    def _consumed(self, url: str) -> params_.ConsumeOfferDetailsResult:
        model, offer = self._find(url)
        level = self._level(model, offer)
        if offers.LEVELS.index(level) < offers.LEVELS.index("consume"):
            self.caller.require_superuser(self.core)
        record = msgspec.to_builtins(self._record(model, offer))
        user = self.caller.user
        signature = hashlib.sha256(f"{self.core.uuid} {offer.uuid} {user}".encode()).hexdigest()
        return params_.ConsumeOfferDetailsResult(
            offer=msgspec.convert(record, params_.OfferDetails),
            macaroon={
                "caveats": [],
                "location": "",
                "identifier": f"offer {offer.uuid} for {user}",
                "signature": signature,
            },
            external_controller=params_.ExternalController(
                controller_tag=tags.controller_tag(self.core.uuid),
                controller_alias="",
                addrs=[self.core.address],
                ca_cert=self.core.identity.authority_pem,
            ),
        )

    async def _modify(self, change: params_.ModifyOfferAccess) -> None:
        model, name = self._placed(change.offer_url)
        offers.level(change.access)
        offer = offers.find(model, name)
        if self._level(model, offer) != "admin":
            raise Unauthorized
        user = tags.parse_user_tag(change.user_tag)
        if change.action == "revoke":
            changed = offers.revoked(offer, user, change.access)
        elif change.action != "grant":
            raise BadRequest(f'unknown action "{change.action}"')
        elif "@" not in user and user not in self.core.store.users:
            raise NotFound(
                f'could not grant offer access: user "{user}" does not exist locally: '
                f'user "{user}" not found'
            )
        else:
            changed = offers.granted(offer, user, change.access)
        self.core.store.put(offers.with_offer(model, changed))

    def _find(self, url: str) -> tuple[Model, Offer]:
        if url.count(":") and not url.rpartition(":")[2].isalnum():
            raise NotSupported("query for non-local application offers")
        model, name = self._placed(url)
        offer = model.offers.get(name)
        if offer is None or not self._level(model, offer):
            raise NotFound(f'application offer "{model.owner}/{model.name}.{name}" not found')
        return model, offer

    def _placed(self, url: str) -> tuple[Model, str]:
        parsed = offer_urls.parse(url)
        return self._named(parsed.owner, parsed.model), parsed.offer

    def _named(self, owner: str, name: str) -> Model:
        owner = owner or self.caller.user
        for model in self.core.store.models.values():
            if (model.owner, model.name) == (owner, name):
                return model
        raise NotFound(f'model "{owner}/{name}" not found')

    def _level(self, model: Model, offer: Offer) -> OfferAccess:
        return self.caller.offer_access(self.core, model, offer)


def _end_fits(end: params_.RemoteEndpoint, terms: Iterable[params_.EndpointFilter]) -> bool:
    """As Juju has it: each term is met by any one of its three parts."""
    return all(
        (term.interface and term.interface == end.interface)
        or (term.name and term.name == end.name)
        or (term.role and term.role == end.role)
        for term in terms
    )


def _connections(offer: Offer) -> list[params_.OfferConnection]:
    return [
        params_.OfferConnection(
            source_model_tag=tags.model_tag(each.model),
            relation_id=each.relation_id,
            username=each.user,
            endpoint=each.endpoint,
            status=EntityStatus(
                status=each.status.status,
                info=each.status.info,
                since=each.status.since.isoformat(),
            ),
            ingress_subnets=[],
        )
        for each in offer.connections
    ]
