"""``MigrationTarget`` 4 to 6: what a target does for a source (Juju
``apiserver/facades/controller/migrationtarget``). Superusers only."""

import base64
import binascii

from jimm.errors import RemoteError
from jimm.simulator.migration import calls, description, lifecycle, prechecks
from jimm.simulator.migration.faults import on_instance, on_target, pass_point
from jimm.simulator.migration.imports import import_problem
from jimm.simulator.migration.phases import Phase
from jimm.simulator.migration.prechecks import Incoming, Problem
from jimm.simulator.migration.refusal import Refused, refuse
from jimm.simulator.migration.versions import Version
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.session import Answering
from jimm.simulator.state import Model
from jimm.wire import tags
from jimm.wire.facade import method
from jimm.wire.params.common import Error
from jimm.wire.params.migration_target import (
    ActivateModel,
    AdoptResources,
    BytesResult,
    CheckMachinesResult,
    CheckMachinesResults,
    MigrationModelInfo,
    ModelArgs,
    SerializedModel,
)

VERSIONS = (4, 5, 6)
NEVER = "0001-01-01T00:00:00Z"
"""Go's zero time."""


class MigrationTarget(Answering):
    """A controller that takes models in."""

    name = "MigrationTarget"

    @method("Prechecks", versions=VERSIONS)
    async def prechecks(self, params: MigrationModelInfo) -> None:
        """Says why the model can't come here, if it can't.

        Raises:
            Refused: the first reason, in Juju's words.
        """
        await self._enter(Phase.QUIESCE)
        problem = prechecks.target_problem(
            _incoming(params),
            controller=self.core.store.controller,
            controller_model=calls.controller_model(self.core),
            models=self.core.store.models.values(),
            required_facades={},
        )
        refuse(problem)

    @method("Import", versions=VERSIONS)
    async def import_model(self, params: SerializedModel) -> None:
        """Takes the model in as ``importing``, with its credential if that is new here.

        Raises:
            Refused: it can't be read, is here, or needs what this controller doesn't have.
        """
        await self._enter(Phase.IMPORT)
        store = self.core.store
        incoming = self._read(params)
        problem = import_problem(
            incoming,
            controller=store.controller,
            models=store.models.values(),
            local_users=store.users,
            credentials={each.id: each for each in store.credentials.values()},
        )
        refuse(problem)
        model = lifecycle.imported(incoming.model, self.core.clock.now())
        credential = incoming.credential
        if credential is None or str(credential.id) in store.credentials:
            store.put(model)
        else:
            store.put(model, credential)

    @method("Abort", versions=VERSIONS)
    async def abort(self, params: ModelArgs) -> None:
        """Removes an importing model; a credential that came with it stays.

        Raises:
            NotFound: no such model.
            Refused: it is not importing.
        """
        await self._enter(Phase.ABORT)
        self.core.store.remove(self._importing(params.model_tag))

    @method("Activate", versions=VERSIONS)
    async def activate(self, params: ActivateModel) -> None:
        """Lets an importing model live.

        Raises:
            NotFound: no such model.
            Refused: it is not importing.
        """
        await self._enter(Phase.VALIDATION)
        model = self._importing(params.model_tag)
        self.core.store.put(lifecycle.activated(model, self.core.clock.now()))

    @method("CheckMachines", versions=VERSIONS)
    async def check_machines(self, params: ModelArgs) -> CheckMachinesResults:
        """Compares the model's machines with the instances that the cloud has.

        Raises:
            NotFound: no such model.
        """
        await self._enter(Phase.VALIDATION)
        model = self._find(params.model_tag)
        problems = prechecks.machine_check_problems(model, await self._instances(model))
        return CheckMachinesResults(
            results=[
                CheckMachinesResult(error=Error(message=each.message, code=each.code))
                for each in problems
            ]
        )

    @method("AdoptResources", versions=VERSIONS)
    async def adopt_resources(self, params: AdoptResources) -> None:
        """Takes over what the model has in its cloud; nothing, here.

        Raises:
            NotFound: no such model.
        """
        await self._enter(Phase.SUCCESS)
        self._find(params.model_tag)

    @method("LatestLogTime", versions=VERSIONS)
    async def latest_log_time(self, params: ModelArgs) -> str:
        """The time of the last line that came over; year 1 for none.

        Raises:
            NotFound: no such model.
        """
        await self._enter(Phase.LOGTRANSFER)
        latest = self._find(params.model_tag).log_time
        return NEVER if latest is None else rfc3339(latest)

    @method("CACert", versions=VERSIONS)
    async def ca_certificate(self) -> BytesResult:
        """The controller's CA."""
        self.caller.require_superuser(self.core)
        pem = self.core.identity.authority_pem.encode()
        return BytesResult(result=base64.b64encode(pem).decode())

    async def _enter(self, phase: Phase) -> None:
        self.caller.require_superuser(self.core)
        await pass_point(self.core, on_target(phase))

    def _read(self, params: SerializedModel) -> description.Description:
        newest = description.newest_version(self.core.store.controller.version)
        try:
            data = base64.b64decode(params.bytes.encode(), validate=True)
            return description.read(data, newest=newest)
        except binascii.Error as error:
            raise Refused(Problem("illegal base64 data")) from error
        except description.Unreadable as error:
            raise Refused(Problem(f"deserializing model for import: {error}")) from error

    def _find(self, model_tag: str) -> Model:
        return self.find_model(tags.parse_model_tag(model_tag))

    def _importing(self, model_tag: str) -> Model:
        model = self._find(model_tag)
        if model.mode != "importing":
            raise Refused(Problem("migration mode for the model is not importing"))
        return model

    async def _instances(self, model: Model) -> list[str]:
        """The cloud's instances; it knows nothing of the containers in them."""
        there = []
        for machine in model.machines.values():
            if "/" in machine.id:
                continue
            try:
                await pass_point(self.core, on_instance(machine.instance_id))
            except RemoteError:
                continue  # the fault took the instance away
            there.append(machine.instance_id)
        return there


def _incoming(params: MigrationModelInfo) -> Incoming:
    try:
        return Incoming(
            uuid=params.uuid,
            name=params.name,
            owner=tags.parse_user_tag(params.owner_tag) if params.owner_tag else "",
            agent_version=Version.parse(params.agent_version or "0.0.0"),
            controller_version=Version.parse(params.controller_agent_version or "0.0.0"),
            facade_versions=params.facade_versions,
        )
    except ValueError as error:
        raise Refused(Problem(str(error))) from error
