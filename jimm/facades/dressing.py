"""Controllers' answers as JIMM's clients see them: JIMM's uuid, names, owners and users."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from jimm.access import rules
from jimm.facades.session import Session
from jimm.fleet import levels
from jimm.fleet.models import Shown
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
    info = dict(told) if told is not None else _remembered(session, model, shown.why)
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
    info.pop("cloud-credential-tag", None)
    if (credential := _credential_tag(session, model)) is not None:
        info["cloud-credential-tag"] = credential
    return info


def summary(session: Session, seen: Visible, *, away: str, provider: str) -> params_.ModelSummary:
    """A row of ``ListModelSummaries``, from the registry; ``away`` says why its controller is
    not there, if so; ``provider`` is the type of its cloud."""
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
        status=_status(model, away),
        user_access=levels.on_model(seen, session.caller),
        last_connection=None,
        counts=[
            params_.EntityCount(entity=entity, count=count)
            for entity, count in model.counts.items()
            if isinstance(count, int)
        ],
        migration=None
        if model.migration is None
        else convert(model.migration, params_.MigrationStatus),
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


def _status(model: Model, away: str) -> EntityStatus:
    if model.state is ModelState.UNMANAGED:
        return _unavailable(model, "its controller is not registered any more")
    if model.state is ModelState.MISSING:
        return _unavailable(model, "its controller does not have it any more")
    if away:
        return _unavailable(model, away)
    if model.state is ModelState.DESTROYING:
        return EntityStatus(status="destroying", info=model.status_info, since=_since(model))
    return EntityStatus(
        status=model.status or "available", info=model.status_info, since=_since(model)
    )


def _unavailable(model: Model, why: str) -> EntityStatus:
    return EntityStatus(status=UNAVAILABLE, info=why, since=_since(model))


def _since(model: Model) -> str:
    """Never null: the juju client fails on that (``juju models --exact-time``)."""
    return model.status_since or _written(model.facts_at or model.created_at)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _remembered(session: Session, model: Model, why: str) -> dict[str, object]:
    row = params_.ModelInfo(
        name=model.name,
        type=model.type or "iaas",
        uuid=model.uuid,
        controller_uuid=session.fleet.uuid,
        is_controller=False,
        cloud_tag=tags.cloud_tag(model.cloud),
        cloud_region=model.region,
        owner_tag=session.user_tag(model.owner),
        life=model.life or "alive",
        status=_status(model, why),
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
            last_connection=None,
            access=level,
        )
        for identity, level in access.items()
    ]


def _relations(held: tuple[Held, ...], subject: str) -> list[Relation]:
    return [each.relation for each in held if each.subject == subject]


def _credential_tag(session: Session, model: Model) -> str | None:
    if model.credential_owner is None or model.credential_name is None:
        return None
    return session.credential_tag(
        CredentialId(model.cloud, model.credential_owner, model.credential_name)
    )
