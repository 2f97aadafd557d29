"""What one controller says of a model, asked over JIMM's own link."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from jimm.controllers import deadlines
from jimm.controllers.calls import model_manager
from jimm.controllers.link import Link
from jimm.errors import JimmError, ProtocolError, RemoteError
from jimm.fleet.fleet import Fleet, endpoint
from jimm.migration.reasons import redact_reason
from jimm.migration.verdict import Absent, Attempt, Present, Silent, View, moment
from jimm.registry.controllers import Controller
from jimm.registry.words import Trust
from jimm.wire import codes
from jimm.wire.fold import convert
from jimm.wire.params.common import EntityStatus, Error, Params
from jimm.wire.params.model_manager import MigrationStatus
from jimm.wire.tags import ModelUUID

IMPORTING_TEXT: Final = "migration in progress, model is importing"
"""What Juju answers for a model that is being imported (``apiserver/restrict_migrating.go``)."""


EXPORTING_TEXT: Final = "model migration in progress"
"""What Juju answers whoever logged in to a model that is being exported
(``rpc/params/apierror.go``)."""

_IMPORTING: Final = frozenset({"importing", "the model is being migrated"})
"""Of a status that is busy: 3.6, and 4.0 (``domain/model/service``), which says nothing else of
an import, nor anything of an export."""

_LET_GO: Final = frozenset({codes.REDIRECT, codes.MODEL_NOT_FOUND, codes.NOT_FOUND})


class _Told(Params, kw_only=True):
    """The part of ``ModelInfo`` that says where the model is."""

    controller_uuid: str
    status: EntityStatus
    migration: MigrationStatus | None = None


async def look(fleet: Fleet, controller: Controller, model: ModelUUID) -> View:
    """What the controller says now; it may be away, and that is an answer too. An opaque one
    (Juju 4.0) says nothing of an export: see :func:`ask_closely`."""
    return (await look_at_all(fleet, controller, [model]))[0]


async def look_at_all(
    fleet: Fleet, controller: Controller, models: Sequence[ModelUUID]
) -> list[View]:
    """As :func:`look` at several models in one call: a view of each, in order."""
    try:
        link = fleet.link(controller)
        told = [_read(controller, row) for row in await model_manager.model_info_rows(link, models)]
        if any(isinstance(each, _Told) for each in told):
            return await _uncovered(link, models, told)
    except RemoteError as error:
        return [refused(controller, error)] * len(models)
    except JimmError as error:
        return [Silent(redact_reason(str(error)))] * len(models)
    return [each for each in told if not isinstance(each, _Told)]


async def ask_closely(fleet: Fleet, controller: Controller, model: ModelUUID, seen: View) -> View:
    """A view of an opaque source, and whether it is exporting the model, where that can be told.

    Juju 4.0 lets a user who logs in to a model that is being exported do next to nothing
    (``apiserver/restrict_migrations.go``), and a login by token everything.
    """
    if not isinstance(seen, Present) or seen.importing or controller.trust is Trust.TOKEN:
        return seen
    try:
        login = await fleet.trust.admin_login(controller)
        async with fleet.pool.as_user(endpoint(controller), login, model=model) as link:
            await link.call_plain(
                "ModelConfig", "ModelGet", None, versions=(3, 4), deadline=deadlines.READ
            )
    except RemoteError as error:
        if error.juju_code in _LET_GO:
            return Absent(error.juju_code)
        return replace(seen, exporting=True) if str(error) == EXPORTING_TEXT else seen
    except JimmError:
        return seen
    return replace(seen, exporting=False)


def read(info: Mapping[str, object]) -> Present:
    """A ``ModelInfo`` as a view.

    Raises:
        ProtocolError: it has another shape.
    """
    return _present(convert(info, _Told))


def refused(controller: Controller, error: RemoteError) -> View:
    """What a refusal to show the model says."""
    if str(error).endswith(IMPORTING_TEXT):
        return Present(controller.uuid, importing=True)
    if error.juju_code in codes.GONE:
        return Absent(error.juju_code)
    return Silent(redact_reason(str(error)))


def _present(told: _Told) -> Present:
    migration, status = told.migration, told.status
    importing = status.status == "busy" and status.info in _IMPORTING
    attempt = None
    if migration is not None and migration.start and not importing:
        end = moment(migration.end) if migration.end else None
        attempt = Attempt(migration.status, moment(migration.start), end)
    return Present(told.controller_uuid, importing=importing, attempt=attempt)


def _read(controller: Controller, row: Mapping[str, object]) -> View | _Told:
    """What a row says; as it was told, where an invalid credential hides whether the model is
    importing."""
    try:
        if row.get("error"):
            return refused(controller, convert(row["error"], Error).raised())
        told = convert(row.get("result"), _Told)
        hidden = told.status.status == "suspended" and told.migration is None
        return told if hidden else _present(told)
    except ProtocolError as error:
        return Silent(redact_reason(str(error)))


async def _uncovered(
    link: Link, models: Sequence[ModelUUID], told: Sequence[View | _Told]
) -> list[View]:
    """Only the listing tells which are importing, for it leaves such a model out."""
    rows = (await model_manager.list_model_summaries(link)).summaries
    listed = {each.get("uuid") for each in rows}
    return [
        Present(each.controller_uuid, importing=model not in listed)
        if isinstance(each, _Told)
        else each
        for model, each in zip(models, told, strict=True)
    ]
