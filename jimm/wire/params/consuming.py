"""What ``Application`` takes to consume an offer (Juju ``rpc/params/crossmodel.go``)."""

from jimm.wire.params.application_offers import ExternalController, OfferDetails
from jimm.wire.params.common import Params


class ConsumeApplication(OfferDetails, kw_only=True):
    """An offer to consume; the macaroon that opens it is not looked at."""

    external_controller: ExternalController | None = None
    application_alias: str = ""


class ConsumeApplications(Params, kw_only=True):
    """``Consume``."""

    args: list[ConsumeApplication] = []


class DestroyConsumedApplication(Params, kw_only=True):
    """A consumed offer to let go."""

    application_tag: str
    force: bool = False


class DestroyConsumedApplications(Params, kw_only=True):
    """``DestroyConsumedApplications``."""

    applications: list[DestroyConsumedApplication]
