"""The source's worker: one for each model that moves (Juju ``internal/worker/migrationmaster``).

It walks the phases, says in the model's record what it does, and calls the target over a real
connection. What it has to remember over a restart is in the record; the reason of a failure is
not, as in Juju.
"""

import logging
from contextlib import aclosing
from typing import Final, assert_never

from jimm.errors import JimmError, RemoteError
from jimm.simulator.core import Core
from jimm.simulator.migration import calls, lifecycle, phases
from jimm.simulator.migration.faults import on_failure, on_message, on_source, pass_point
from jimm.simulator.migration.minions import Minions
from jimm.simulator.migration.outbound import Outbound, connect
from jimm.simulator.migration.phases import Phase
from jimm.simulator.migration.prechecks_of_four import ENVELOPES_SINCE, TOO_OLD_FOR_THE_FORMAT
from jimm.simulator.migration.record import MigrationRecord
from jimm.simulator.migration.uploads import UploadFailed, transfer_log, upload_binaries
from jimm.simulator.state import Model
from jimm.wire import codes
from jimm.wire.tags import ModelUUID, controller_tag

log = logging.getLogger(__name__)

SHOWN: Final = 0.35
"""Seconds that each status message stays at least."""

FIRST_DELAY: Final = 3.0
DELAY_GROWTH: Final = 1.2
LONGEST_DELAY: Final = 120.0

Trouble: Final = (JimmError, OSError)
"""Whatever can go wrong with a target: it can't be reached, refuses, makes no sense, is lost."""


class Failed(Exception):
    """The attempt fails; the text is the reason that users see."""


class Again(Exception):
    """The worker exits, and is started again in the same phase after a while."""


class Gone(Exception):
    """The model was destroyed under the worker."""


class Worker:
    """The worker of one model's attempt."""

    def __init__(self, core: Core, uuid: ModelUUID) -> None:
        self._core = core
        self._uuid = uuid
        self._minions = Minions(core, uuid, self._say)
        self._reason = ""

    async def run(self) -> None:
        """Walks on until the attempt is over."""
        delay = FIRST_DELAY
        try:
            while self._record.is_active:
                phase = self._record.phase
                try:
                    await self._step(phase)
                    delay = FIRST_DELAY
                except Again as trouble:
                    log.info("migration of %s stays in %s: %s", self._uuid, phase, trouble)
                    await self._core.clock.sleep(delay)
                    delay = min(delay * DELAY_GROWTH, LONGEST_DELAY)
        except Gone:
            log.info("model %s is gone, and its migration with it", self._uuid)

    @property
    def _model(self) -> Model:
        model = self._core.store.models.get(self._uuid)
        if model is None or model.migration is None:
            raise Gone
        return model

    @property
    def _record(self) -> MigrationRecord:
        found = self._core.store.models.get(self._uuid)
        if found is None:
            raise Gone
        return lifecycle.record_of(found)

    async def _step(self, phase: Phase) -> None:
        log.info("setting migration phase to %s", phase)
        try:
            following = await self._carry_out(phase)
        except Failed as failure:
            self._reason = str(failure)
            await self._say(self._reason)
            following = Phase.ABORT if phases.can_abort(phase) else Phase.REAPFAILED
        if following is Phase.DONE:
            return  # REAP has taken the model away, its record with it
        now = self._core.clock.now()
        self._core.store.put(lifecycle.moved(self._model, following, now))

    async def _carry_out(self, phase: Phase) -> Phase:
        try:
            await self._pass(on_failure(phase))
        except RemoteError as refused:
            failure = Failed if phases.can_fail(phase) else Again
            raise failure(str(refused)) from refused
        match phase:
            case Phase.QUIESCE:
                await self._quiesce()
            case Phase.IMPORT:
                await self._import()
            case Phase.PROCESSRELATIONS:
                await self._process_relations()
            case Phase.VALIDATION:
                await self._validate()
            case Phase.SUCCESS:
                await self._succeed()
            case Phase.LOGTRANSFER:
                await self._transfer_logs()
            case Phase.REAP:
                await self._reap()
            case Phase.ABORT:
                await self._abort()
            case Phase.DONE | Phase.ABORTDONE | Phase.REAPFAILED:
                raise ValueError(f"nothing is done in {phase}")
            case _:
                assert_never(phase)
        return phases.onward(phase, self._record.moves)

    async def _quiesce(self) -> None:
        await self._precheck()
        await self._wait_for_agents(Phase.QUIESCE)
        await self._precheck()

    async def _precheck(self) -> None:
        await self._say(phases.SOURCE_PRECHECKS)
        try:
            await self._pass(on_source(Phase.QUIESCE))
            calls.check_source(self._core, self._model)
        except Trouble as trouble:
            raise Failed(f"source prechecks failed: {trouble}") from trouble
        await self._say(phases.TARGET_PRECHECKS)
        before = "failed to connect to target controller during prechecks: "
        async with aclosing(await self._open(Failed, before)) as target:
            self._identify(target)
            try:
                self._check_format(target)
                await calls.check_target(self._core, self._model, target)
            except Trouble as trouble:
                raise Failed(f"target prechecks failed: {trouble}") from trouble

    def _identify(self, target: Outbound) -> None:
        got, expected = target.controller_tag, controller_tag(self._record.target.controller_uuid)
        if got == expected:
            return
        if self._core.release.is_four:
            got, expected = got.removeprefix("controller-"), self._record.target.controller_uuid
        raise Failed(f"unexpected target controller UUID (got {got}, expected {expected})")

    def _check_format(self, target: Outbound) -> None:
        is_old = target.version(calls.FACADE) < ENVELOPES_SINCE
        if self._core.release.is_four and is_old:
            raise Failed(TOO_OLD_FOR_THE_FORMAT)

    async def _import(self) -> None:
        prefix = "model data transfer failed, "
        await self._say(phases.EXPORTING)
        try:
            await self._pass(on_source(Phase.IMPORT))
            data = calls.export(self._core, self._model)
        except Trouble as trouble:
            raise Failed(f"{prefix}model export failed: {trouble}") from trouble
        await self._say(phases.IMPORTING)
        before = f"{prefix}failed to connect to target controller: "
        async with aclosing(await self._open(Failed, before)) as target:
            try:
                await calls.import_model(target, data)
            except Trouble as trouble:
                text = f"failed to import model into target controller: {trouble}"
                if self._core.release.is_four and _says_it_is_there(trouble):
                    text = "target controller already has an import for this model"
                raise Failed(f"{prefix}{text}") from trouble
            await self._say(phases.UPLOADING)
            try:
                await upload_binaries(target, self._model)
            except UploadFailed as trouble:
                raise Failed(f"{prefix}failed to migrate binaries: {trouble}") from trouble

    async def _process_relations(self) -> None:
        await self._say(phases.PROCESSING_RELATIONS)
        try:
            await self._pass(on_source(Phase.PROCESSRELATIONS))
        except Trouble as trouble:
            twice = "processing relations failed, processing relations failed"
            raise Failed(f"{twice}: {trouble}") from trouble

    async def _validate(self) -> None:
        await self._wait_for_agents(Phase.VALIDATION)
        async with aclosing(await self._open()) as target:
            await self._say(phases.CHECKING_MACHINES)
            try:
                complaints = await calls.check_machines(target, self._uuid)
            except Trouble as trouble:
                raise Again(str(trouble)) from trouble
            for complaint in complaints:
                log.error("%s", complaint)
            if complaints:
                found = "1 error" if len(complaints) == 1 else f"{len(complaints)} errors"
                raise Failed(f"machine sanity check failed, {found} found")
            await self._say(phases.ACTIVATING)
            try:
                await self._pass(on_source(Phase.VALIDATION))
                await calls.activate(target, self._uuid)
            except Trouble as trouble:
                raise Failed(f"model activation failed, {trouble}") from trouble

    async def _succeed(self) -> None:
        verdict = await self._minions.wait(Phase.SUCCESS, fail_fast=False)
        if not verdict.success:
            await self._say(verdict.message)
        await self._say(phases.ADOPTING)
        version = self._core.store.controller.version
        try:
            await self._pass(on_source(Phase.SUCCESS))
            async with aclosing(await self._open()) as target:
                await calls.adopt_resources(target, self._uuid, version)
        except Trouble as trouble:
            raise Again(str(trouble)) from trouble

    async def _transfer_logs(self) -> None:
        await self._say(phases.transferring(0))
        version = self._core.store.controller.version
        try:
            await self._pass(on_source(Phase.LOGTRANSFER))
            async with aclosing(await self._open()) as target:
                sent = await transfer_log(target, self._model, version)
        except Trouble as trouble:
            raise Again(str(trouble)) from trouble
        await self._say(phases.transferred(sent))

    async def _reap(self) -> None:
        await self._say(phases.REMOVING)
        try:
            await self._pass(on_source(Phase.REAP))
        except Trouble as trouble:
            raise Failed(phases.reap_failed(str(trouble))) from trouble
        model = self._model
        former = lifecycle.departed(model, self._core.clock.now())
        self._core.store.apply(put=[former], remove=[model])

    async def _abort(self) -> None:
        await self._say(phases.aborted(self._reason))
        try:
            await self._pass(on_source(Phase.ABORT))
            async with aclosing(await self._open()) as target:
                await calls.abort(target, self._uuid)
        except (*Trouble, Again) as trouble:
            log.error("failed to remove model from target controller, %s", trouble)

    async def _wait_for_agents(self, phase: Phase) -> None:
        verdict = await self._minions.wait(phase, fail_fast=True)
        if not verdict.success:
            raise Failed(verdict.message)

    async def _open(self, failure: type[Failed | Again] = Again, before: str = "") -> Outbound:
        """A connection to the target; without one, ``failure`` with the text ``before``."""
        version = self._core.store.controller.version
        try:
            return await connect(self._record.target, self._core.clock, version)
        except Trouble as trouble:
            raise failure(f"{before}{trouble}") from trouble

    async def _pass(self, point: str) -> None:
        await pass_point(self._core, point, self._uuid)

    async def _say(self, message: str) -> None:
        now = self._core.clock.now()
        self._core.store.put(lifecycle.said(self._model, message, now))
        await self._core.clock.sleep(SHOWN)
        try:
            await self._pass(on_message(message))
        except Trouble as trouble:
            raise Again(f"lost the controller: {trouble}") from trouble


def _says_it_is_there(trouble: Exception) -> bool:
    return isinstance(trouble, RemoteError) and trouble.juju_code == codes.ALREADY_EXISTS


def start(core: Core, uuid: ModelUUID) -> None:
    """Starts the worker of a model whose attempt is not over."""
    core.tasks.spawn(Worker(core, uuid).run(), name=f"migrate model {uuid}")


def resume(core: Core) -> None:
    """Starts the workers of every attempt that an earlier run left unfinished."""
    for model in core.store.models.values():
        if model.migration is not None and model.migration.is_active:
            start(core, model.uuid)
