"""What controllers say of models, many at once."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from jimm.registry.session import WriteSession
from jimm.wire.tags import ModelUUID

_RECORD_FACTS: Final = text(
    """
    UPDATE models
    SET life = given.life,
        status = given.status,
        status_info = given.status_info,
        status_since = given.status_since,
        agent_version = coalesce(given.agent_version, models.agent_version),
        type = coalesce(given.type, models.type),
        counts = coalesce(given.counts, models.counts),
        migration = given.migration,
        state = CASE models.state WHEN 'missing' THEN 'live' ELSE models.state END,
        missing_since = NULL,
        facts_at = now()
    FROM jsonb_to_recordset(:facts) AS given (
        uuid uuid, life text, status text, status_info text, status_since text,
        agent_version text, type text, counts jsonb, migration jsonb
    )
    WHERE models.controller_id = :controller AND models.uuid = given.uuid
    RETURNING models.uuid::text
    """
).bindparams(bindparam("facts", type_=JSONB))


@dataclass(frozen=True)
class Facts:
    """What a controller says of one model. ``None`` keeps what was known, but for
    ``migration``: there ``None`` says that the controller shows none.
    """

    uuid: ModelUUID
    life: str
    status: str
    status_info: str
    status_since: str | None
    agent_version: str | None = None
    type: str | None = None
    counts: dict[str, int] | None = None
    migration: dict[str, object] | None = None


async def record(
    session: WriteSession, controller_id: int, facts: Iterable[Facts]
) -> list[ModelUUID]:
    """Stores what a controller said of its models, in one statement.

    Only models that JIMM has on that controller are changed; those that were missing are live
    again. Returns the uuids of the models that it found.
    """
    rows = [asdict(each) for each in facts]
    if not rows:
        return []
    found = await session.scalars(_RECORD_FACTS, {"controller": controller_id, "facts": rows})
    return [ModelUUID(uuid) for uuid in found]
