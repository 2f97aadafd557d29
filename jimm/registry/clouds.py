"""Clouds and regions, which controllers offer them, and who may add models there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ScalarSelect, Text, and_, cast, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from jimm.errors import AlreadyExists, Conflict, NotFound
from jimm.registry import relations
from jimm.registry.controllers import Controller
from jimm.registry.relations import MAY_ADD, Object, administers, related
from jimm.registry.rows import columns, record, violations
from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.tables import (
    CloudRegionRow,
    CloudRow,
    ControllerRegionRow,
    ControllerRow,
    CredentialRow,
    ModelRow,
)
from jimm.registry.words import ControllerStatus, ObjectKind, Trust
from jimm.wire.tags import ControllerUUID

OWN_REGION = 10
"""The priority of the region that a controller itself is in."""

REACHED_REGION = 1
"""The priority of a region that a controller merely reaches."""


@dataclass(frozen=True)
class Region:
    """A region; ``definition`` is Juju's ``CloudRegion``."""

    name: str
    definition: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Cloud:
    """A cloud; ``definition`` is Juju's ``Cloud`` as the first controller gave it."""

    name: str
    type: str
    definition: dict[str, object]
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True)
class Reach:
    """That a controller offers a region, and how gladly."""

    cloud: str
    region: str
    priority: int


@dataclass(frozen=True)
class Candidate:
    """A controller that a new model might go to, with all that the choice needs.

    ``cloud``, ``region`` and ``priority`` are ``None`` when it does not offer what was asked
    for. ``may_add_controller`` and ``may_add_cloud`` say whether the caller has the relation
    (administrator or can_addmodel, his own or everyone's); ``may_administer`` whether the
    caller administers JIMM.
    """

    controller_id: int
    name: str
    uuid: ControllerUUID
    agent_version: str
    status: ControllerStatus
    status_info: str
    deprecated: bool
    trust: Trust
    cloud: str | None
    region: str | None
    priority: int | None
    models: int
    may_add_controller: bool
    may_add_cloud: bool
    may_administer: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", ControllerStatus(self.status))
        object.__setattr__(self, "trust", Trust(self.trust))


async def put(session: WriteSession, cloud: Cloud) -> None:
    """Adds a cloud with its regions; what is known already keeps its definition."""
    statement = upsert(CloudRow).values(
        name=cloud.name, type=cloud.type, definition=cloud.definition
    )
    await session.execute(statement.on_conflict_do_nothing())
    if not cloud.regions:
        return
    regions = [
        {"cloud": cloud.name, "name": region.name, "definition": region.definition}
        for region in cloud.regions
    ]
    await session.execute(upsert(CloudRegionRow).values(regions).on_conflict_do_nothing())


async def add(session: WriteSession, cloud: Cloud) -> None:
    """Adds a cloud that is not known yet.

    Raises:
        AlreadyExists: the name is taken.
    """
    taken = AlreadyExists(f'cloud "{cloud.name}" already exists', field="name")
    values = {"name": cloud.name, "type": cloud.type, "definition": cloud.definition}
    async with violations(session, {"pk_clouds": taken}):
        await session.execute(insert(CloudRow).values(values))


async def redefine(session: WriteSession, cloud: Cloud) -> None:
    """Gives a cloud another definition and other regions."""
    await session.execute(
        update(CloudRow)
        .where(CloudRow.name == cloud.name)
        .values(type=cloud.type, definition=cloud.definition)
    )
    await session.execute(delete(CloudRegionRow).where(CloudRegionRow.cloud == cloud.name))
    await put(session, cloud)


async def remove(session: WriteSession, name: str) -> None:
    """Forgets a cloud with all credentials for it and all access to it, as Juju does.

    Raises:
        Conflict: there are models on it, in Juju's words.
    """
    await require_unused(session, name)
    await relations.remove_object(session, Object.cloud(name))
    await session.execute(delete(CredentialRow).where(CredentialRow.cloud == name))
    await session.execute(delete(ControllerRegionRow).where(ControllerRegionRow.cloud == name))
    await session.execute(delete(CloudRow).where(CloudRow.name == name))


async def require_unused(session: ReadSession, name: str) -> None:
    """Nothing, for a cloud without models.

    Raises:
        Conflict: there are models on it, in Juju's words.
    """
    if models := await models_on(session, name):
        raise Conflict(f"cloud is used by {models} model{'' if models == 1 else 's'}")


async def models_on(session: ReadSession, name: str) -> int:
    """How many models there are on a cloud."""
    count = select(func.count()).select_from(ModelRow).where(ModelRow.cloud == name)
    return (await session.execute(count)).scalar_one()


async def offered_by(session: ReadSession, name: str) -> list[Controller]:
    """The controllers that offer a cloud, by name."""
    offering = select(ControllerRegionRow.controller_id).where(ControllerRegionRow.cloud == name)
    statement = (
        select(*columns(ControllerRow, Controller))
        .where(ControllerRow.id.in_(offering))
        .order_by(ControllerRow.name)
    )
    return [record(Controller, row) for row in await session.execute(statement)]


async def offer(session: WriteSession, controller: Controller, cloud: Cloud) -> None:
    """Says that a controller offers a cloud with just these regions."""
    await withdraw(session, controller.id, cloud.name)
    rows = []
    for region in cloud.regions:
        own = (cloud.name, region.name) == (controller.cloud, controller.region)
        rows.append(
            {
                "controller_id": controller.id,
                "cloud": cloud.name,
                "region": region.name,
                "priority": OWN_REGION if own else REACHED_REGION,
            }
        )
    await session.execute(insert(ControllerRegionRow).values(rows))


async def withdraw(session: WriteSession, controller_id: int, name: str) -> None:
    """Says that a controller does not offer a cloud any more."""
    await session.execute(
        delete(ControllerRegionRow).where(
            ControllerRegionRow.controller_id == controller_id, ControllerRegionRow.cloud == name
        )
    )


async def set_reach(session: WriteSession, controller_id: int, reach: Iterable[Reach]) -> None:
    """Says which regions a controller offers, instead of what was said before."""
    await session.execute(
        delete(ControllerRegionRow).where(ControllerRegionRow.controller_id == controller_id)
    )
    rows = [
        {
            "controller_id": controller_id,
            "cloud": each.cloud,
            "region": each.region,
            "priority": each.priority,
        }
        for each in reach
    ]
    if rows:
        await session.execute(upsert(ControllerRegionRow).values(rows))


async def reach_of(session: ReadSession, controller_id: int) -> list[Reach]:
    """The regions that a controller offers."""
    statement = (
        select(*columns(ControllerRegionRow, Reach))
        .where(ControllerRegionRow.controller_id == controller_id)
        .order_by(
            ControllerRegionRow.priority.desc(),
            ControllerRegionRow.cloud,
            ControllerRegionRow.region,
        )
    )
    return [record(Reach, row) for row in await session.execute(statement)]


async def regions_of(session: ReadSession, controller_id: int) -> dict[str, frozenset[str]]:
    """The same by cloud, without their order."""
    regions: dict[str, frozenset[str]] = {}
    for each in await reach_of(session, controller_id):
        regions[each.cloud] = regions.get(each.cloud, frozenset()) | {each.region}
    return regions


async def by_name(session: ReadSession, name: str) -> Cloud:
    """The cloud of that name.

    Raises:
        NotFound: no controller has such a cloud.
    """
    found = await _read(session, names=[name])
    if not found:
        raise NotFound(f'cloud "{name}" not found')
    return found[0]


async def every(session: ReadSession) -> list[Cloud]:
    """All clouds that were ever offered, by name."""
    return await _read(session, names=None)


async def visible(
    session: ReadSession, identity: str, *, admin: bool, name: str | None = None
) -> list[Cloud]:
    """The clouds on which the identity, or everyone, may add models, offered at present; the
    one of that name only, if given."""
    statement = select(CloudRow.name).where(
        exists().where(ControllerRegionRow.cloud == CloudRow.name)
    )
    if name is not None:
        statement = statement.where(CloudRow.name == name)
    if not admin:
        statement = statement.where(related(identity, ObjectKind.CLOUD, CloudRow.name, MAY_ADD))
    return await _read(session, names=list(await session.scalars(statement)))


async def candidates(
    session: ReadSession, identity: str, *, cloud: str = "", region: str = ""
) -> list[Candidate]:
    """Every controller, once for each region that it offers and that was asked for.

    With no cloud, or no region, any will do. A controller that offers nothing of it is
    there once, without a region, so that the choice can be explained. By name.
    """
    wanted = ControllerRegionRow.controller_id == ControllerRow.id
    if cloud:
        wanted = and_(wanted, ControllerRegionRow.cloud == cloud)
    if region:
        wanted = and_(wanted, ControllerRegionRow.region == region)
    statement = (
        select(
            ControllerRow.id.label("controller_id"),
            ControllerRow.name,
            ControllerRow.uuid,
            ControllerRow.agent_version,
            ControllerRow.status,
            ControllerRow.status_info,
            ControllerRow.deprecated,
            ControllerRow.trust,
            ControllerRegionRow.cloud,
            ControllerRegionRow.region,
            ControllerRegionRow.priority,
            _models_there().label("models"),
            related(identity, ObjectKind.CONTROLLER, cast(ControllerRow.uuid, Text), MAY_ADD).label(
                "may_add_controller"
            ),
            related(identity, ObjectKind.CLOUD, ControllerRegionRow.cloud, MAY_ADD).label(
                "may_add_cloud"
            ),
            administers(identity).label("may_administer"),
        )
        .select_from(ControllerRow)
        .outerjoin(ControllerRegionRow, wanted)
        .order_by(ControllerRow.name, ControllerRegionRow.cloud, ControllerRegionRow.region)
    )
    return [record(Candidate, row) for row in await session.execute(statement)]


async def _read(session: ReadSession, names: Sequence[str] | None) -> list[Cloud]:
    clouds = select(CloudRow.name, CloudRow.type, CloudRow.definition).order_by(CloudRow.name)
    regions = select(CloudRegionRow.cloud, CloudRegionRow.name, CloudRegionRow.definition).order_by(
        CloudRegionRow.name
    )
    if names is not None:
        clouds = clouds.where(CloudRow.name.in_(names))
        regions = regions.where(CloudRegionRow.cloud.in_(names))
    by_cloud: dict[str, list[Region]] = {}
    for cloud, name, definition in await session.execute(regions):
        by_cloud.setdefault(cloud, []).append(Region(name, definition))
    return [
        Cloud(name, kind, definition, tuple(by_cloud.get(name, ())))
        for name, kind, definition in await session.execute(clouds)
    ]


def _models_there() -> ScalarSelect[int]:
    there = ModelRow.controller_id == ControllerRow.id
    return select(func.count()).where(there).correlate(ControllerRow).scalar_subquery()
