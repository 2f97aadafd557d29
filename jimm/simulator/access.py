"""Who is calling, and what they may do here.

A user who logged in with a password has what the state says. One who logged in with a token has
what the token says and nothing else; what it lacks is answered with ``access required``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from jimm.errors import JimmError, Unauthorized
from jimm.simulator.core import Core
from jimm.simulator.state import (
    CloudAccess,
    ControllerAccess,
    Model,
    ModelAccess,
    Offer,
    OfferAccess,
)
from jimm.wire import codes
from jimm.wire.tags import cloud_tag, controller_tag, model_tag, offer_tag

L = TypeVar("L", bound=str)

_CONTROLLER: Final[tuple[ControllerAccess, ...]] = ("", "login", "superuser")
_MODEL: Final[tuple[ModelAccess, ...]] = ("", "read", "write", "admin")
_CLOUD: Final[tuple[CloudAccess, ...]] = ("", "add-model", "admin")
_OFFER: Final[tuple[OfferAccess, ...]] = ("", "read", "consume", "admin")


class AccessRequired(JimmError):
    """A token lacks a level; the broker is to come back with a wider one."""

    code = codes.ACCESS_REQUIRED

    def __init__(self, tag: str, level: str) -> None:
        super().__init__(f"access permissions required: map[{tag}:{level}]")
        self._wanted = {tag: level}

    @property
    def info(self) -> Mapping[str, object]:
        return self._wanted


@dataclass(frozen=True)
class Caller:
    """A user id, and the levels by tag of a token login (``None`` after a password)."""

    user: str
    token: Mapping[str, str] | None = None

    def controller_access(self, core: Core) -> ControllerAccess:
        """The level on the controller."""
        if self.token is not None:
            return _level(self.token.get(controller_tag(core.uuid), ""), _CONTROLLER)
        found = core.store.users.get(self.user)
        return found.access if found is not None and not found.disabled else ""

    def is_superuser(self, core: Core) -> bool:
        """Whether everything is allowed."""
        return self.controller_access(core) == "superuser"

    def model_access(self, core: Core, model: Model) -> ModelAccess:
        """The level on a model; a superuser has all of it."""
        if self.is_superuser(core):
            return "admin"
        return self.own_model_access(model)

    def own_model_access(self, model: Model) -> ModelAccess:
        """The level on a model without what a superuser has besides."""
        if self.token is not None:
            return _level(self.token.get(model_tag(model.uuid), ""), _MODEL)
        entry = model.users.get(self.user)
        return entry.access if entry is not None else ""

    def cloud_access(self, core: Core, name: str) -> CloudAccess:
        """The level on a cloud; a superuser has all of it."""
        if self.is_superuser(core):
            return "admin"
        if self.token is not None:
            return _level(self.token.get(cloud_tag(name), ""), _CLOUD)
        cloud = core.store.controller.clouds.get(name)
        return cloud.users.get(self.user, "") if cloud is not None else ""

    def offer_access(self, core: Core, model: Model, offer: Offer) -> OfferAccess:
        """The level on what a model offers; whoever administers the model has all of it."""
        if self.model_access(core, model) == "admin":
            return "admin"
        if self.token is not None:
            return _level(self.token.get(offer_tag(offer.uuid), ""), _OFFER)
        return offer.users.get(self.user, "")

    def require_superuser(self, core: Core) -> None:
        """Refuses all but superusers.

        Raises:
            AccessRequired: a token login without that level.
            Unauthorized: anybody else.
        """
        if not self.is_superuser(core):
            raise self._lacking(controller_tag(core.uuid), "superuser")

    def require_model(self, core: Core, model: Model, level: ModelAccess) -> None:
        """Refuses those who have less than ``level`` on the model.

        Raises:
            AccessRequired: a token login without that level.
            Unauthorized: anybody else.
        """
        if _MODEL.index(self.model_access(core, model)) < _MODEL.index(level):
            raise self._lacking(model_tag(model.uuid), level)

    def require_cloud(self, core: Core, name: str, level: CloudAccess) -> None:
        """Refuses those who have less than ``level`` on the cloud.

        Raises:
            AccessRequired: a token login without that level.
            Unauthorized: anybody else.
        """
        if _CLOUD.index(self.cloud_access(core, name)) < _CLOUD.index(level):
            raise self._lacking(cloud_tag(name), level)

    def may(self, core: Core, model: Model, level: ModelAccess) -> bool:
        """Whether the level on the model is at least that."""
        return _MODEL.index(self.model_access(core, model)) >= _MODEL.index(level)

    def is_self_or_superuser(self, core: Core, user: str) -> bool:
        """Whether it is about the caller, or the caller may act for others."""
        return user == self.user or self.is_superuser(core)

    def _lacking(self, tag: str, level: str) -> JimmError:
        return Unauthorized() if self.token is None else AccessRequired(tag, level)


def _level(value: str, known: tuple[L, ...]) -> L:
    return next((each for each in known if each == value), known[0])
