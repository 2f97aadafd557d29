"""Who is what to what; every change has a revision, and is notified.

Controllers, models and offers are named by uuid, clouds by name, JIMM by ``jimm``. The revision
of a change is taken under a lock, so that whoever has read up to a revision has missed none.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, delete, exists, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute

from jimm.registry.listen import RELATIONS
from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession, WriteSession, lock, notify
from jimm.registry.tables import RelationChangeRow, RelationRow
from jimm.registry.words import EVERYONE, JIMM_KEY, ObjectKind, Relation

MAY_ADD = frozenset({Relation.ADMINISTRATOR, Relation.CAN_ADDMODEL})
"""The relations to a controller or a cloud with which one may add models."""

MAY_READ = frozenset({Relation.ADMINISTRATOR, Relation.WRITER, Relation.READER})
"""The relations to a model with which one may see it."""


@dataclass(frozen=True)
class Object:
    """What a relation is about."""

    kind: ObjectKind
    key: str

    @classmethod
    def jimm(cls) -> "Object":
        """JIMM itself."""
        return cls(ObjectKind.JIMM, JIMM_KEY)

    @classmethod
    def controller(cls, uuid: str) -> "Object":
        """A controller."""
        return cls(ObjectKind.CONTROLLER, uuid)

    @classmethod
    def cloud(cls, name: str) -> "Object":
        """A cloud."""
        return cls(ObjectKind.CLOUD, name)

    @classmethod
    def model(cls, uuid: str) -> "Object":
        """A model."""
        return cls(ObjectKind.MODEL, uuid)

    @classmethod
    def offer(cls, uuid: str) -> "Object":
        """An offer."""
        return cls(ObjectKind.OFFER, uuid)


@dataclass(frozen=True)
class Held:
    """A relation that a subject (an identity's name, or ``everyone``) has to an object."""

    subject: str
    relation: Relation
    object_kind: ObjectKind
    object_key: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "relation", Relation(self.relation))
        object.__setattr__(self, "object_kind", ObjectKind(self.object_kind))


@dataclass(frozen=True)
class Change:
    """That something about a subject and an object changed."""

    revision: int
    subject: str
    object_kind: ObjectKind
    object_key: str
    changed_at: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "object_kind", ObjectKind(self.object_kind))


async def add(session: WriteSession, subject: str, relation: Relation, about: Object) -> bool:
    """Adds a relation; ``False`` if it was there."""
    return await replace(session, subject, about, add=[relation])


async def remove(session: WriteSession, subject: str, relation: Relation, about: Object) -> bool:
    """Removes a relation; ``False`` if it was not there."""
    return await replace(session, subject, about, remove=[relation])


async def replace(
    session: WriteSession,
    subject: str,
    about: Object,
    *,
    add: Collection[Relation] = (),
    remove: Collection[Relation] = (),
) -> bool:
    """Adds and removes relations of one subject to one object, as one change.

    Returns whether anything changed.
    """
    await lock(session, RELATIONS)
    held = await relations_of(session, subject, about)
    adding, removing = set(add) - held, (set(remove) - set(add)) & held
    if not adding and not removing:
        return False
    revision = await _next_revision(session, subject, about)
    place = {"subject": subject, "object_kind": about.kind, "object_key": about.key}
    if removing:
        await session.execute(
            delete(RelationRow).where(
                _is(subject, about), RelationRow.relation.in_(sorted(removing))
            )
        )
    if adding:
        rows = [{**place, "relation": each, "revision": revision} for each in sorted(adding)]
        await session.execute(insert(RelationRow).values(rows))
    await notify(session, RELATIONS, str(revision))
    return True


async def remove_object(session: WriteSession, about: Object) -> None:
    """Removes every relation to something that is gone."""
    subjects = select(RelationRow.subject).where(_about(about)).distinct()
    for subject in list(await session.scalars(subjects)):
        await replace(session, subject, about, remove=list(Relation))


async def relations_of(session: ReadSession, subject: str, about: Object) -> set[Relation]:
    """What one subject itself is to an object; what follows from it is not counted."""
    statement = select(RelationRow.relation).where(_is(subject, about))
    return {Relation(each) for each in await session.scalars(statement)}


async def locked(session: WriteSession, subject: str, about: Object) -> set[Relation]:
    """As :func:`relations_of`, where nobody else can change them until the transaction's end."""
    await lock(session, RELATIONS)
    return await relations_of(session, subject, about)


async def held_by(session: ReadSession, identity: str, objects: Iterable[Object]) -> list[Held]:
    """What an identity, and everyone, is to JIMM and to these objects; one query."""
    wanted = [_about(each) for each in (Object.jimm(), *objects)]
    condition = wanted[0]
    for each in wanted[1:]:
        condition = condition | each
    statement = select(*columns(RelationRow, Held)).where(
        RelationRow.subject.in_((identity, EVERYONE)), condition
    )
    return [record(Held, row) for row in await session.execute(statement)]


async def about(session: ReadSession, objects: Collection[Object]) -> list[Held]:
    """Every relation to these objects of one kind or several, by subject."""
    kinds = {each.kind for each in objects}
    found: list[Held] = []
    for kind in sorted(kinds):
        keys = [each.key for each in objects if each.kind is kind]
        statement = (
            select(*columns(RelationRow, Held))
            .where(RelationRow.object_kind == kind, RelationRow.object_key.in_(keys))
            .order_by(RelationRow.subject, RelationRow.relation)
        )
        found += [record(Held, row) for row in await session.execute(statement)]
    return found


async def administrators(session: ReadSession) -> list[str]:
    """The subjects that administer JIMM."""
    statement = (
        select(RelationRow.subject)
        .where(_about(Object.jimm()), RelationRow.relation == Relation.ADMINISTRATOR)
        .order_by(RelationRow.subject)
    )
    return list(await session.scalars(statement))


async def revision(session: ReadSession) -> int:
    """The revision of the last change; 0 before the first."""
    statement = select(func.coalesce(func.max(RelationChangeRow.revision), 0))
    return (await session.execute(statement)).scalar_one()


async def changes_since(session: ReadSession, revision: int, limit: int = 1000) -> list[Change]:
    """The changes after a revision, oldest first."""
    statement = (
        select(*columns(RelationChangeRow, Change))
        .where(RelationChangeRow.revision > revision)
        .order_by(RelationChangeRow.revision)
        .limit(limit)
    )
    return [record(Change, row) for row in await session.execute(statement)]


def related(
    identity: str | BindParameter[str],
    kind: ObjectKind,
    key: ColumnElement[str] | InstrumentedAttribute[str],
    relations: Collection[Relation],
) -> ColumnElement[bool]:
    """The condition that an identity, or everyone, has one of these relations to ``key``."""
    return exists().where(
        RelationRow.subject.in_((identity, EVERYONE)),
        RelationRow.relation.in_(sorted(relations)),
        RelationRow.object_kind == kind,
        RelationRow.object_key == key,
    )


def concerns(kind: ObjectKind, key: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a row of ``relations`` is about the object with that column's key."""
    return and_(RelationRow.object_kind == kind, RelationRow.object_key == key)


def administers(identity: Any) -> ColumnElement[bool]:
    """The condition that an identity (a name, or a column of names) administers JIMM."""
    return exists().where(
        RelationRow.subject == identity,
        RelationRow.relation == Relation.ADMINISTRATOR,
        _about(Object.jimm()),
    )


async def _next_revision(session: WriteSession, subject: str, about: Object) -> int:
    statement = (
        insert(RelationChangeRow)
        .values(subject=subject, object_kind=about.kind, object_key=about.key)
        .returning(RelationChangeRow.revision)
    )
    return (await session.execute(statement)).scalar_one()


def _about(about: Object) -> ColumnElement[bool]:
    return (RelationRow.object_kind == about.kind) & (RelationRow.object_key == about.key)


def _is(subject: str, about: Object) -> ColumnElement[bool]:
    return (RelationRow.subject == subject) & _about(about)
