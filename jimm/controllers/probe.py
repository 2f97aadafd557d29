"""Everything to be known of a stranger before it is registered."""

from collections.abc import Sequence
from dataclasses import dataclass

from jimm.controllers.calls.cloud import clouds
from jimm.controllers.calls.controller import all_models, controller_version
from jimm.controllers.calls.model_manager import model_infos
from jimm.controllers.deadlines import Timing
from jimm.controllers.dial import dial_stranger
from jimm.controllers.endpoint import Endpoint, usable_servers
from jimm.controllers.link import Link
from jimm.errors import NotValid
from jimm.wire.params.admin import LoginRequest
from jimm.wire.params.cloud import Cloud
from jimm.wire.params.common import Error
from jimm.wire.params.model_manager import ModelInfo
from jimm.wire.tags import ControllerUUID, ModelUUID, parse_cloud_tag

_CONTROLLER_MODEL = "controller"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a controller says of itself.

    ``cloud`` and ``region`` are where it runs itself: its controller model's, else of the
    cloud it marks as its own, else empty. ``addresses`` are its own (``host:port``) as far as
    another machine can dial them; they may be none.
    """

    uuid: ControllerUUID
    agent_version: str
    clouds: dict[str, Cloud]
    controller_model_uuid: ModelUUID | None
    cloud: str
    region: str
    addresses: tuple[str, ...]


async def probe(
    addresses: Sequence[str],
    ca_certificate: str,
    tls_hostname: str,
    login: LoginRequest,
    *,
    timing: Timing | None = None,
) -> Probe:
    """Logs in, looks around and leaves.

    Raises:
        NotValid: an address or the CA can't be read, or the login is no superuser's (field
            ``username``).
        ControllerUnavailable, LostAnswer: it can't be reached, or went away.
        WrongController: what answers is no controller.
        RemoteError: it refuses the login, or what was asked.
    """
    stranger = Endpoint("", ControllerUUID(""), tuple(addresses), ca_certificate, tls_hostname)
    uuid, link = await dial_stranger(stranger, login, timing=timing)
    link.start()
    async with link:
        _require_superuser(link)
        version = await controller_version(link)
        found = await clouds(link)
        model = await _controller_model(link)
        cloud, region = _own_place(link, model, found)
    return Probe(
        uuid=uuid,
        agent_version=version.version,
        clouds=found,
        controller_model_uuid=None if model is None else ModelUUID(model.uuid),
        cloud=cloud,
        region=region,
        addresses=usable_servers(link.login_result),
    )


def _require_superuser(link: Link) -> None:
    user = link.login_result.user_info
    if user is None or user.controller_access != "superuser":
        raise NotValid(
            "the login is not a superuser's of the controller: use an admin's", field="username"
        )


async def _controller_model(link: Link) -> ModelInfo | None:
    """Users may call their models ``controller`` too, so each of that name is looked at."""
    named = [
        ModelUUID(row.model.uuid)
        for row in await all_models(link)
        if row.model.name == _CONTROLLER_MODEL
    ]
    infos = await model_infos(link, named) if named else []
    own = (info for info in infos if not isinstance(info, Error) and info.is_controller)
    return next(own, None)


def _own_place(
    link: Link, model: ModelInfo | None, clouds_found: dict[str, Cloud]
) -> tuple[str, str]:
    if model is not None:
        try:
            return parse_cloud_tag(model.cloud_tag), model.cloud_region
        except NotValid as error:
            raise link.unreadable(str(error)) from error
    own = (name for name, cloud in clouds_found.items() if cloud.is_controller_cloud)
    return next(own, ""), ""
