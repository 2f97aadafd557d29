"""``Controller.InitiateMigration`` (Juju ``apiserver/facades/client/controller``): all checks
and the first call to the target happen before it answers."""

import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import Final, TypeVar
from uuid import uuid4 as random_uuid

import msgspec

from jimm.errors import JimmError, NotValid, RemoteError
from jimm.simulator.core import Core
from jimm.simulator.migration import calls, lifecycle, outbound, prechecks
from jimm.simulator.migration.faults import INITIATE, INITIATED, pass_point
from jimm.simulator.migration.outbound import Outbound
from jimm.simulator.migration.prechecks import Problem
from jimm.simulator.migration.prechecks_of_four import (
    ENVELOPES_SINCE,
    TOO_OLD_FOR_PASSWORDS,
    TOO_OLD_FOR_THE_FORMAT,
)
from jimm.simulator.migration.record import Target
from jimm.simulator.migration.refusal import Refused, refuse
from jimm.simulator.migration.versions import Version
from jimm.simulator.migration.worker import start
from jimm.simulator.session import Session
from jimm.simulator.state import Model
from jimm.wire import codes, tags
from jimm.wire.params.common import Error, StringResult
from jimm.wire.params.controller import (
    InitiateMigration,
    InitiateMigrationResult,
    InitiateMigrationResults,
    MigrationSpec,
    MigrationTargetInfo,
)
from jimm.wire.params.user_manager import UserInfoRequest, UserInfoResults
from jimm.wire.secret import Secret
from jimm.wire.tags import ModelUUID

log = logging.getLogger(__name__)

T = TypeVar("T")

TOO_OLD: Final = "controller API version is too old"


async def initiate(
    core: Core, session: Session, params: InitiateMigration
) -> InitiateMigrationResults:
    """One row for each spec: checks it, and starts the migration unless it is a dry run.

    A controller older than 3.6.13 does not know dry runs and starts. The caller's socket may
    be lost meanwhile; nothing here depends on it.

    Raises:
        Unauthorized: the caller is no superuser.
        AccessRequired: the same for a login by token.
    """
    session.caller.require_superuser(core)
    knows_dry_runs = Version.parse(core.store.controller.version) >= prechecks.DRY_RUN_SINCE
    dry_run = params.dry_run and knows_dry_runs
    rows = [await _row(core, spec, dry_run=dry_run) for spec in params.specs]
    return InitiateMigrationResults(results=rows)


async def _row(core: Core, spec: MigrationSpec, *, dry_run: bool) -> InitiateMigrationResult:
    try:
        migration_id = await _initiate(core, spec, dry_run=dry_run)
    except JimmError as error:
        log.info("migration of %s refused: %s", spec.model_tag, error)
        row_error = Error.of(error)
        return InitiateMigrationResult(model_tag=spec.model_tag, error=row_error, migration_id="")
    return InitiateMigrationResult(model_tag=spec.model_tag, migration_id=migration_id)


async def _initiate(core: Core, spec: MigrationSpec, *, dry_run: bool) -> str:
    uuid = _parsed("model tag", tags.parse_model_tag, spec.model_tag)
    await pass_point(core, INITIATE, uuid)
    _find(core, uuid)
    target = _target(spec.target_info)
    target = await _check(core, uuid, target)
    if dry_run:
        return ""
    model = _creatable(core, _find(core, uuid), target)
    own_id = str(random_uuid()) if core.release.is_four else ""
    model = lifecycle.started(
        model, target, core.clock.now(), own_id=own_id, hidden=core.release.is_four
    )
    core.store.put(model)
    start(core, uuid)
    await pass_point(core, INITIATED, uuid)
    return lifecycle.record_of(model).migration_id


def _creatable(core: Core, model: Model, target: Target) -> Model:
    is_active = model.migration is not None and model.migration.is_active
    if core.release.is_four and is_active:
        text = "already has an active migration: model already has an active migration"
        raise Refused(Problem(f'model "{model.uuid}" {text}'))
    problem = prechecks.creation_problem(
        model,
        controller=core.store.controller,
        target_uuid=target.controller_uuid,
        addresses=target.addresses,
        secret=bool(target.password or target.macaroons or target.token),
    )
    refuse(problem)
    return model


async def _check(core: Core, uuid: ModelUUID, target: Target) -> Target:
    """The prechecks of both sides; gives the target with its CA filled in."""
    try:
        calls.check_source(core, _find(core, uuid))
    except Refused as refused:
        raise _prefixed("source prechecks failed: ", refused) from refused
    version = core.store.controller.version
    try:
        connection = await outbound.connect(target, core.clock, version)
    except (JimmError, OSError) as error:
        raise _prefixed("connect to target controller: ", error) from error
    async with aclosing(connection):
        if not target.skip_user_checks:
            await _check_users(core, _find(core, uuid), connection)
        if not connection.version(calls.FACADE):
            raise Refused(Problem(TOO_OLD))
        target = await _with_ca(target, connection)
        if core.release.is_four:
            return await _harvested(target, connection)
        try:
            model = _find(core, uuid)
            await calls.check_target(core, model, connection, controller_version=version)
        except (JimmError, OSError) as error:
            raise _prefixed("target prechecks failed: ", error) from error
    return target


async def _harvested(target: Target, connection: Outbound) -> Target:
    """The target with a macaroon in place of the password: all that 4.0 asks it beforehand is
    whether it takes in models of this format."""
    version = connection.version(calls.FACADE)
    has_other = bool(target.macaroons or target.token)
    if not has_other and version < ENVELOPES_SINCE:
        raise Refused(Problem(TOO_OLD_FOR_PASSWORDS))
    if version < ENVELOPES_SINCE:
        raise Refused(Problem(f"target prechecks failed: {TOO_OLD_FOR_THE_FORMAT}"))
    if has_other:
        return target
    try:
        harvested = Secret(await calls.harvest(connection))
    except (JimmError, OSError) as error:
        raise _prefixed("cannot obtain migration macaroon from target: ", error) from error
    return msgspec.structs.replace(target, macaroons=harvested, password=Secret(""))


async def _check_users(core: Core, model: Model, connection: Outbound) -> None:
    here = there = ""
    if any("@" in user for user in model.users):
        here = calls.identity_url(core.store.controller)
        found = await connection.call("Controller", "IdentityProviderURL", None, StringResult)
        there = found.result
    everybody = UserInfoRequest(entities=[], include_disabled=True)
    infos = await connection.call("UserManager", "UserInfo", everybody, UserInfoResults)
    problem = prechecks.users_problem(
        model.users,
        target_users=[row.result.username for row in infos.results if row.result is not None],
        source_identity_url=here,
        target_identity_url=there,
    )
    refuse(problem)


async def _with_ca(target: Target, connection: Outbound) -> Target:
    if target.ca_certificate:
        return target
    try:
        ca_certificate = await calls.ca_certificate(connection)
    except (JimmError, OSError) as error:
        raise _prefixed("cannot retrieve CA certificate: ", error) from error
    return msgspec.structs.replace(target, ca_certificate=ca_certificate)


def _target(info: MigrationTargetInfo) -> Target:
    controller_uuid = _parsed("controller tag", tags.parse_controller_tag, info.controller_tag)
    user = _parsed("auth tag", tags.parse_user_tag, info.auth_tag)
    if info.macaroons:
        try:
            msgspec.json.decode(info.macaroons, type=list[object])
        except msgspec.DecodeError as error:
            raise Refused(Problem(f"invalid macaroons: {error}")) from error
    return Target(
        controller_uuid=controller_uuid,
        controller_alias=info.controller_alias,
        addresses=tuple(info.addrs),
        ca_certificate=info.ca_cert,
        user=user,
        password=Secret(info.password),
        macaroons=Secret(info.macaroons),
        token=Secret(info.token),
        skip_user_checks=info.skip_user_checks,
    )


def _find(core: Core, uuid: ModelUUID) -> Model:
    model = core.store.models.get(uuid)
    if model is None:
        text = f'model "{uuid}" not found' if core.release.is_four else "model not found"
        raise Refused(Problem(text, codes.NOT_FOUND))
    return model


def _parsed(what: str, parse: Callable[[str], T], tag: str) -> T:
    try:
        return parse(tag)
    except NotValid as error:
        raise Refused(Problem(f"{what}: {error}")) from error


def _prefixed(prefix: str, error: Exception) -> Refused:
    code = error.juju_code if isinstance(error, Refused | RemoteError) else ""
    return Refused(Problem(f"{prefix}{error}", code))
