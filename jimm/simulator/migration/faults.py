"""The points of a migration at which a fault may wait (see :mod:`jimm.simulator.faults`).

=============================  =================================================================
``phase.source.<PHASE>``       the source's worker is at the step of a phase that can fail.
                               Refused, it fails in Juju's way: an abort, an endless repeat, or
                               REAPFAILED; in ABORT the target is left as it is
``phase.target.<PHASE>``       the target is called in a phase (Prechecks in QUIESCE, Import and
                               uploads in IMPORT, CheckMachines and Activate in VALIDATION,
                               AdoptResources in SUCCESS, log transfer, Abort in ABORT)
``message.<text>``             the source's worker has shown a status message. Refused, the
                               worker exits and begins the phase again later
``minion.<PHASE>.<agent>``     a machine (``0``) or a unit (``a/0``) is about to report. Refused,
                               it reports failure; stalled, it stays silent
``instance.<id>``              the target's cloud is asked for an instance. Refused, it has none
=============================  =================================================================

A call of the target is also a point of its own (``MigrationTarget.Import``), as every call is.
"""

import asyncio
from typing import Final

from jimm.errors import RemoteError
from jimm.simulator.core import Core
from jimm.simulator.migration.phases import Phase


class Cut(ConnectionError):
    """A fault that cuts a connection hit something that has none, or the other end's."""


def on_source(phase: Phase) -> str:
    """The point where the source's worker enters a phase."""
    return f"phase.source.{phase}"


def on_target(phase: Phase) -> str:
    """The point where the target is called in a phase."""
    return f"phase.target.{phase}"


def on_message(text: str) -> str:
    """The point where a status message has just been written."""
    return f"message.{text}"


def on_minion(phase: Phase, agent: str) -> str:
    """The point where an agent is about to report."""
    return f"minion.{phase}.{agent}"


def on_instance(instance_id: str) -> str:
    """The point where the target's cloud is asked for an instance."""
    return f"instance.{instance_id}"


CUTS: Final = ("drop-before", "drop-after")


async def pass_point(core: Core, point: str) -> None:
    """Goes on at once, or as a fault that waits here wants it.

    Raises:
        RemoteError: refused.
        Cut: the connection is to be cut.
    """
    fault = core.faults.take(point)
    if fault is None:
        return
    if fault.action == "crash":
        await core.crash()
        await asyncio.Event().wait()  # nothing more is done in this life
    if fault.action == "refuse":
        raise RemoteError(fault.message, fault.code)
    if fault.action in CUTS:
        raise Cut(fault.message)
    await core.faults.hold(fault)
