"""How a migration changes a model, on both sides, as values.

A model's mode, its status and its record change together or not at all: Juju writes them in one
transaction (``state/modelmigration.go``). :func:`fault_of` names what Juju can't have written.
"""

import datetime
import ipaddress

from msgspec.structs import replace

from jimm.simulator.migration.phases import Phase
from jimm.simulator.migration.record import CapturedUser, MigrationRecord, MinionReport, Target
from jimm.simulator.state import FormerModel, MigrationMode, Model, ModelUser, Status
from jimm.wire import tags
from jimm.wire.params.admin import HostPort, RedirectInfo


def started(
    model: Model, target: Target, now: datetime.datetime, *, own_id: str = "", hidden: bool = False
) -> Model:
    """The model with a new attempt in QUIESCE, its users captured for later redirects."""
    users = tuple(
        CapturedUser(user=name, access=entry.access) for name, entry in model.users.items()
    )
    record = MigrationRecord(
        model_uuid=model.uuid,
        attempt=model.migration_attempts,
        target=target,
        users=users,
        start=now,
        message_since=now,
        own_id=own_id,
        hidden=hidden,
    )
    started_model = replace(
        model, mode="exporting", migration=record, migration_attempts=model.migration_attempts + 1
    )
    return _busy(started_model, record)


def said(model: Model, message: str, now: datetime.datetime) -> Model:
    """The model with another status message of its attempt."""
    return _busy(model, record_of(model).saying(message, now))


def moved(model: Model, phase: Phase, now: datetime.datetime) -> Model:
    """The model with its attempt in another phase.

    ABORTDONE gives the model back: no mode, status ``available`` with the last message still
    in it. REAPFAILED ends the attempt and leaves the mode.

    Raises:
        IllegalPhaseChange: the table has no such move.
    """
    record = record_of(model).moved(phase, now)
    if phase is not Phase.ABORTDONE:
        return replace(model, migration=record)
    if record.hidden:
        return replace(model, mode="", migration=record)
    shown = Status(status="available", info=_info(record), since=now)
    return replace(model, mode="", migration=record, status=shown)


def reported(model: Model, report: MinionReport) -> Model:
    """The model with one more agent's report."""
    return replace(model, migration=record_of(model).reported(report))


def imported(model: Model, now: datetime.datetime) -> Model:
    """A model as the target holds it from the first write of ``Import`` on."""
    return replace(
        model,
        mode="importing",
        migration=None,
        status=Status(status="busy", info="importing", since=now),
    )


def activated(model: Model, now: datetime.datetime, *, agent_version: str = "") -> Model:
    """An imported model that lives on the target from now on; 4.0 gives it its own agents'
    version, all of them included."""
    alive = replace(model, mode="", status=Status(status="available", since=now))
    if not agent_version:
        return alive
    return replace(alive, agent_version=agent_version)


def departed(model: Model, now: datetime.datetime) -> FormerModel:
    """What the source keeps of a model that has gone: its names, its last record, and where
    those who had access are sent.

    Raises:
        ValueError: the model was not being exported.
    """
    record = record_of(model).moved(Phase.DONE, now)
    return FormerModel(
        uuid=model.uuid,
        name=model.name,
        owner=model.owner,
        users={each.user: ModelUser(access=each.access) for each in record.users},
        redirect=_redirect(record.target),
        moved=now,
        migration=_without_secrets(record),
    )


def record_of(model: Model) -> MigrationRecord:
    """The model's attempt.

    Raises:
        ValueError: there never was one.
    """
    if model.migration is None:
        raise ValueError(f"model {model.uuid} was never migrated from here")
    return model.migration


def fault_of(model: Model) -> str:
    """Why Juju can't have such a model, as far as migration goes; empty when it can."""
    record = model.migration
    active = record is not None and record.is_active
    if record is not None and record.model_uuid != model.uuid:
        return "the migration record is another model's"
    if record is not None and record.attempt >= model.migration_attempts:
        return "the attempt has not been counted"
    if record is not None and record.phase is Phase.DONE:
        return "the model has moved away and is still here"
    if record is not None and record.is_active == (record.end is not None):
        return "an attempt has an end when it is over, and only then"
    expected = _mode_for(model, record)
    if model.mode != expected:
        return f'migration mode is "{model.mode}" instead of "{expected}"'
    if active and model.is_controller:
        return "controllers can't be migrated"
    return ""


def _mode_for(model: Model, record: MigrationRecord | None) -> MigrationMode:
    if record is not None and (record.is_active or record.phase is Phase.REAPFAILED):
        return "exporting"
    return "importing" if model.mode == "importing" else ""


def _busy(model: Model, record: MigrationRecord) -> Model:
    if record.hidden:
        return replace(model, migration=record)
    shown = Status(status="busy", info=_info(record), since=record.message_since)
    return replace(model, migration=record, status=shown)


def _info(record: MigrationRecord) -> str:
    return f"migrating: {record.message}"


def _without_secrets(record: MigrationRecord) -> MigrationRecord:
    target = record.target
    bare = Target(
        controller_uuid=target.controller_uuid,
        controller_alias=target.controller_alias,
        addresses=target.addresses,
        ca_certificate=target.ca_certificate,
        user=target.user,
    )
    return replace(record, target=bare)


def _redirect(target: Target) -> RedirectInfo:
    return RedirectInfo(
        servers=[[_host_port(address) for address in target.addresses]],
        ca_cert=target.ca_certificate,
        controller_tag=tags.controller_tag(target.controller_uuid),
        controller_alias=target.controller_alias,
    )


def _host_port(address: str) -> HostPort:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return HostPort(value=host, type="hostname", scope="public", port=int(port))
    # Clients drop machine-local addresses, which is all that a test has.
    return HostPort(value=host, type=f"ipv{parsed.version}", scope="public", port=int(port))
