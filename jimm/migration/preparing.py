"""What ``--prepare`` makes right on a target, and takes back if the migration fails.

Users of the model that are missing there become *placeholders*: disabled, with a password that
nobody knows, marked by their display name. A credential that differs from the one that JIMM
keeps is given the newest revision, as by any other update. A secret backend is added under the
id and with the settings that it has on the source.

Whatever is made is written down before, so that after a crash another worker finds it; whatever
is there already stays as it is. An entry of ``prepared`` is ``{"kind", "name"}``, with an ``id``
where names may change, with ``kept`` for what can't be taken back, and ``undone`` once it was.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from jimm import audit
from jimm.controllers.calls import secret_backends as backend_calls
from jimm.controllers.calls import user_manager
from jimm.controllers.link import Link
from jimm.errors import (
    Conflict,
    ControllerUnavailable,
    JimmError,
    LostAnswer,
    RemoteError,
    WrongController,
)
from jimm.fleet.caller import Caller
from jimm.migration import credential_pushes, facts, outside, prechecks
from jimm.migration.facts import SourceFacts, TargetFacts
from jimm.migration.operation import Operation
from jimm.migration.prechecks import users as user_checks
from jimm.migration.reasons import redact_reason
from jimm.migration.verdict import Present
from jimm.registry import migrations
from jimm.registry.migrations import Step
from jimm.wire import codes
from jimm.wire.params.secret_backends import AddSecretBackend, SecretBackendResult
from jimm.wire.secret import Secret

log = logging.getLogger(__name__)

MARK: Final = "placeholder made by JIMM"
"""The display name of a user that stands on a target for one of the source."""

USER: Final = "user"
CREDENTIAL: Final = "credential"
BACKEND: Final = "secret-backend"

Entry = dict[str, object]


async def prepare(operation: Operation) -> None:
    """Makes what can be made right; the same again changes nothing. A migration that did not
    ask for it is left alone.

    Raises:
        ControllerUnavailable, LostAnswer, WrongController: a controller is away.
        Conflict: something can't be made; the text begins ``cannot prepare``.
    """
    if not operation.migration.prepare:
        return
    source, target = await facts.of_both(
        operation.fleet,
        await operation.model(),
        operation.source,
        operation.target,
        migrating=False,
    )
    if not isinstance(source.view, Present):
        raise ControllerUnavailable(f"{operation.source.name} does not show the model")
    await _prepare_users(operation, source, target)
    await _prepare_credential(operation, source, target)
    await _prepare_backends(operation, source, target)


async def undo(operation: Operation) -> None:
    """Takes back what was made, the last first. What is in use by now stays, and so does what
    another migration towards the target relies on; what can't be taken back is logged."""
    for entry in reversed(operation.migration.prepared):
        if entry.get("undone") or entry.get("kept"):
            continue
        kind, name = str(entry["kind"]), str(entry["name"])
        try:
            if await _relied_on(operation, entry, after=True):
                continue
            is_gone = await _UNDOING[kind](operation.fleet.link(operation.target), entry)
        except JimmError as error:
            said = redact_reason(str(error))
            on = operation.target.name
            log.warning("could not remove %s %s from %s: %s", kind, name, on, said)
            continue
        if is_gone:
            await _note(operation, {**entry, "undone": True}, instead_of=entry)
            await _leave_trail(operation, "undo-preparation", entry)


async def _prepare_users(operation: Operation, source: SourceFacts, target: TargetFacts) -> None:
    model, there = source.model, target.controller.users
    if operation.target.is_outside:
        model = outside.unaided(model)
    if there is None:
        raise ControllerUnavailable(f"{operation.target.name} does not tell its users")
    wanted = user_checks.local(model) - model.made
    for name in sorted(wanted):
        entry: Entry = {"kind": USER, "name": name}
        ours = entry in operation.migration.prepared
        if not ours and name in there and not await _relied_on(operation, entry):
            continue
        await _note(operation, entry)
        await _made(operation, entry, _make_placeholder(operation, name))
        if not ours:
            await _leave_trail(operation, "prepare-migration", entry)


async def _make_placeholder(operation: Operation, name: str) -> None:
    link = operation.fleet.link(operation.target)
    forgotten = Secret(secrets.token_urlsafe(32))
    try:
        await user_manager.add_user(link, name, forgotten, display_name=MARK)
    except RemoteError as error:
        if error.juju_code != codes.ALREADY_EXISTS and "already exists" not in str(error):
            raise
        if (await user_manager.user_info(link, name)).display_name != MARK:
            return  # somebody else was faster, and theirs will do
    await user_manager.disable_user(link, name)


async def _prepare_credential(
    operation: Operation, source: SourceFacts, target: TargetFacts
) -> None:
    """Only one that is there and differs: one that is not comes along with the model."""
    model = outside.unaided(source.model) if operation.target.is_outside else source.model
    found = prechecks.check(model, source.controller, target.controller)
    wrong = [each for each in found if each.mendable and each.code.startswith("credential-")]
    held = source.credential
    if not wrong or held is None:
        return
    entry: Entry = {"kind": CREDENTIAL, "name": str(held.id), "kept": True}
    ours = entry in operation.migration.prepared
    await _note(operation, entry)
    given = credential_pushes.push(operation.fleet, operation.target, held)
    await _made(operation, entry, given)
    if not ours:
        await _leave_trail(operation, "prepare-migration", entry)


async def _prepare_backends(operation: Operation, source: SourceFacts, target: TargetFacts) -> None:
    there = target.controller.backends
    missing = set() if there is None else source.model.backends.keys() - there
    for backend_id in sorted(missing):
        name = source.model.backends[backend_id]
        entry: Entry = {"kind": BACKEND, "name": name, "id": backend_id}
        backend = await _read_backend(operation, entry)
        ours = entry in operation.migration.prepared
        await _note(operation, entry)
        link = operation.fleet.link(operation.target)
        await _made(operation, entry, backend_calls.add_backend(link, backend))
        if not ours:
            await _leave_trail(operation, "prepare-migration", entry)


async def _read_backend(operation: Operation, entry: Entry) -> AddSecretBackend:
    """The backend as the source has it, keys included, for a target that has the name free."""
    name = str(entry["name"])
    link = operation.fleet.link(operation.target)
    taken = {each.result.name for each in await backend_calls.secret_backends(link)}
    if name in taken:
        raise _cannot(entry, "the target has another one of that name")
    try:
        link = operation.fleet.link(operation.source)
        rows = await backend_calls.revealed_backends(link, [name])
    except RemoteError as error:
        raise _cannot(entry, "the source does not show its settings") from error
    found = next((each for each in rows if each.id == entry["id"]), None)
    if found is None or not found.result.config:
        raise _cannot(entry, "the source does not show its settings")
    return _same(found)


def _same(found: SecretBackendResult) -> AddSecretBackend:
    return AddSecretBackend(
        id=found.id,
        name=found.result.name,
        backend_type=found.result.backend_type,
        token_rotate_interval=found.result.token_rotate_interval,
        config=found.result.config,
    )


async def _made(operation: Operation, entry: Entry, making: Awaitable[None]) -> None:
    try:
        await making
    except (ControllerUnavailable, LostAnswer, WrongController):
        raise
    except JimmError as error:
        raise _cannot(entry, redact_reason(str(error))) from error


def _cannot(entry: Entry, why: str) -> Conflict:
    kind = str(entry["kind"]).replace("-", " ")
    return Conflict(f'cannot prepare {kind} "{entry["name"]}": {why}')


async def _note(operation: Operation, entry: Entry, *, instead_of: Entry | None = None) -> None:
    """Writes an entry down, once."""
    before = operation.migration.prepared
    if entry in before:
        return
    after = tuple(entry if each == instead_of else each for each in before)
    await operation.apply(Step(prepared=after if instead_of is not None else (*before, entry)))


async def _relied_on(operation: Operation, entry: Entry, *, after: bool = False) -> bool:
    """Whether another migration towards the target has the same written down, and is under way;
    with ``after`` also one that is done."""
    wanted = {"kind": entry["kind"], "name": entry["name"]}
    async with operation.fleet.registry.read() as session:
        return await migrations.is_prepared_by_another(
            session, operation.migration, wanted, after=after
        )


async def _leave_trail(operation: Operation, action: str, entry: Mapping[str, object]) -> None:
    migration = operation.migration
    did = Caller(migration.requested_by, admin=True, door="jimm").did(
        action,
        model=migration.model_uuid,
        controller=operation.target.name,
        params={"migration-id": migration.id, "kind": entry["kind"], "name": entry["name"]},
    )
    async with operation.fleet.registry.write() as session:
        await audit.record(session, did)


async def _remove_placeholder(link: Link, entry: Entry) -> bool:
    name = str(entry["name"])
    try:
        found = await user_manager.user_info(link, name)
    except RemoteError as error:
        if error.juju_code in (codes.NOT_FOUND, codes.USER_NOT_FOUND):
            return True
        raise
    if found.display_name != MARK or not found.disabled or found.last_connection:
        return False  # somebody has taken it over
    await user_manager.remove_user(link, name)
    return True


async def _remove_backend(link: Link, entry: Entry) -> bool:
    for each in await backend_calls.secret_backends(link):
        if each.id == entry["id"]:
            await backend_calls.remove_backend(link, each.result.name)
    return True


_UNDOING: Final[Mapping[str, Callable[[Link, Entry], Awaitable[bool]]]] = {
    USER: _remove_placeholder,
    BACKEND: _remove_backend,
}
"""How each kind is taken back; whether it is gone."""
