"""Credentials that were changed while a controller was away: given to it when it is back."""

import logging
import time
from collections.abc import Callable
from typing import Final

from jimm.errors import ControllerUnavailable, JimmError
from jimm.fleet import credentials as cases
from jimm.fleet.credential_checks import without_secrets
from jimm.fleet.fleet import Fleet
from jimm.registry import credentials
from jimm.registry.controllers import Controller
from jimm.registry.credentials import Credential

REFUSED_FOR: Final = 300.0
"""Seconds until a controller that refused a credential is offered it again."""

log = logging.getLogger(__name__)


class LatePushes:
    """Gives a controller what its models use and it has no newest revision of."""

    def __init__(self, fleet: Fleet, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fleet = fleet
        self._clock = clock
        self._refused: dict[tuple[int, int, int], float] = {}

    async def look(self, controller: Controller) -> None:
        """Pushes all there are; one that fails is logged and tried again later."""
        fleet = self._fleet
        stale = await credentials.stale(fleet.registry, controller.id)
        now = self._clock()
        self._refused = {key: end for key, end in self._refused.items() if end > now}
        for each in stale:
            if (controller.id, each.id, each.revision) not in self._refused:
                await self._push(controller, each)

    async def _push(self, controller: Controller, credential: Credential) -> None:
        try:
            await cases.push_as_owner(self._fleet, controller, credential)
        except ControllerUnavailable as error:
            log.debug("%s can't be given credential %s: %s", controller.name, credential.key, error)
        except JimmError as error:
            key = (controller.id, credential.id, credential.revision)
            self._refused[key] = self._clock() + REFUSED_FOR
            said = without_secrets(str(error), cases.attributes(self._fleet, credential))
            log.warning("%s refuses credential %s: %s", controller.name, credential.key, said)
        else:
            log.info("%s was given credential %s", controller.name, credential.key)
