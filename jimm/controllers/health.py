"""What a controller was last seen to be."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from jimm.controllers import deadlines
from jimm.controllers.calls.controller import controller_version
from jimm.controllers.endpoint import usable_servers
from jimm.controllers.link import Link
from jimm.errors import ControllerError, NotSupported, RemoteError
from jimm.wire.tags import ControllerUUID


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a controller.

    ``servers`` are its own addresses as its login tells them (``host:port``, those that other
    machines can dial), empty when it is away. ``latency`` is seconds for one small call.
    ``quarantined`` means that another controller answered in its place. ``error`` is a
    sentence, empty when it is well; one that is reachable may have it too.
    """

    uuid: ControllerUUID
    at: datetime
    reachable: bool
    agent_version: str = ""
    servers: tuple[str, ...] = ()
    latency: float | None = None
    quarantined: bool = False
    error: str = ""


def utc_now() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


async def measure(
    link: Link,
    *,
    deadline: float = deadlines.READ,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], datetime] = utc_now,
) -> Reading:
    """A reading over a living link; raises nothing that the controller may cause."""
    began = clock()
    agent_version = link.login_result.server_version
    problem = ""
    try:
        agent_version = (await controller_version(link, deadline=deadline)).version
    except (RemoteError, NotSupported) as error:
        problem = str(error)  # it is there, and not well
    except ControllerError as error:
        return Reading(link.endpoint.uuid, now(), reachable=False, error=str(error))
    return Reading(
        link.endpoint.uuid,
        now(),
        reachable=True,
        agent_version=agent_version,
        servers=usable_servers(link.login_result),
        latency=clock() - began,
        error=problem,
    )
