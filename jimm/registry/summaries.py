"""All models with everybody who may see them, and a digest that tells whether that has changed."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, text

from jimm.registry.models import Model, visible
from jimm.registry.session import ReadSession
from jimm.registry.tables import ControllerRow, RelationRow
from jimm.registry.words import ControllerStatus, ObjectKind, Relation

_DIGEST: Final = text(
    """
    SELECT concat_ws(
        ' ',
        (SELECT sum(hashtextextended(ROW(
            id, uuid, name, owner_id, controller_id, cloud, region, credential_id, state, life,
            status, status_info, counts
        )::text, 0)) FROM models),
        (SELECT sum(hashtextextended(ROW(id, name, status)::text, 0)) FROM controllers),
        (SELECT max(revision) FROM relation_changes)
    )
    """
)


@dataclass(frozen=True)
class Summary:
    """A model, what everybody (by identity, or ``everyone``) is to it, and whether its
    controller is there."""

    model: Model
    held: dict[str, frozenset[Relation]]
    available: bool


async def digest(session: ReadSession) -> str:
    """A text that differs once a model, its rights or its controller's health has changed."""
    return str(await session.scalar(_DIGEST))


async def every(session: ReadSession) -> list[Summary]:
    """All models, by owner and name."""
    found = await visible(session, "", admin=True)
    held = await _held(session)
    there = set(
        await session.scalars(
            select(ControllerRow.id).where(ControllerRow.status == ControllerStatus.AVAILABLE)
        )
    )
    return [
        Summary(each.model, held.get(each.model.uuid, {}), each.model.controller_id in there)
        for each in found
    ]


async def _held(session: ReadSession) -> dict[str, dict[str, frozenset[Relation]]]:
    statement = select(RelationRow.object_key, RelationRow.subject, RelationRow.relation).where(
        RelationRow.object_kind == ObjectKind.MODEL
    )
    held: dict[str, dict[str, frozenset[Relation]]] = defaultdict(dict)
    for model, subject, relation in await session.execute(statement):
        held[model][subject] = held[model].get(subject, frozenset()) | {Relation(relation)}
    return held
