"""Controllers' answers as JIMM's clients see them: JIMM's uuid, names, owners and users."""

from collections.abc import Mapping

import msgspec

from jimm.access import rules
from jimm.facades.listed import connected, migration, status
from jimm.facades.session import Session
from jimm.fleet import levels
from jimm.fleet.infos import Shown
from jimm.migration.reasons import redact_reason
from jimm.registry.listings import Listed
from jimm.registry.models import Visible
from jimm.registry.words import EVERYONE, ObjectKind, Relation
from jimm.wire import tags
from jimm.wire.params import model_manager as params_
from jimm.wire.params.common import Error
from jimm.wire.tags import CredentialId


def model_info(
    session: Session, shown: Shown, answer: Mapping[str, object] | None = None
) -> dict[str, object]:
    """A ``ModelInfo``: the controller's own, unknown keys and all, with JIMM in its place.

    ``answer`` is used where the controller was asked already. While it is away, what it last
    said is told, with status ``unavailable``.
    """
    model = shown.model
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
        part = _plain(info.get(key))
        if isinstance(part, dict) and isinstance(part.get(text), str):
            info[key] = part | {text: redact_reason(part[text])}
    info.pop("cloud-credential-tag", None)
    if (credential := _credential_tag(session, model)) is not None:
        info["cloud-credential-tag"] = credential
    return info


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


def _plain(value: object) -> object:
    """A controller's value, read if it is still JSON."""
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value


def _remembered(session: Session, shown: Shown) -> dict[str, object]:
    model = shown.model
    row = params_.ModelInfo(
        name=model.name,
        type=model.type or "iaas",
        uuid=model.uuid,
        controller_uuid=session.fleet.uuid,
        is_controller=False,
        provider_type=model.provider or "",
        cloud_tag=tags.cloud_tag(model.cloud),
        cloud_region=model.region,
        cloud_credential_validity=_validity(model),
        owner_tag=session.user_tag(model.owner),
        life=model.life or "alive",
        status=status(model, shown.absence),
        migration=migration(model),
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
    model = shown.model
    access = {model.owner: levels.ADMIN}
    for subject in sorted(shown.people.keys() - {model.owner, EVERYONE}):
        relations = [Relation(each) for each in shown.people[subject]]
        if level := rules.level(ObjectKind.MODEL, relations):
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


def _validity(model: Listed) -> bool | None:
    """A credential counts as valid until a controller has said otherwise."""
    if model.credential_name is None:
        return None
    return model.credential_valid is not False


def _credential_tag(session: Session, model: Listed) -> str | None:
    if model.credential_owner is None or model.credential_name is None:
        return None
    return session.credential_tag(
        CredentialId(model.cloud, model.credential_owner, model.credential_name)
    )
