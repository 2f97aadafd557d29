"""``MigrationTarget`` 4 to 6: what a target does for a source (Juju
``apiserver/facades/controller/migrationtarget``). Superusers only. 4.0's 7 and 4.1's 8 are 6 under
other names here."""

import base64
import binascii

from jimm.errors import RemoteError
from jimm.simulator import rules, secret_backends
from jimm.simulator.migration import (
    calls,
    description,
    lifecycle,
    macaroons,
    prechecks,
    prechecks_of_four,
)
from jimm.simulator.migration.faults import on_instance, pass_point
from jimm.simulator.migration.imports import (
    import_problem,
    import_problem_of_four,
    settled_in,
)
from jimm.simulator.migration.prechecks import Incoming, Problem
from jimm.simulator.migration.refusal import Refused, refuse
from jimm.simulator.migration.versions import Version
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.session import Answering
from jimm.simulator.state import ExternalUser, Model, Thing
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
        self.caller.require_superuser(self.core)
        if self.core.release.is_four:
            refuse(self._problem_of_four(params))
            return
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
        self.caller.require_superuser(self.core)
        store = self.core.store
        prefix = "" if self.core.release.is_four else "deserializing model for import: "
        incoming = self._read(params.bytes, prefix)
        find_problem = import_problem_of_four if self.core.release.is_four else import_problem
        problem = find_problem(
            incoming,
            controller=store.controller,
            models=store.models.values(),
            local_users=store.users,
            credentials={each.id: each for each in store.credentials.values()},
        )
        refuse(problem)
        backend = secret_backends.by_id(store.controller, incoming.secret_backend)
        model = lifecycle.imported(settled_in(incoming.model, backend), self.core.clock.now())
        new: list[Thing] = self._outsiders(model) if self.core.release.is_four else []
        credential = incoming.credential
        if credential is not None and str(credential.id) not in store.credentials:
            new.append(credential)
        store.put(model, *new)

    @method("Abort", versions=VERSIONS)
    async def abort(self, params: ModelArgs) -> None:
        """Removes an importing model; a credential that came with it stays.

        Raises:
            NotFound: no such model.
            Refused: it is not importing.
        """
        self.caller.require_superuser(self.core)
        if not self.core.release.is_four:
            self.core.store.remove(self._importing(params.model_tag))
            return
        model = self._find(params.model_tag)
        if model.mode != "importing":
            raise Refused(Problem(f'model "{model.uuid}" is not importing'))
        if model.life == "alive":  # it goes a little later, as any model does
            self.core.store.put(rules.with_life(model, "dying", self.core.clock.now()))

    @method("Activate", versions=VERSIONS)
    async def activate(self, params: ActivateModel) -> None:
        """Lets an importing model live.

        Raises:
            NotFound: no such model.
            Refused: it is not importing.
        """
        self.caller.require_superuser(self.core)
        model = self._importing(params.model_tag)
        version = self.core.store.controller.version if self.core.release.is_four else ""
        now = self.core.clock.now()
        self.core.store.put(lifecycle.activated(model, now, agent_version=version))

    @method("CheckMachines", versions=VERSIONS)
    async def check_machines(self, params: ModelArgs) -> CheckMachinesResults:
        """Compares the model's machines with the instances that the cloud has.

        Raises:
            NotFound: no such model.
        """
        self.caller.require_superuser(self.core)
        model = self._find(params.model_tag)
        instances = await self._instances(model)
        if self.core.release.is_four:
            refuse(prechecks_of_four.machine_check_problem(model, instances))
        problems = prechecks.machine_check_problems(model, instances)
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
        self.caller.require_superuser(self.core)
        self._find(params.model_tag)

    @method("LatestLogTime", versions=VERSIONS)
    async def latest_log_time(self, params: ModelArgs) -> str:
        """The time of the last line that came over; year 1 for none.

        Raises:
            NotFound: no such model.
        """
        self.caller.require_superuser(self.core)
        latest = self._find(params.model_tag).log_time
        return NEVER if latest is None else rfc3339(latest)

    @method("CACert", versions=VERSIONS)
    async def ca_certificate(self) -> BytesResult:
        """The controller's CA."""
        self.caller.require_superuser(self.core)
        pem = self.core.identity.authority_pem.encode()
        return BytesResult(result=base64.b64encode(pem).decode())

    def _read(self, data: str, prefix: str) -> description.Description:
        newest = description.newest_version(self.core.store.controller.version)
        oldest = 2 if self.core.release.is_four else 1
        try:
            decoded = base64.b64decode(data.encode(), validate=True)
            return description.read(decoded, newest=newest, oldest=oldest)
        except binascii.Error as error:
            raise Refused(Problem("illegal base64 data")) from error
        except description.Unreadable as error:
            raise Refused(Problem(f"{prefix}{error}")) from error

    def _problem_of_four(self, params: MigrationModelInfo) -> Problem | None:
        what = f'cannot deserialize model "{params.uuid}" description during prechecks: '
        found = self._read(params.model_description, what)
        return prechecks_of_four.description_problem(found) or prechecks_of_four.target_problem(
            _incoming(params),
            cloud=found.model.cloud,
            controller=self.core.store.controller,
            controller_model=calls.controller_model(self.core),
            models=self.core.store.models.values(),
        )

    def _outsiders(self, model: Model) -> list[Thing]:
        """The model's users with a domain who were never here."""
        now, known = self.core.clock.now(), self.core.store.outsiders
        names = {model.owner, *model.users}
        return [
            ExternalUser(name=name, created=now)
            for name in sorted(names)
            if "@" in name and name not in known
        ]

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
                await pass_point(self.core, on_instance(machine.instance_id), model.uuid)
            except RemoteError:
                continue  # the fault took the instance away
            there.append(machine.instance_id)
        return there


class EnvelopeTarget(MigrationTarget):
    """A controller that takes models in from 4.0, too: Juju 4.1."""

    @method("CreateMigrationMacaroon", versions=VERSIONS)
    async def create_migration_macaroon(self) -> macaroons.Slices:
        """What a 4.0 source logs in with, in place of a password."""
        self.caller.require_superuser(self.core)
        return macaroons.mint(self.core, self.caller.user)


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
