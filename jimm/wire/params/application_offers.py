"""``ApplicationOffers`` 4, 5 and 6 (Juju ``rpc/params/crossmodel.go``).

Versions differ in one key: the owner in a filter is ``owner-name`` in 4 and 5,
``model-qualifier`` in 6. The spaces and bindings that 4 may have are never filled by Juju 3.6.
"""

from msgspec import field

from jimm.wire.params.common import EntityStatus, Error, Params


class EndpointFilter(Params, kw_only=True):
    """What an endpoint is to be; empty is anything."""

    role: str = ""
    interface: str = ""
    name: str = ""


class OfferFilter(Params, kw_only=True):
    """Which offers are wanted; empty is all."""

    owner_name: str = ""
    model_qualifier: str = ""
    model_name: str = ""
    offer_name: str = ""
    application_name: str = ""
    application_description: str = ""
    application_user: str = ""
    endpoints: list[EndpointFilter] = []
    connected_users: list[str] = []
    allowed_users: list[str] = []


class OfferFilters(Params, kw_only=True):
    """Offers that match any of these; Juju capitalises the key."""

    filters: list[OfferFilter] = field(default=[], name="Filters")


class RemoteEndpoint(Params, kw_only=True):
    """An endpoint of the offered application."""

    name: str
    role: str
    interface: str
    limit: int


class OfferUser(Params, kw_only=True):
    """Somebody's access to an offer."""

    user: str
    display_name: str
    access: str


class OfferConnection(Params, kw_only=True):
    """A relation of somebody's model to an offer."""

    source_model_tag: str
    relation_id: int
    username: str
    endpoint: str
    status: EntityStatus
    ingress_subnets: list[str]


class OfferDetails(Params, kw_only=True):
    """An offer as its consumers see it."""

    source_model_tag: str
    offer_uuid: str
    offer_url: str
    offer_name: str
    application_description: str
    endpoints: list[RemoteEndpoint] = []
    users: list[OfferUser] = []


class OfferAdminDetails(OfferDetails, kw_only=True):
    """An offer with how it is deployed."""

    application_name: str
    charm_url: str
    connections: list[OfferConnection] = []


class QueryOffersResults(Params, kw_only=True):
    """The offers that were found."""

    results: list[OfferAdminDetails]


class OfferURLs(Params, kw_only=True):
    """Some offers by url."""

    offer_urls: list[str] = []
    bakery_version: int = 0


class OfferResult(Params, kw_only=True):
    """One offer, or why not."""

    result: OfferAdminDetails | None = None
    error: Error | None = None


class OffersResults(Params, kw_only=True):
    """A row for each url."""

    results: list[OfferResult]


class AddOffer(Params, kw_only=True):
    """What is to be offered; ``endpoints`` are from published names to the application's own."""

    model_tag: str = ""
    offer_name: str = ""
    application_name: str = ""
    application_description: str = ""
    endpoints: dict[str, str] = {}
    owner_tag: str = ""


class AddOffers(Params, kw_only=True):
    """Several; Juju capitalises the key."""

    offers: list[AddOffer] = field(default=[], name="Offers")


class DestroyOffers(Params, kw_only=True):
    """Offers that are to go; ``force`` takes their relations along."""

    offer_urls: list[str] = []
    force: bool = False


class ModifyOfferAccess(Params, kw_only=True):
    """A grant or a revoke; ``access`` is read, consume or admin."""

    user_tag: str = ""
    action: str = ""
    access: str = ""
    offer_url: str = ""


class ModifyOfferAccessRequest(Params, kw_only=True):
    """Several."""

    changes: list[ModifyOfferAccess] = []


class ConsumeOfferDetailsArg(Params, kw_only=True):
    """Which offers are to be consumed; the key of the urls is there twice."""

    offer_urls: OfferURLs = field(default_factory=OfferURLs)
    user_tag: str = ""


class ExternalController(Params, kw_only=True):
    """The controller that hosts an offer. libjuju reads every key."""

    controller_tag: str
    controller_alias: str
    addrs: list[str]
    ca_cert: str


class ConsumeOfferDetailsResult(Params, kw_only=True):
    """What a model needs to consume an offer, or why it can't."""

    offer: OfferDetails | None = None
    macaroon: dict[str, object] | None = None
    external_controller: ExternalController | None = None
    error: Error | None = None


class ConsumeOfferDetailsResults(Params, kw_only=True):
    """A row for each url."""

    results: list[ConsumeOfferDetailsResult]


class RemoteApplicationInfo(Params, kw_only=True):
    """An offered application in short."""

    model_tag: str
    name: str
    description: str
    offer_url: str
    source_model_label: str = ""
    endpoints: list[RemoteEndpoint]
    icon_url_path: str


class RemoteApplicationInfoResult(Params, kw_only=True):
    """One of them, or why not."""

    result: RemoteApplicationInfo | None = None
    error: Error | None = None


class RemoteApplicationInfoResults(Params, kw_only=True):
    """A row for each url."""

    results: list[RemoteApplicationInfoResult]
