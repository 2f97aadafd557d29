"""When somebody last connected to a model."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import BindParameter, ScalarSelect, select, text

from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.tables import IdentityRow, ModelConnectionRow, ModelRow

_NOTE: Final = text(
    """
    INSERT INTO model_connections (model_id, identity_id)
    SELECT models.id, identities.id FROM models, identities
    WHERE models.uuid = :model AND identities.name = :identity
    ON CONFLICT (model_id, identity_id) DO UPDATE SET at = now()
    WHERE model_connections.at < now() - interval '1 minute'
    """
)
"""As text: SQLAlchemy compiles an upsert anew each time, and this one runs at each login."""


async def note(session: WriteSession, model: str, identity: str) -> None:
    """Records a connection, unless one was recorded within a minute."""
    await session.execute(_NOTE, {"model": model, "identity": identity})


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
