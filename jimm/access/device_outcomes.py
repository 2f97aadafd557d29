"""What became of a device login, as a socket's dialogue hears it.

``broken`` stands for what went wrong within JIMM itself, which is logged.
"""

import logging
from collections.abc import Awaitable

from jimm.access.devices import Code
from jimm.errors import JimmError
from jimm.wire.login import DeviceBegun, DeviceConfirmed, DeviceFailed
from jimm.wire.secret import Secret

log = logging.getLogger(__name__)


async def begun(
    ticket: int, asking: Awaitable[Code], broken: JimmError
) -> DeviceBegun | DeviceFailed:
    """Whether one has begun."""
    try:
        code = await asking
    except JimmError as error:
        return DeviceFailed(ticket, error)
    except Exception:
        log.exception("a device login could not begin")
        return DeviceFailed(ticket, broken)
    return DeviceBegun(ticket, code.id, code.user_code, code.verification_uri)


async def confirmed(
    ticket: int, waiting: Awaitable[Secret], broken: JimmError
) -> DeviceConfirmed | DeviceFailed:
    """Whether one was confirmed."""
    try:
        return DeviceConfirmed(ticket, await waiting)
    except JimmError as error:
        return DeviceFailed(ticket, error)
    except Exception:
        log.exception("a device login failed")
        return DeviceFailed(ticket, broken)
