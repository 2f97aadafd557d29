"""Models that leave the fleet, for a controller that is not registered.

Once written down it is a migration like any other; only that its target is known by it alone,
and that the model leaves the registry when it has arrived.
"""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from jimm import audit
from jimm.errors import Conflict, NotValid
from jimm.fleet import controllers as fleet_controllers
from jimm.fleet import models as fleet_models
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import Registration, require_administrator
from jimm.fleet.fleet import Fleet, endpoint
from jimm.fleet.trust import password_login
from jimm.migration import facts, outside, prechecks, rehearsal, requests
from jimm.migration.facts import SourceFacts, TargetFacts
from jimm.migration.prechecks import Finding
from jimm.registry import controllers, destinations, migrations
from jimm.registry.controllers import Controller
from jimm.registry.destinations import NewDestination
from jimm.registry.migrations import Migration, NewMigration
from jimm.registry.models import Model
from jimm.registry.session import ReadSession
from jimm.wire.secret import Secret


async def request(
    fleet: Fleet, caller: Caller, reference: str, asked: Registration, *, prepare: bool = False
) -> Migration:
    """Writes down that a model leaves the fleet, for a worker to carry out. All is checked now,
    and once more when it begins. ``asked`` says where to, with a superuser's login there, which
    the source is given, and which is kept, sealed, until the migration is over.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        ModelNotFound: no such model.
        NotValid: a field can't be; the controller is registered; the login is no superuser's.
        MigrationUnderway: it is being moved already.
        ChecksFailed: with every finding.
        ControllerError: the controller is away, or refuses the login.
    """
    require_administrator(caller)
    model = (await fleet_models.refer(fleet, caller, reference)).model
    await requests.refuse_underway(fleet, model)
    async with _visited(fleet, asked) as target:
        source = await _source(fleet, model)
        here, there = await _facts(fleet, model, source, target)
    findings = prechecks.check(here.model, here.controller, there.controller)
    requests.require_ready(fleet, model, target, findings, prepare=prepare)
    migration = await _write(fleet, caller, model, source, target, asked.password, prepare)
    await fleet.connect_all()
    return migration


async def dry_run(
    fleet: Fleet, caller: Caller, reference: str, asked: Registration
) -> Sequence[Finding]:
    """Everything that stands in the way, and advice besides. Nothing is kept. The source's own
    dry run is part of it, where it has one.

    Raises:
        Unauthorized, ModelNotFound, NotValid, ControllerError: as :func:`request`.
    """
    require_administrator(caller)
    model = (await fleet_models.refer(fleet, caller, reference)).model
    async with _visited(fleet, asked) as target:
        source = await _source(fleet, model)
        here, there = await _facts(fleet, model, source, target)
        findings = prechecks.check(here.model, here.controller, there.controller)
        if not rehearsal.is_possible(here, there, findings):
            return findings
        login = asked.username, asked.password
        told = await rehearsal.rehearse(fleet, source, target, here, findings, login=login)
    return sorted([*findings, *told], key=lambda each: each.advice)


@asynccontextmanager
async def _visited(fleet: Fleet, asked: Registration) -> AsyncIterator[Controller]:
    """The destination, with a link to it for the length of the block."""
    async with fleet.registry.read() as session:
        await _refuse_registered(session, asked.name, asked.uuid)
    found = await fleet_controllers.look_outside(asked)
    async with fleet.registry.read() as session:
        await _refuse_registered(session, asked.name, found.uuid)
    if found.uuid == fleet.uuid:
        raise NotValid("JIMM itself answers there: give a controller's address", field="uuid")
    new = NewDestination(
        migration_id="",
        uuid=found.uuid,
        public_address=asked.public_address,
        addresses=found.addresses or asked.addresses,
        tls_hostname=asked.tls_hostname,
        ca_certificate=asked.ca_certificate,
        username=asked.username,
        password_sealed=b"",
    )
    target = destinations.outside(new, asked.name, fleet.now())
    login = password_login(asked.username, asked.password)
    async with fleet.pool.visit(endpoint(target), login):
        yield target


async def _refuse_registered(session: ReadSession, name: str, controller_uuid: str) -> None:
    for each in await controllers.every(session):
        if each.uuid == controller_uuid or each.name == name:
            field = "uuid" if each.uuid == controller_uuid else "name"
            raise NotValid(
                f"{each.name} is a registered controller: jimmctl migrate {each.name} MODEL "
                "moves models there",
                field=field,
            )


async def _source(fleet: Fleet, model: Model) -> Controller:
    if model.controller_id is None:
        raise Conflict(
            f"{requests.shown_name(fleet, model)} is on no controller that is registered"
        )
    async with fleet.registry.read() as session:
        return await controllers.by_id(session, model.controller_id)


async def _facts(
    fleet: Fleet, model: Model, source: Controller, target: Controller
) -> tuple[SourceFacts, TargetFacts]:
    underway = await requests.is_underway(fleet, model)
    here, there = await facts.of_both(fleet, model, source, target, migrating=underway)
    return replace(here, model=outside.unaided(here.model)), there


async def _write(
    fleet: Fleet,
    caller: Caller,
    model: Model,
    source: Controller,
    target: Controller,
    password: Secret,
    prepare: bool,
) -> Migration:
    new = NewMigration(
        id=str(uuid.uuid4()),
        model_uuid=model.uuid,
        model_name=f"{model.owner}/{model.name}",
        source_id=source.id,
        source_name=source.name,
        target_id=None,
        target_name=target.name,
        requested_by=caller.identity,
        prepare=prepare,
    )
    destination = NewDestination(
        migration_id=new.id,
        uuid=target.uuid,
        public_address=target.public_address,
        addresses=target.addresses,
        tls_hostname=target.tls_hostname,
        ca_certificate=target.ca_certificate,
        username=target.admin_username,
        password_sealed=fleet.sealer.seal(password, **destinations.place(new.id)),
    )
    async with fleet.registry.write() as session:
        asked = await migrations.request(session, new)
        await destinations.add(session, destination)
        await audit.record(
            session,
            caller.did(
                "migrate-out",
                model=model.uuid,
                controller=source.name,
                params={"migration-id": asked.id, "destination": outside.named(target)},
            ),
        )
    return asked
