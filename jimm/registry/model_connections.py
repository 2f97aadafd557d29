"""When somebody last connected to a model; :mod:`jimm.registry.traces` writes it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import BindParameter, ScalarSelect, select

from jimm.registry.session import ReadSession
from jimm.registry.tables import IdentityRow, ModelConnectionRow, ModelRow


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


def last(identity: BindParameter[str]) -> ScalarSelect[datetime]:
    """The column with an identity's last connection to each row of ``models``."""
    return (
        select(ModelConnectionRow.at)
        .join(IdentityRow, IdentityRow.id == ModelConnectionRow.identity_id)
        .where(ModelConnectionRow.model_id == ModelRow.id, IdentityRow.name == identity)
        .correlate(ModelRow)
        .scalar_subquery()
    )
