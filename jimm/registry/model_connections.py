"""When somebody last connected to a model."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.tables import IdentityRow, ModelConnectionRow, ModelRow


async def note(session: WriteSession, model: str, identity: str) -> None:
    """Records a connection, unless one was recorded within a minute."""
    who_where = select(ModelRow.id, IdentityRow.id).where(
        ModelRow.uuid == model, IdentityRow.name == identity
    )
    statement = upsert(ModelConnectionRow).from_select(["model_id", "identity_id"], who_where)
    stale = ModelConnectionRow.at < func.now() - func.make_interval(0, 0, 0, 0, 0, 1)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[ModelConnectionRow.model_id, ModelConnectionRow.identity_id],
            set_={"at": func.now()},
            where=stale,
        )
    )


async def of_models(
    session: ReadSession, models: Collection[str]
) -> dict[str, dict[str, datetime]]:
    """Everybody's last connections: by model, then by identity."""
    statement = (
        select(ModelRow.uuid, IdentityRow.name, ModelConnectionRow.at)
        .join(ModelRow, ModelRow.id == ModelConnectionRow.model_id)
        .join(IdentityRow, IdentityRow.id == ModelConnectionRow.identity_id)
        .where(ModelRow.uuid.in_(models))
    )
    found: dict[str, dict[str, datetime]] = {}
    for uuid, identity, at in await session.execute(statement):
        found.setdefault(uuid, {})[identity] = at
    return found


def last(identity: str) -> ScalarSelect[datetime]:
    """The column with an identity's last connection to each row of ``models``."""
    return (
        select(ModelConnectionRow.at)
        .join(IdentityRow, IdentityRow.id == ModelConnectionRow.identity_id)
        .where(ModelConnectionRow.model_id == ModelRow.id, IdentityRow.name == identity)
        .correlate(ModelRow)
        .scalar_subquery()
    )
