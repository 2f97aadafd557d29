"""Lists of models in Juju's records, thousands at a time.

What many rows have in common (owners, clouds, counts, a controller that is away) is made once
for a list; a row is a few look-ups and one record.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from jimm.facades.session import Session
from jimm.fleet import listings
from jimm.fleet.absence import Absence
from jimm.fleet.caller import Caller
from jimm.migration.reasons import redact_reason
from jimm.registry.listings import Listed
from jimm.registry.words import ModelState
from jimm.wire import tags
from jimm.wire.fold import convert
from jimm.wire.params import model_manager as params_
from jimm.wire.params.common import EntityStatus
from jimm.wire.tags import CredentialId

T = TypeVar("T")


def user_models(session: Session, found: Iterable[Listed]) -> params_.UserModelList:
    """``ListModels`` and ``AllModels``."""
    rows = _Rows(session, session.caller)
    return params_.UserModelList(user_models=[rows.user_model(each) for each in found])


def summaries(
    session: Session, found: Iterable[Listed], subject: Caller
) -> params_.ModelSummaryResults:
    """``ListModelSummaries``, as ``subject`` may see the models. There is never an error row:
    one would break a whole client."""
    rows = _Rows(session, subject)
    return params_.ModelSummaryResults(
        results=[params_.ModelSummaryResult(result=rows.summary(each)) for each in found]
    )


def connected(at: datetime | None) -> str | None:
    """A ``last-connection``; ``None`` for somebody who never was."""
    return None if at is None else written(at)


def written(at: datetime) -> str:
    """A time as Juju writes it."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def status(listed: Listed, absence: Absence | None) -> EntityStatus:
    """How a model is, as far as JIMM knows; ``absence`` tells why nobody can be asked."""
    since = listed.status_since or written(listed.facts_at or listed.created_at)
    if absence is not None:
        at = since if absence.since is None else written(absence.since)
        return EntityStatus(status=listings.UNAVAILABLE, info=absence.why, since=at)
    told = listed.status or "available"
    if listed.state == ModelState.DESTROYING:
        told = ModelState.DESTROYING.value
    info = redact_reason(listed.status_info) if listed.status_info else ""
    return EntityStatus(status=told, info=info, since=since)


def migration(listed: Listed) -> params_.MigrationStatus | None:
    """Juju's own record of the last attempt to move it; a reason may hold what is secret."""
    if listed.migration is None:
        return None
    record = convert(msgspec.json.decode(listed.migration), params_.MigrationStatus)
    return msgspec.structs.replace(record, status=redact_reason(record.status))


class _Rows:
    """Makes the rows of one list, as ``subject`` may see them."""

    def __init__(self, session: Session, subject: Caller) -> None:
        self._session = session
        self._subject = subject
        self._user_ids = _Once(session.user_id)
        self._user_tags = _Once(session.user_tag)
        self._cloud_tags = _Once(tags.cloud_tag)
        self._counts = _Once(_counts)
        self._credential_tags: dict[tuple[str, str | None, str | None], str] = {}

    def user_model(self, listed: Listed) -> params_.UserModel:
        return params_.UserModel(
            model=params_.Model(
                name=listed.name,
                uuid=listed.uuid,
                type=listed.type or "iaas",
                owner_tag=self._user_tags[listed.owner],
                qualifier=self._user_ids[listed.owner],
            ),
            last_connection=connected(listed.last_connection),
        )

    def summary(self, listed: Listed) -> params_.ModelSummary:
        return params_.ModelSummary(
            name=listed.name,
            uuid=listed.uuid,
            type=listed.type or "iaas",
            controller_uuid=self._session.fleet.uuid,
            is_controller=False,
            provider_type=listed.provider or "",
            cloud_tag=self._cloud_tags[listed.cloud],
            cloud_region=listed.region,
            cloud_credential_tag=self._credential_tag(listed),
            owner_tag=self._user_tags[listed.owner],
            qualifier=self._user_ids[listed.owner],
            life=listed.life or "alive",
            status=status(listed, listings.absence(listed)),
            user_access=listings.level(listed, self._subject),
            last_connection=connected(listed.last_connection),
            counts=self._counts[listed.counts],
            migration=migration(listed),
            sla=None,
            agent_version=listed.agent_version or None,
        )

    def _credential_tag(self, listed: Listed) -> str:
        if listed.credential_owner is None or listed.credential_name is None:
            return ""
        key = (listed.cloud, listed.credential_owner, listed.credential_name)
        made = self._credential_tags.get(key)
        if made is None:
            made = self._credential_tags[key] = self._session.credential_tag(CredentialId(*key))
        return made


class _Once(dict[str, T]):
    """Remembers what a function made of a text."""

    def __init__(self, make: Callable[[str], T]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: str) -> T:
        made = self[key] = self._make(key)
        return made


def _counts(told: str) -> list[params_.EntityCount]:
    return [
        params_.EntityCount(entity=entity, count=count)
        for entity, count in msgspec.json.decode(told, type=dict[str, object]).items()
        if isinstance(count, int)
    ]
