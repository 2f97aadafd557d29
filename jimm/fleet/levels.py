"""What somebody may do with a model, in Juju's levels."""

from collections.abc import Mapping
from typing import Final

from jimm.access import rules
from jimm.errors import BadRequest
from jimm.fleet.caller import Caller
from jimm.registry.models import Visible
from jimm.registry.words import ObjectKind
from jimm.wire import tags

ADMIN: Final = "admin"
LOGIN: Final = "login"
ADD_MODEL: Final = "add-model"


def on_model(seen: Visible, caller: Caller) -> str:
    """``admin``, ``write``, ``read``, or empty for somebody who may not know of the model."""
    if caller.admin or seen.model.owner == caller.identity:
        return ADMIN
    return rules.level(ObjectKind.MODEL, seen.held)


def require_action(action: str) -> None:
    """Nothing, for what may be done with a level.

    Raises:
        BadRequest: neither ``grant`` nor ``revoke``, in Juju's words.
    """
    if action not in ("grant", "revoke"):
        raise BadRequest(f'unknown action "{action}"', field="action")


def creation_claims(controller_uuid: str, cloud: str) -> Mapping[str, str]:
    """What creating a model takes."""
    return {tags.controller_tag(controller_uuid): LOGIN, tags.cloud_tag(cloud): ADD_MODEL}


def administration_claims(controller_uuid: str, model: str) -> Mapping[str, str]:
    """What destroying a model takes."""
    return {tags.controller_tag(controller_uuid): LOGIN, tags.model_tag(model): ADMIN}
