"""Settings that a user wants in new models: for a cloud, or for one of its regions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import delete, literal, select, type_coerce, update
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.dialects.postgresql import insert as upsert

from jimm.errors import UserNotFound
from jimm.registry.rows import record
from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.tables import IdentityRow, ModelDefaultsRow


@dataclass(frozen=True)
class Defaults:
    """What was set for one place; ``region`` is empty for the whole cloud."""

    cloud: str
    region: str
    settings: dict[str, object]


async def of(session: ReadSession, identity: str, cloud: str) -> list[Defaults]:
    """What somebody set for a cloud, the cloud itself first, then its regions by name."""
    statement = (
        select(ModelDefaultsRow.cloud, ModelDefaultsRow.region, ModelDefaultsRow.settings)
        .join(IdentityRow, IdentityRow.id == ModelDefaultsRow.identity_id)
        .where(IdentityRow.name == identity, ModelDefaultsRow.cloud == cloud)
        .order_by(ModelDefaultsRow.region)
    )
    return [record(Defaults, row) for row in await session.execute(statement)]


async def put(
    session: WriteSession, identity: str, cloud: str, region: str, settings: Mapping[str, object]
) -> None:
    """Sets some; others that were set stay.

    Raises:
        UserNotFound: there is no such identity.
    """
    owner = await session.scalar(select(IdentityRow.id).where(IdentityRow.name == identity))
    if owner is None:
        raise UserNotFound(f'user "{identity}" not found')
    statement = upsert(ModelDefaultsRow).values(
        identity_id=owner, cloud=cloud, region=region, settings=dict(settings)
    )
    merged = type_coerce(ModelDefaultsRow.settings, JSONB).op("||")(statement.excluded.settings)
    await session.execute(
        statement.on_conflict_do_update(constraint="pk_model_defaults", set_={"settings": merged})
    )


async def unset(
    session: WriteSession, identity: str, cloud: str, region: str, keys: Collection[str]
) -> None:
    """Takes some away; those that were never set are no error."""
    owner = select(IdentityRow.id).where(IdentityRow.name == identity).scalar_subquery()
    place = (
        ModelDefaultsRow.identity_id == owner,
        ModelDefaultsRow.cloud == cloud,
        ModelDefaultsRow.region == region,
    )
    gone = literal(list(keys), ARRAY(TEXT))
    left = type_coerce(ModelDefaultsRow.settings, JSONB).op("-")(gone)
    await session.execute(update(ModelDefaultsRow).where(*place).values(settings=left))
    await session.execute(delete(ModelDefaultsRow).where(*place, ModelDefaultsRow.settings == {}))
