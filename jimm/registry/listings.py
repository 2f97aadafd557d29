"""Models as a list shows them: one statement, whose work follows the length of the list.

What somebody may see is found from their own relations and from what they own, by index; no
other model is looked at. Rows stay plain tuples: a list of thousands is mostly their making.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import TextClause, text

from jimm.registry.session import ReadSession
from jimm.registry.words import EVERYONE
from jimm.wire.tags import ControllerUUID, ModelUUID


class Listed(NamedTuple):
    """A model in a list.

    ``counts`` and ``migration`` are JSON texts: most are never read. ``provider`` is the type of
    the cloud; ``away_since`` tells since when the controller is not there (``None``: it is
    there, or there is none); ``credential_valid`` is ``None`` where nobody has said. ``held``
    are the relations of the asker, and of everyone, with blanks between them, for somebody who
    does not see the model as an administrator.
    """

    uuid: ModelUUID
    name: str
    owner: str
    controller_name: str | None
    controller_uuid: ControllerUUID | None
    away_since: datetime | None
    cloud: str
    provider: str | None
    region: str
    credential_owner: str | None
    credential_name: str | None
    credential_valid: bool | None
    type: str
    state: str
    life: str
    status: str
    status_info: str
    status_since: str | None
    agent_version: str
    counts: str
    migration: str | None
    facts_at: datetime | None
    created_at: datetime
    missing_since: datetime | None
    last_connection: datetime | None
    held: str | None


_COLUMNS: Final = """
    CAST(models.uuid AS text), models.name, owners.name, controllers.name,
    CAST(controllers.uuid AS text),
    CASE WHEN controllers.status <> 'available' THEN controllers.status_since END,
    models.cloud, clouds.type, models.region, lenders.name, credentials.name,
    credentials.valid, models.type,
    models.state, models.life, models.status, models.status_info, models.status_since,
    models.agent_version, CAST(models.counts AS text), CAST(models.migration AS text),
    models.facts_at, models.created_at, models.missing_since, connections.at
"""
"""In the order of :class:`Listed`, without ``held``."""

_JOINED: Final = """
    JOIN identities AS owners ON owners.id = models.owner_id
    LEFT JOIN controllers ON controllers.id = models.controller_id
    LEFT JOIN clouds ON clouds.name = models.cloud
    LEFT JOIN credentials ON credentials.id = models.credential_id
    LEFT JOIN identities AS lenders ON lenders.id = credentials.owner_id
    LEFT JOIN model_connections AS connections ON connections.model_id = models.id
        AND connections.identity_id = (SELECT id FROM identities WHERE name = :who)
"""

_THERE: Final = "models.uuid IS NOT NULL AND models.life <> 'gone'"
"""Neither still being made nor as good as gone."""

_ON_ONE: Final = "models.controller_id = (SELECT id FROM controllers WHERE name = :controller)"

_MINE: Final = """
    SELECT uuid, string_agg(relation, ' ') AS held
    FROM (
        SELECT uuid, NULL AS relation
        FROM models
        WHERE owner_id = (SELECT id FROM identities WHERE name = :who)
        UNION ALL
        SELECT CASE WHEN length(object_key) = 36 THEN CAST(object_key AS uuid) END, relation
        FROM relations
        WHERE subject IN (:who, :everyone) AND object_kind = 'model'
            AND relation IN ('administrator', 'writer', 'reader')
    ) AS found
    GROUP BY uuid
"""
"""A key that is no uuid, of whatever came into the table, must not break everybody's list."""


_PAGE: Final = """
    SELECT uuid, NULL AS held
    FROM (
        (
            SELECT uuid FROM models
            WHERE owner_id = (SELECT id FROM identities WHERE name = :after_owner)
                AND name > :after_name AND {wanted}
            ORDER BY name LIMIT :most
        )
        UNION ALL
        (
            SELECT theirs.uuid
            FROM identities
            CROSS JOIN LATERAL (
                SELECT uuid, name FROM models
                WHERE owner_id = identities.id AND {wanted}
                ORDER BY name LIMIT :most
            ) AS theirs
            WHERE identities.name > :after_owner
            ORDER BY identities.name, theirs.name LIMIT :most
        )
    ) AS found
"""
"""The rest of one owner's models, and the first of the owners after that: two pages at most, both
in the order of an index, out of which one page is made."""


async def every(
    session: ReadSession,
    identity: str,
    *,
    admin: bool,
    after: tuple[str, str] = ("", ""),
    limit: int | None = None,
    controller: str = "",
) -> Sequence[Listed]:
    """The models that an identity may see (all of them for ``admin``), by owner and name.

    After the owner and name in ``after``, and on the controller of that name only, if given.
    Models that are still being made, or as good as gone, are left out.
    """
    statement = _statement(
        admin=admin, on_one=bool(controller), from_start=after == ("", ""), whole=limit is None
    )
    given = {
        "who": identity,
        "everyone": EVERYONE,
        "controller": controller,
        "after_owner": after[0],
        "after_name": after[1],
        "most": limit,
    }
    return list(map(Listed._make, await session.execute(statement, given)))


async def of(session: ReadSession, uuids: Collection[str]) -> dict[ModelUUID, Listed]:
    """The models with these uuids, in no order, whoever may see them; of no asker, so without
    ``held`` and ``last_connection``."""
    rows = await session.execute(_of(), {"uuids": list(uuids), "who": ""})
    return {listed.uuid: listed for listed in map(Listed._make, rows)}


async def people(session: ReadSession, uuids: Collection[str]) -> dict[str, dict[str, set[str]]]:
    """What everybody is to these models: relations, by model and subject."""
    found: dict[str, dict[str, set[str]]] = {}
    for uuid, subject, relation in await session.execute(_PEOPLE, {"uuids": list(uuids)}):
        found.setdefault(uuid, {}).setdefault(subject, set()).add(relation)
    return found


async def connections(
    session: ReadSession, uuids: Collection[str]
) -> dict[str, dict[str, datetime]]:
    """When everybody last connected to these models: by model and identity."""
    found: dict[str, dict[str, datetime]] = {}
    for uuid, identity, at in await session.execute(_CONNECTIONS, {"uuids": list(uuids)}):
        found.setdefault(uuid, {})[identity] = at
    return found


_PEOPLE: Final = text(
    """
    SELECT object_key, subject, relation FROM relations
    WHERE object_kind = 'model' AND object_key = ANY(:uuids)
    """
)

_CONNECTIONS: Final = text(
    """
    SELECT CAST(models.uuid AS text), identities.name, model_connections.at
    FROM models
    JOIN model_connections ON model_connections.model_id = models.id
    JOIN identities ON identities.id = model_connections.identity_id
    WHERE models.uuid = ANY(CAST(:uuids AS uuid[]))
    """
)


@cache
def _of() -> TextClause:
    some = "models.uuid = ANY(CAST(:uuids AS uuid[]))"
    parts = ["SELECT", _COLUMNS, ", NULL FROM models", _JOINED, "WHERE", _THERE, "AND", some]
    return text(" ".join(parts))


@cache
def _statement(*, admin: bool, on_one: bool, from_start: bool, whole: bool) -> TextClause:
    """Built once for each combination. Text, for there is nothing in it to be put together by
    SQLAlchemy, which would also convert each value a second time."""
    wanted = [_THERE, *((_ON_ONE,) if on_one else ())]
    mine = _PAGE.replace("{wanted}", " AND ".join(wanted)) if admin and not whole else _MINE
    if not from_start:
        wanted.append("(owners.name, models.name) > (:after_owner, :after_name)")
    everything = admin and whole
    parts = [
        *(() if everything else ("WITH mine AS (", mine, ")")),
        "SELECT",
        _COLUMNS,
        ", NULL" if everything else ", mine.held",
        "FROM models" if everything else "FROM mine JOIN models ON models.uuid = mine.uuid",
        _JOINED,
        "WHERE",
        " AND ".join(wanted),
        "ORDER BY owners.name, models.name",
        "" if whole else "LIMIT :most",
    ]
    return text(" ".join(parts))
