"""What a controller says of its models, as the registry keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from jimm.errors import ProtocolError
from jimm.registry.facts import Facts
from jimm.registry.models import Model
from jimm.registry.words import GONE, ModelState
from jimm.wire import tags
from jimm.wire.fold import convert
from jimm.wire.params.common import EntityStatus, Params
from jimm.wire.params.model_manager import EntityCount, MigrationStatus
from jimm.wire.tags import ModelUUID


class _Told(Params, kw_only=True):
    """What a summary and an info have in common."""

    name: str
    uuid: str
    type: str
    is_controller: bool
    owner_tag: str
    life: str
    status: EntityStatus
    counts: list[EntityCount] | None = None
    migration: MigrationStatus | None = None
    agent_version: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A model that a controller has; ``owner`` is the user id there."""

    name: str
    owner: str
    is_controller: bool
    facts: Facts


def gone(model: Model) -> Facts:
    """Of a model that is being destroyed and that its controller no longer has."""
    return Facts(uuid=model.uuid, life=GONE, status="destroying", status_info="", status_since=None)


def read(told: Mapping[str, object]) -> Seen:
    """A row of ``ListModelSummaries``, or a ``ModelInfo``.

    Raises:
        ProtocolError: a value has another type than Juju's, or a name can't be: one such row
            would break ``juju models`` for everybody.
    """
    row = convert(told, _Told)
    if not tags.is_uuid(row.uuid) or not tags.is_model_name(row.name):
        raise ProtocolError(f'a model called "{row.name}" ({row.uuid}) cannot be')
    migration = row.migration
    return Seen(
        name=row.name,
        owner=row.owner_tag.removeprefix("user-"),
        is_controller=row.is_controller,
        facts=Facts(
            uuid=ModelUUID(row.uuid),
            life=row.life or "alive",
            status=row.status.status,
            status_info=row.status.info,
            status_since=row.status.since,
            agent_version=row.agent_version or None,
            type=row.type or None,
            counts=None if row.counts is None else {c.entity: c.count for c in row.counts},
            migration=None if migration is None else msgspec.to_builtins(migration),
        ),
    )


def seems_busy(model: Model) -> bool:
    """Whether its controller, when last heard of, was moving it: to another or from one."""
    attempt = model.migration
    return model.status == "busy" or (attempt is not None and not attempt.get("end"))


def lost(state: str) -> str:
    """Why no controller has a model in that state, as far as JIMM knows; empty where one has."""
    if state == ModelState.UNMANAGED:
        return "its controller is not registered any more"
    if state == ModelState.MISSING:
        return "its controller does not have it any more"
    return ""
