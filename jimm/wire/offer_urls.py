"""Where an offer is found: ``owner/model.offer``, as Juju writes it (``core/crossmodel``)."""

import re
from dataclasses import dataclass
from typing import Final

from jimm.errors import NotValid
from jimm.wire.tags import is_model_name, is_user_id

_APPLICATION: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*")
_ENDPOINT: Final = re.compile(r"[a-zA-Z0-9]+")


@dataclass(frozen=True, slots=True)
class OfferURL:
    """The parts of a url. ``owner`` is empty where it was left out; which controller stood
    before it is not kept: a client strips its own name for JIMM, or sends it, and means JIMM.
    """

    owner: str
    model: str
    offer: str

    def __str__(self) -> str:
        prefix = f"{self.owner}/" if self.owner else ""
        return f"{prefix}{self.model}.{self.offer}"


def is_offer_name(value: str) -> bool:
    """Whether Juju takes it for an offer's name, which follows the rule for applications."""
    return _APPLICATION.fullmatch(value) is not None


def parse(url: str) -> OfferURL:
    """The parts of ``[controller:][owner/]model.offer``.

    Raises:
        NotValid: in Juju's words; an endpoint after the offer is one reason.
    """
    rest = _without_controller(url)
    if ":" in rest:
        raise NotValid(f'saas application "{url}" shouldn\'t include endpoint')
    owner, slash, place = rest.removeprefix("/").rpartition("/")
    model, _, offer = place.partition(".")
    if "/" in owner or (slash and not owner):
        raise NotValid(
            f'application offer URL has invalid form, must be [<user/]<model>.<appname>: "{url}"'
        )
    if not model:
        raise NotValid("application offer URL is missing model")
    if not offer:
        raise NotValid("application offer URL is missing application")
    if owner and not is_user_id(owner):
        raise NotValid(f'user name "{owner}" not valid')
    if not is_model_name(model):
        raise NotValid(f'model name "{model}" not valid')
    if not is_offer_name(offer):
        raise NotValid(f'application name "{offer}" not valid')
    return OfferURL(owner, model, offer)


def _without_controller(url: str) -> str:
    parts = url.split(":")
    if len(parts) == 3:
        return f"{parts[1]}:{parts[2]}"
    if len(parts) == 2 and not _ENDPOINT.fullmatch(parts[1]):
        return parts[1]
    return url
