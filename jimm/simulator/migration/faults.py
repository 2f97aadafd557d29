"""The points of a migration at which a fault may wait (see :mod:`jimm.simulator.faults`).

=============================  =================================================================
``initiate``                   a row of ``InitiateMigration``, before its checks. Refused, its
                               error is the fault's
``initiate.after``             the attempt has been made, nothing was answered yet. Refused, the
                               row is an error all the same
``fail.<PHASE>``               the source's worker begins a phase. Refused, the attempt fails with
                               the fault's message as its whole reason
``phase.source.<PHASE>``       the source's worker is at the step of a phase that can fail.
                               Refused, it fails in Juju's way: an abort, an endless repeat, or
                               REAPFAILED; in ABORT the target is left as it is
``phase.target.<PHASE>``       the target is called in a phase (Prechecks in QUIESCE, Import and
                               uploads in IMPORT, CheckMachines and Activate in VALIDATION,
                               AdoptResources in SUCCESS, log transfer, Abort in ABORT)
``upload.<kind>``              the target is sent ``charms``, ``tools``, ``resources`` or a
                               ``log``. A log's ``drop-after`` cuts after its first line
``message.<text>``             the source's worker has shown a status message. Refused, the
                               worker exits and begins the phase again later
``minion.<PHASE>.<agent>``     a machine (``0``) or a unit (``a/0``) is about to report. Refused,
                               it reports failure; stalled, it stays silent
``instance.<id>``              the target's cloud is asked for an instance. Refused, it has none
=============================  =================================================================

A call of the target is also a point of its own (``MigrationTarget.Import``), as every call is.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from jimm.errors import RemoteError
from jimm.simulator.core import Core
from jimm.simulator.migration.phases import Phase
from jimm.wire.envelope import Request


class Cut(ConnectionError):
    """A fault that cuts a connection hit something that has none, or the other end's."""


INITIATE: Final = "initiate"
INITIATED: Final = "initiate.after"

CALLED_IN: Final[Mapping[str, Phase]] = {
    "Prechecks": Phase.QUIESCE,
    "Import": Phase.IMPORT,
    "CheckMachines": Phase.VALIDATION,
    "Activate": Phase.VALIDATION,
    "AdoptResources": Phase.SUCCESS,
    "LatestLogTime": Phase.LOGTRANSFER,
    "Abort": Phase.ABORT,
}
"""The phases in which a source calls the methods of ``MigrationTarget``."""


def points_of(request: Request) -> tuple[str, ...]:
    """The points that a call passes."""
    point = f"{request.type}.{request.request}"
    phase = CALLED_IN.get(request.request) if request.type == "MigrationTarget" else None
    return (point,) if phase is None else (point, on_target(phase))


def on_source(phase: Phase) -> str:
    """The point where the source's worker enters a phase."""
    return f"phase.source.{phase}"


def on_target(phase: Phase) -> str:
    """The point where the target is called in a phase."""
    return f"phase.target.{phase}"


def on_failure(phase: Phase) -> str:
    """The point where a phase may fail with a reason of the fault's own."""
    return f"fail.{phase}"


def on_upload(kind: str) -> str:
    """The point where the target is sent something."""
    return f"upload.{kind}"


def on_message(text: str) -> str:
    """The point where a status message has just been written."""
    return f"message.{text}"


def on_minion(phase: Phase, agent: str) -> str:
    """The point where an agent is about to report."""
    return f"minion.{phase}.{agent}"


def on_instance(instance_id: str) -> str:
    """The point where the target's cloud is asked for an instance."""
    return f"instance.{instance_id}"


async def pass_point(core: Core, point: str, model: str = "") -> None:
    """Goes on at once, or as a fault that waits here wants it; ``model`` is whom it is about.

    Raises:
        RemoteError: refused.
        Cut: the connection is to be cut.
    """
    fault = core.faults.take(point, about=lambda uuid: uuid == model)
    if fault is None:
        return
    if fault.action.startswith("crash"):
        await core.crash()
        await asyncio.Event().wait()  # nothing more is done in this life
    if fault.action == "refuse":
        raise RemoteError(fault.message, fault.code)
    if fault.is_cut:
        raise Cut(fault.message)
    await core.faults.hold(fault)
