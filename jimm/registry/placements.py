"""Why models are where they are."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from jimm.registry.models import Model
from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.tables import PlacementRow


@dataclass(frozen=True)
class NewPlacement:
    """A choice: who asked for what, and the candidates in order, each with its reasons."""

    model_id: int | None
    owner: str
    name: str
    cloud: str
    region: str
    policy: str
    candidates: tuple[dict[str, object], ...]
    requested_by: str


@dataclass(frozen=True)
class Placement:
    """A choice and what came of it: ``chosen`` is the controller's name once the model is
    there, ``attempts`` tell what each one tried before answered.
    """

    id: int
    model_id: int | None
    owner: str
    name: str
    cloud: str
    region: str
    policy: str
    chosen: str | None
    candidates: tuple[dict[str, object], ...]
    attempts: tuple[dict[str, object], ...]
    requested_by: str
    at: datetime


async def add(session: WriteSession, new: NewPlacement) -> int:
    """Records a choice; its id."""
    statement = insert(PlacementRow).values(asdict(new)).returning(PlacementRow.id)
    return (await session.execute(statement)).scalar_one()


async def finish(
    session: WriteSession,
    placement_id: int,
    *,
    chosen: str | None,
    attempts: Sequence[dict[str, object]],
) -> None:
    """Records what came of it."""
    await session.execute(
        update(PlacementRow)
        .where(PlacementRow.id == placement_id)
        .values(chosen=chosen, attempts=tuple(attempts))
    )


async def note(
    session: WriteSession, model: Model, controller: str, *, policy: str, reason: str, by: str
) -> None:
    """Records that a model is on a controller without a choice of placement: ``policy`` is how
    it came there, ``reason`` why, ``by`` whoever asked for it."""
    placed = await add(
        session,
        NewPlacement(
            model_id=model.id,
            owner=model.owner,
            name=model.name,
            cloud=model.cloud,
            region=model.region,
            policy=policy,
            candidates=(
                {"controller": controller, "eligible": True, "rank": 1, "reasons": [reason]},
            ),
            requested_by=by,
        ),
    )
    await finish(session, placed, chosen=controller, attempts=())


async def choose(session: WriteSession, model_id: int, chosen: str) -> None:
    """Records where a model turned out to be, when its answer was lost."""
    await session.execute(
        update(PlacementRow)
        .where(PlacementRow.model_id == model_id, PlacementRow.chosen.is_(None))
        .values(chosen=chosen)
    )


async def page(
    session: ReadSession, *, before: int | None = None, limit: int = 100, owner: str = ""
) -> list[Placement]:
    """Choices, the newest first, older than the id ``before``."""
    statement = select(*_columns()).order_by(PlacementRow.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(PlacementRow.id < before)
    if owner:
        statement = statement.where(PlacementRow.owner == owner)
    return [record(Placement, row) for row in await session.execute(statement)]


def _columns() -> list[InstrumentedAttribute[Any]]:
    return columns(PlacementRow, Placement)
