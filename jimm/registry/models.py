"""Models: where they are, what was last seen of them, and who may see them."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ScalarSelect,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from jimm.errors import AlreadyExists, ModelNotFound
from jimm.registry import model_connections
from jimm.registry.listen import MODELS
from jimm.registry.offers import remove_of_model
from jimm.registry.prepared import Question
from jimm.registry.relations import MAY_READ, Object, concerns, related, remove_object
from jimm.registry.rows import record, violations
from jimm.registry.session import ReadSession, Registry, WriteSession, notify
from jimm.registry.tables import (
    ControllerRow,
    CredentialRow,
    IdentityRow,
    ModelRow,
    RelationRow,
)
from jimm.registry.words import EVERYONE, GONE, ModelState, ObjectKind, Relation
from jimm.wire.tags import ControllerUUID, ModelUUID, is_uuid


@dataclass(frozen=True)
class NewModel:
    """A model that is being made: its name is taken, its uuid not known yet."""

    name: str
    owner_id: int
    cloud: str
    region: str
    credential_id: int | None
    controller_id: int | None = None


@dataclass(frozen=True)
class Model:
    """A model. ``uuid`` is empty while it is being made; ``controller_*`` are ``None`` when it
    is unmanaged (or not placed yet). ``credential_valid`` is ``None`` where nobody has said.
    From ``life`` on, what its controller last said, at ``facts_at``; ``migration`` is Juju's
    ``ModelMigrationStatus``.
    """

    id: int
    uuid: ModelUUID
    name: str
    owner: str
    owner_id: int
    controller_id: int | None
    controller_name: str | None
    controller_uuid: ControllerUUID | None
    cloud: str
    region: str
    credential_id: int | None
    credential_owner: str | None
    credential_name: str | None
    credential_valid: bool | None
    type: str
    state: ModelState
    life: str
    status: str
    status_info: str
    status_since: str | None
    agent_version: str
    counts: dict[str, object]
    migration: dict[str, object] | None
    facts_at: datetime | None
    created_at: datetime
    missing_since: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", ModelState(self.state))
        object.__setattr__(self, "uuid", self.uuid or "")


@dataclass(frozen=True)
class Visible:
    """A model, with what the asker, and everyone, is to it; a listing also tells when the asker
    last connected to it."""

    model: Model
    held: frozenset[Relation]
    last_connection: datetime | None = None


async def add(session: WriteSession, new: NewModel) -> int:
    """Takes the name for a model that is about to be made; the row's id.

    Raises:
        AlreadyExists: the owner has a model of that name.
    """
    taken = AlreadyExists(f'model "{new.name}" already exists', field="name")
    statement = (
        insert(ModelRow).values(**asdict(new), state=ModelState.CREATING).returning(ModelRow.id)
    )
    async with violations(session, {"uq_models_owner_id_name": taken}):
        return (await session.execute(statement)).scalar_one()


async def complete(
    session: WriteSession,
    model_id: int,
    *,
    uuid: ModelUUID,
    controller_id: int,
    region: str,
    kind: str = "iaas",
) -> None:
    """Makes a model live that was being made.

    Raises:
        AlreadyExists: JIMM knows that uuid as another model.
        ModelNotFound: it is not being made (any more).
    """
    known = AlreadyExists(f"model {uuid} is already registered", field="uuid")
    statement = (
        update(ModelRow)
        .where(ModelRow.id == model_id, ModelRow.state == ModelState.CREATING)
        .values(
            uuid=uuid,
            controller_id=controller_id,
            region=region,
            type=kind,
            state=ModelState.LIVE,
            status="available",
        )
        .returning(ModelRow.id)
    )
    async with violations(session, {"uq_models_uuid": known}):
        done = (await session.execute(statement)).first()
    if done is None:
        raise ModelNotFound("model not found")
    await notify(session, MODELS, uuid)


async def by_uuid(session: ReadSession, uuid: str) -> Model:
    """The model with that uuid.

    Raises:
        ModelNotFound: there is none.
    """
    if not is_uuid(uuid):
        raise _unknown(uuid)
    return await _one(session, select_models().where(ModelRow.uuid == uuid), uuid)


async def by_id(session: ReadSession, model_id: int) -> Model:
    """The model of that row, even one that is being made.

    Raises:
        ModelNotFound: there is none (any more).
    """
    return await _one(session, select_models().where(ModelRow.id == model_id), str(model_id))


async def by_owner(session: ReadSession, owner: str, name: str) -> Model:
    """The model of that owner and name, even one that is being made.

    Raises:
        ModelNotFound: there is none.
    """
    statement = select_models().where(IdentityRow.name == owner, ModelRow.name == name)
    return await _one(session, statement, f"{owner}/{name}")


async def is_taken(session: ReadSession, owner: str, name: str) -> bool:
    """Whether that owner has a model of that name, even one that is being made."""
    statement = select_models().where(IdentityRow.name == owner, ModelRow.name == name)
    return (await session.execute(statement)).first() is not None


async def visible(
    session: ReadSession,
    identity: str,
    *,
    admin: bool,
    controller: str = "",
    uuids: Collection[str] | None = None,
) -> list[Visible]:
    """The models that an identity may see (all of them for ``admin``), with their controllers.

    By owner and name; those on the controller of that name only, and of those uuids only, if
    given. Models that are still being made, or as good as gone, are left out.
    """
    statement = _visible(admin=admin, on_one=bool(controller), some=uuids is not None)
    given = {"who": identity, "controller": controller, "uuids": list(uuids or ())}
    found = []
    for row in await session.execute(statement, given):
        values = dict(row._mapping)
        relations = frozenset(Relation(each) for each in values.pop("held") or ())
        connected = values.pop("last_connection")
        found.append(Visible(Model(**values), relations, connected))
    return found


@cache
def _visible(*, admin: bool, on_one: bool, some: bool) -> Select[Any]:
    """Built once for each combination: that takes longer than to run it."""
    who = bindparam("who", type_=Text)
    held = _held_by(who).label("held")
    last = model_connections.last(who).label("last_connection")
    statement = select_models().add_columns(held, last)
    statement = statement.where(ModelRow.uuid.is_not(None), ModelRow.life != GONE)
    if not admin:
        shared = related(who, ObjectKind.MODEL, cast(ModelRow.uuid, Text), MAY_READ)
        statement = statement.where(or_(IdentityRow.name == who, shared))
    if on_one:
        statement = statement.where(ControllerRow.name == bindparam("controller"))
    if some:
        statement = statement.where(ModelRow.uuid.in_(bindparam("uuids", expanding=True)))
    return statement.order_by(IdentityRow.name, ModelRow.name)


async def states_on(registry: Registry, controller_id: int) -> dict[ModelUUID, ModelState]:
    """The models that are there as far as JIMM knows, those that are missing included."""
    rows = await registry.ask(_states_on(), controller=controller_id)
    return {row["uuid"]: _STATES[row["state"]] for row in rows}


async def known(session: ReadSession, uuids: Collection[str]) -> list[Model]:
    """Those of the uuids that JIMM has models of."""
    rows = await session.execute(select_models().where(ModelRow.uuid.in_(uuids)))
    return [record(Model, row) for row in rows]


async def hosts(session: ReadSession, uuids: Collection[ModelUUID]) -> dict[str, str | None]:
    """The controllers' uuids of those of the models that JIMM knows, by model."""
    statement = (
        select(ModelRow.uuid, ControllerRow.uuid)
        .outerjoin(ControllerRow, ControllerRow.id == ModelRow.controller_id)
        .where(ModelRow.uuid == any_(literal(list(uuids), ARRAY(Uuid(as_uuid=False)))))
    )
    return {model: host for model, host in await session.execute(statement) if model}


async def mark_missing(
    session: WriteSession, controller_id: int, uuids: Collection[str]
) -> list[ModelUUID]:
    """Records that a controller no longer has these; they are shown, and wait to be seen again.

    Models that are being destroyed are left as they are. Returns those that were live.
    """
    statement = (
        update(ModelRow)
        .where(
            ModelRow.controller_id == controller_id,
            ModelRow.uuid.in_(uuids),
            ModelRow.state == ModelState.LIVE,
        )
        .values(state=ModelState.MISSING, missing_since=func.now())
        .returning(ModelRow.uuid)
    )
    missing = [ModelUUID(uuid) for uuid in await session.scalars(statement) if uuid]
    for uuid in missing:
        await notify(session, MODELS, uuid)
    return missing


async def locked(session: WriteSession, uuid: str) -> ModelState | None:
    """The state of a model, whose row is locked until the transaction's end; ``None`` where
    there is no such model."""
    statement = select(ModelRow.state).where(ModelRow.uuid == uuid).with_for_update(key_share=True)
    state = await session.scalar(statement)
    return None if state is None else ModelState(state)


async def set_destroying(session: WriteSession, uuid: str) -> bool:
    """Records that a model is to be destroyed; ``False`` if it was so already, or is not there."""
    statement = (
        update(ModelRow)
        .where(ModelRow.uuid == uuid, ModelRow.state.in_((ModelState.LIVE, ModelState.MISSING)))
        .values(state=ModelState.DESTROYING, missing_since=None, life="dying")
        .returning(ModelRow.id)
    )
    return (await session.execute(statement)).first() is not None


async def set_live(session: WriteSession, uuid: str) -> bool:
    """Takes back that a model was to be destroyed: its controller refused."""
    statement = (
        update(ModelRow)
        .where(ModelRow.uuid == uuid, ModelRow.state == ModelState.DESTROYING)
        .values(state=ModelState.LIVE, life="alive")
        .returning(ModelRow.id)
    )
    return (await session.execute(statement)).first() is not None


async def set_controller(session: WriteSession, uuid: str, controller_id: int) -> bool:
    """Says that a model is on that controller, live, and tells; ``False`` if it was already.

    Raises:
        ModelNotFound: there is no such model.
    """
    before = select(ModelRow.controller_id, ModelRow.state).where(ModelRow.uuid == uuid)
    row = (await session.execute(before.with_for_update())).one_or_none()
    if row is None:
        raise _unknown(uuid)
    if tuple(row) == (controller_id, ModelState.LIVE):
        return False
    await session.execute(
        update(ModelRow)
        .where(ModelRow.uuid == uuid)
        .values(
            controller_id=controller_id,
            state=case(
                (ModelRow.state == ModelState.DESTROYING, ModelRow.state),
                else_=ModelState.LIVE.value,
            ),
            missing_since=None,
            migration=None,
            status="available",  # what the other controller said of it is no longer so
            status_info="",
            status_since=None,
        )
        .execution_options(synchronize_session=False)
    )
    await notify(session, MODELS, uuid)
    return True


async def set_credential(session: WriteSession, uuid: str, credential_id: int) -> None:
    """Says which credential a model uses."""
    await session.execute(
        update(ModelRow).where(ModelRow.uuid == uuid).values(credential_id=credential_id)
    )


async def remove(session: WriteSession, model_id: int) -> None:
    """Forgets a model, its offers, and every relation to them."""
    await remove_of_model(session, model_id)
    statement = delete(ModelRow).where(ModelRow.id == model_id).returning(ModelRow.uuid)
    uuid = (await session.execute(statement)).scalar_one_or_none()
    if uuid is not None:
        await remove_object(session, Object.model(uuid))
        await notify(session, MODELS, uuid)


def select_models() -> Select[Any]:
    """The columns of :class:`Model`, from all models."""
    credential_owner = aliased(IdentityRow)
    return (
        select(
            *(getattr(ModelRow, name) for name in _OWN),
            IdentityRow.name.label("owner"),
            ControllerRow.name.label("controller_name"),
            ControllerRow.uuid.label("controller_uuid"),
            credential_owner.name.label("credential_owner"),
            CredentialRow.name.label("credential_name"),
            CredentialRow.valid.label("credential_valid"),
        )
        .join(IdentityRow, IdentityRow.id == ModelRow.owner_id)
        .outerjoin(ControllerRow, ControllerRow.id == ModelRow.controller_id)
        .outerjoin(CredentialRow, CredentialRow.id == ModelRow.credential_id)
        .outerjoin(credential_owner, credential_owner.id == CredentialRow.owner_id)
    )


def _held_by(identity: BindParameter[str]) -> ScalarSelect[Any]:
    """What an identity, or everyone, is to the model of the outer query."""
    return (
        select(func.jsonb_agg(RelationRow.relation, type_=JSONB))
        .where(
            RelationRow.subject.in_((identity, EVERYONE)),
            concerns(ObjectKind.MODEL, cast(ModelRow.uuid, Text)),
        )
        .correlate(ModelRow)
        .scalar_subquery()
    )


_STATES: Final = {each.value: each for each in ModelState}


@cache
def _states_on() -> Question:
    return Question(
        select(ModelRow.uuid, ModelRow.state)
        .where(
            ModelRow.controller_id == bindparam("controller", type_=BigInteger),
            ModelRow.uuid.is_not(None),
        )
        .order_by(ModelRow.id)
    )


_OWN = tuple(each.name for each in fields(Model) if hasattr(ModelRow, each.name))


async def _one(session: ReadSession, statement: Select[Any], key: str) -> Model:
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise _unknown(key)
    return record(Model, row)


def _unknown(key: str) -> ModelNotFound:
    return ModelNotFound(f'model "{key}" not found')
