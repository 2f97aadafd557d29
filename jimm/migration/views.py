"""What one controller says of a model, asked over JIMM's own link."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from jimm.controllers.calls import model_manager
from jimm.controllers.link import Link
from jimm.errors import JimmError, ProtocolError, RemoteError
from jimm.fleet.fleet import Fleet
from jimm.migration.reasons import redact_reason
from jimm.migration.verdict import Absent, Attempt, Present, Silent, View
from jimm.registry.controllers import Controller
from jimm.wire import codes
from jimm.wire.fold import convert
from jimm.wire.params.common import EntityStatus, Params
from jimm.wire.params.model_manager import MigrationStatus
from jimm.wire.tags import ModelUUID

IMPORTING_TEXT: Final = "migration in progress, model is importing"
"""What Juju answers for a model that is being imported (``apiserver/restrict_migrating.go``)."""


class _Told(Params, kw_only=True):
    """The part of ``ModelInfo`` that says where the model is."""

    controller_uuid: str
    status: EntityStatus
    migration: MigrationStatus | None = None


async def look(fleet: Fleet, controller: Controller, model: ModelUUID) -> View:
    """What the controller says now; it may be away, and that is an answer too."""
    try:
        link = fleet.link(controller)
        told = convert(await model_manager.model_info_plain(link, model), _Told)
        if told.status.status == "suspended" and told.migration is None:
            return await _suspended(link, told, model)
        return _present(told)
    except RemoteError as error:
        return refused(controller, error)
    except JimmError as error:
        return Silent(redact_reason(str(error)))


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


def moment(text: str) -> datetime:
    """A time as Juju writes it (RFC 3339, up to nanoseconds).

    Raises:
        ProtocolError: it is none.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise ProtocolError(f'"{text}" is no time') from error
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def _present(told: _Told) -> Present:
    migration = told.migration
    attempt = None
    if migration is not None and migration.start:
        end = moment(migration.end) if migration.end else None
        attempt = Attempt(migration.status, moment(migration.start), end)
    status = told.status
    importing = (status.status, status.info) == ("busy", "importing")
    return Present(told.controller_uuid, importing=importing, attempt=attempt)


async def _suspended(link: Link, told: _Told, model: ModelUUID) -> View:
    """An invalid credential hides that a model is importing; only the listing tells, for it
    leaves such a model out."""
    listed = (await model_manager.list_model_summaries(link)).summaries
    importing = all(each.get("uuid") != model for each in listed)
    return Present(told.controller_uuid, importing=importing)
