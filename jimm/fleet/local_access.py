"""The access of a user whom JIMM keeps on a controller of password trust.

There no token says what a user may do: it is granted on the controller before the user logs
in, and what is more than JIMM's own relations allow is taken back.
"""

from collections.abc import Mapping
from typing import Final

from jimm.controllers.calls import cloud as cloud_calls
from jimm.controllers.calls import model_manager
from jimm.controllers.link import Link
from jimm.errors import RemoteError
from jimm.wire import codes, tags
from jimm.wire.params.cloud import ModifyCloudAccess
from jimm.wire.params.model_manager import ModifyModelAccess

_MODEL: Final = "model-"
_CLOUD: Final = "cloud-"

_ABOVE: Final = {"read": "write", "write": "admin"}
"""The level whose revocation leaves exactly the key (Juju ``ModifyModelAccess``)."""


async def match(link: Link, username: str, access: Mapping[str, str]) -> None:
    """Makes a user's access what ``access`` says, Juju's levels by tag; ``link`` is JIMM's own.

    Every user may log in to the controller itself, so nothing is done about that.

    Raises:
        ControllerError: it can't be asked, or refuses.
    """
    for tag, level in access.items():
        if tag.startswith(_CLOUD):
            await _on_cloud(link, username, tag, level)
        elif tag.startswith(_MODEL):
            await _on_model(link, username, tag, level)


async def _on_cloud(link: Link, username: str, tag: str, level: str) -> None:
    change = ModifyCloudAccess(
        user_tag=tags.user_tag(username), cloud_tag=tag, action="grant", access=level
    )
    try:
        await cloud_calls.modify_cloud_access(link, change)
    except RemoteError as error:
        if not _has_it(error):
            raise


async def _on_model(link: Link, username: str, tag: str, level: str) -> None:
    try:
        await model_manager.modify_model_access(link, _change(username, tag, "grant", level))
    except RemoteError as error:
        if not _has_it(error):
            raise
    else:
        return
    if (above := _ABOVE.get(level)) is not None:
        await model_manager.modify_model_access(link, _change(username, tag, "revoke", above))


def _change(username: str, tag: str, action: str, access: str) -> ModifyModelAccess:
    return ModifyModelAccess(
        user_tag=tags.user_tag(username), action=action, access=access, model_tag=tag
    )


def _has_it(error: RemoteError) -> bool:
    return error.juju_code == codes.ALREADY_EXISTS or "already has" in str(error)
