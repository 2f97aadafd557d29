"""Controllers' answers as JIMM's clients see them: JIMM's uuid, names, owners and users."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from jimm.access import rules
from jimm.facades.session import Session
from jimm.fleet import levels
from jimm.fleet.caller import Caller
from jimm.fleet.facts import lost
from jimm.fleet.models import Absence, Shown
from jimm.migration.reasons import redact_reason
from jimm.registry.models import Model, Visible
from jimm.registry.relations import Held
from jimm.registry.words import EVERYONE, ModelState, ObjectKind, Relation
from jimm.wire import tags
from jimm.wire.fold import convert
from jimm.wire.params import model_manager as params_
from jimm.wire.params.common import EntityStatus, Error
from jimm.wire.tags import CredentialId

UNAVAILABLE: Final = "unavailable"
"""The status of a model whose controller is away, or that its controller lost."""


def model_info(
    session: Session, shown: Shown, answer: Mapping[str, object] | None = None
) -> dict[str, object]:
    """A ``ModelInfo``: the controller's own, unknown keys and all, with JIMM in its place.

    ``answer`` is used where the controller was asked already. While it is away, what it last
    said is told, with status ``unavailable``.
    """
    model = shown.seen.model
    told = answer or shown.info
    info = dict(told) if told is not None else _remembered(session, shown)
    info |= {
        "name": model.name,
        "uuid": model.uuid,
        "controller-uuid": session.fleet.uuid,
        "is-controller": False,
        "owner-tag": session.user_tag(model.owner),
        "qualifier": session.user_id(model.owner),
        "cloud-tag": tags.cloud_tag(model.cloud),
        "users": _users(session, shown),
    }
    for key, text in (("status", "info"), ("migration", "status")):
        if isinstance(part := info.get(key), dict) and isinstance(part.get(text), str):
            info[key] = part | {text: redact_reason(part[text])}
    info.pop("cloud-credential-tag", None)
    if (credential := _credential_tag(session, model)) is not None:
        info["cloud-credential-tag"] = credential
    return info


def summary(
    session: Session, seen: Visible, subject: Caller, *, absence: Absence | None, provider: str
) -> params_.ModelSummary:
    """A row of ``ListModelSummaries``, from the registry, as ``subject`` may see it; ``absence``
    says why its controller is not there, if so; ``provider`` is the type of its cloud."""
    model = seen.model
    return params_.ModelSummary(
        name=model.name,
        uuid=model.uuid,
        type=model.type or "iaas",
        controller_uuid=session.fleet.uuid,
        is_controller=False,
        provider_type=provider,
        cloud_tag=tags.cloud_tag(model.cloud),
        cloud_region=model.region,
        cloud_credential_tag=_credential_tag(session, model) or "",
        owner_tag=session.user_tag(model.owner),
        qualifier=session.user_id(model.owner),
        life=model.life or "alive",
        status=_status(model, absence),
        user_access=levels.on_model(seen, subject),
        last_connection=connected(seen.last_connection),
        counts=[
            params_.EntityCount(entity=entity, count=count)
            for entity, count in model.counts.items()
            if isinstance(count, int)
        ],
        migration=_migration(model),
        sla=None,
        agent_version=model.agent_version or None,
    )


def model_status(session: Session, seen: Visible, told: params_.ModelStatus) -> params_.ModelStatus:
    """A row of ``ModelStatus``."""
    return msgspec.structs.replace(
        told,
        owner_tag=session.user_tag(seen.model.owner),
        qualifier=session.user_id(seen.model.owner),
    )


def failed_status(tag: str, error: Error) -> params_.ModelStatus:
    """A row of ``ModelStatus`` with an error."""
    return params_.ModelStatus(
        model_tag=tag,
        life="",
        type="",
        hosted_machine_count=0,
        application_count=0,
        unit_count=0,
        owner_tag="",
        error=error,
    )


def connected(at: datetime | None) -> str | None:
    """A ``last-connection``; ``None`` for somebody who never was."""
    return None if at is None else _written(at)


def _status(model: Model, absence: Absence | None) -> EntityStatus:
    if why := lost(model):
        return _unavailable(model, Absence(why, model.missing_since))
    if absence is not None:
        return _unavailable(model, absence)
    if model.state is ModelState.DESTROYING:
        return EntityStatus(status="destroying", info=model.status_info, since=_since(model))
    return EntityStatus(
        status=model.status or "available",
        info=redact_reason(model.status_info),
        since=_since(model),
    )


def _migration(model: Model) -> params_.MigrationStatus | None:
    """Juju's own record of the last attempt to move it; a reason may hold what is secret."""
    if model.migration is None:
        return None
    record = convert(model.migration, params_.MigrationStatus)
    return msgspec.structs.replace(record, status=redact_reason(record.status))


def _unavailable(model: Model, absence: Absence) -> EntityStatus:
    since = _since(model) if absence.since is None else _written(absence.since)
    return EntityStatus(status=UNAVAILABLE, info=absence.why, since=since)


def _since(model: Model) -> str:
    """Never null: the juju client fails on that (``juju models --exact-time``)."""
    return model.status_since or _written(model.facts_at or model.created_at)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _remembered(session: Session, shown: Shown) -> dict[str, object]:
    model = shown.seen.model
    row = params_.ModelInfo(
        name=model.name,
        type=model.type or "iaas",
        uuid=model.uuid,
        controller_uuid=session.fleet.uuid,
        is_controller=False,
        provider_type=shown.provider,
        cloud_tag=tags.cloud_tag(model.cloud),
        cloud_region=model.region,
        cloud_credential_validity=_validity(model),
        owner_tag=session.user_tag(model.owner),
        life=model.life or "alive",
        status=_status(model, shown.absence),
        migration=_migration(model),
        users=[],
        machines=[],
        secret_backends=[],
        sla=None,
        agent_version=model.agent_version or None,
    )
    plain = msgspec.to_builtins(row)
    return dict(plain) if isinstance(plain, dict) else {}


def _users(session: Session, shown: Shown) -> list[params_.UserModelInfo]:
    """All users for the model's administrators, oneself for others; as Juju tells them."""
    model = shown.seen.model
    access = {model.owner: levels.ADMIN}
    for subject in sorted({each.subject for each in shown.held} - {model.owner, EVERYONE}):
        if level := rules.level(ObjectKind.MODEL, _relations(shown.held, subject)):
            access[subject] = level
    if shown.level != levels.ADMIN:
        own = session.caller.identity
        access = {own: access.get(own, shown.level)}
    return [
        params_.UserModelInfo(
            model_tag=tags.model_tag(model.uuid),
            user=session.user_id(identity),
            display_name="",
            last_connection=connected(shown.connections.get(identity)),
            access=level,
        )
        for identity, level in access.items()
    ]


def _relations(held: tuple[Held, ...], subject: str) -> list[Relation]:
    return [each.relation for each in held if each.subject == subject]


def _validity(model: Model) -> bool | None:
    """A credential counts as valid until a controller has said otherwise."""
    if model.credential_id is None:
        return None
    return model.credential_valid is not False


def _credential_tag(session: Session, model: Model) -> str | None:
    if model.credential_owner is None or model.credential_name is None:
        return None
    return session.credential_tag(
        CredentialId(model.cloud, model.credential_owner, model.credential_name)
    )
