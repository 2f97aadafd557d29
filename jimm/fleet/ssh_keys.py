"""The SSH keys that come with a new model.

Every client sends them as ``authorized-keys`` in the config of ``CreateModel``. Juju 4 refuses a
config with that key (``config attributes [authorized-keys] not valid``), and wants them told to
the model itself.
"""

import logging
from collections.abc import Sequence
from typing import Final

from jimm.controllers.calls import key_manager
from jimm.errors import JimmError
from jimm.fleet import levels
from jimm.fleet.fleet import Fleet
from jimm.registry.controllers import Controller
from jimm.wire.tags import ModelUUID

log = logging.getLogger(__name__)

KEY: Final = "authorized-keys"


def apart(config: dict[str, object], controller: Controller) -> tuple[dict[str, object], list[str]]:
    """The config as the controller takes it, and the keys that have to be told afterwards."""
    if KEY not in config or controller.agent_version.startswith(("2.", "3.")):
        return config, []
    rest = {name: value for name, value in config.items() if name != KEY}
    lines = str(config[KEY] or "").splitlines()
    return rest, [line.strip() for line in lines if line.strip()]


async def tell(
    fleet: Fleet, controller: Controller, owner: str, model: ModelUUID, keys: Sequence[str]
) -> None:
    """Tells a new model its keys. The model is there whatever comes of it: a failure is logged,
    and ``juju add-ssh-key`` mends it."""
    if not keys:
        return
    access = levels.administration_claims(controller.uuid, model)
    try:
        async with fleet.as_user(controller, owner, access, model=model) as (link, _):
            await key_manager.add_keys(link, keys)
    except JimmError as error:
        log.warning("model %s has not got its SSH keys: %s", model, error)
