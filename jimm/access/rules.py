"""What relations mean in Juju's levels, and what a grant or a revoke does to them.

Juju has levels in order: whoever has one has those below it (``core/permission/access.go``).
JIMM keeps relations. A subject has at most one relation of a ladder to one object::

    model        reader        read        cloud        can_addmodel    add-model
                 writer        write                    administrator   admin
                 administrator admin
                                           controller   (nobody needs)  login
    offer        reader        read                     administrator   superuser
                 consumer      consume
                 administrator admin

Whoever administers JIMM administers everything, whoever administers a controller its models and
clouds, a model's owner the model, and whoever administers a model its offers.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from jimm.errors import AlreadyExists, NotValid
from jimm.registry.words import EVERYONE, JIMM_KEY, ObjectKind, Relation
from jimm.wire.tags import (
    ControllerUUID,
    ModelUUID,
    cloud_tag,
    controller_tag,
    model_tag,
    offer_tag,
)


class Holding(Protocol):
    """That a subject (an identity's name, or ``everyone``) is something to an object."""

    @property
    def subject(self) -> str: ...
    @property
    def relation(self) -> Relation: ...
    @property
    def object_kind(self) -> ObjectKind: ...
    @property
    def object_key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Change:
    """Relations of one subject to one object that are to come and to go."""

    add: frozenset[Relation] = frozenset()
    remove: frozenset[Relation] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)


@dataclass(frozen=True, slots=True)
class _Ladder:
    """Levels from the bottom; ``floor`` is what everybody has."""

    floor: str
    rungs: tuple[tuple[str, Relation], ...]

    @property
    def levels(self) -> tuple[str, ...]:
        return (self.floor, *(level for level, _ in self.rungs))

    def height(self, relations: Collection[Relation]) -> int:
        """The number of the highest rung held; 0 is the floor."""
        reached = [n for n, (_, each) in enumerate(self.rungs, start=1) if each in relations]
        return max(reached, default=0)

    def moved(self, relations: Collection[Relation], height: int) -> Change:
        """What brings somebody to just this rung."""
        wanted = {self.rungs[height - 1][1]} if height else set()
        ours = {each for _, each in self.rungs} & set(relations)
        return Change(add=frozenset(wanted - ours), remove=frozenset(ours - wanted))


_SUPERUSER: Final = "superuser"

_LADDERS: Final = {
    ObjectKind.MODEL: _Ladder(
        "",
        (
            ("read", Relation.READER),
            ("write", Relation.WRITER),
            ("admin", Relation.ADMINISTRATOR),
        ),
    ),
    ObjectKind.CLOUD: _Ladder(
        "", (("add-model", Relation.CAN_ADDMODEL), ("admin", Relation.ADMINISTRATOR))
    ),
    ObjectKind.CONTROLLER: _Ladder("login", ((_SUPERUSER, Relation.ADMINISTRATOR),)),
    ObjectKind.OFFER: _Ladder(
        "",
        (
            ("read", Relation.READER),
            ("consume", Relation.CONSUMER),
            ("admin", Relation.ADMINISTRATOR),
        ),
    ),
}
"""JIMM itself has no levels here."""


def level(kind: ObjectKind, relations: Collection[Relation]) -> str:
    """Juju's level for these relations to a model, cloud, controller or offer.

    None is ``""``, or ``login`` for a controller: all who may log in to JIMM have that.
    """
    ladder = _LADDERS[kind]
    return ladder.levels[ladder.height(relations)]


def covers(kind: ObjectKind, has: str, wanted: str) -> bool:
    """Whether a level has the other one within it.

    Raises:
        NotValid: ``wanted`` is no level of such a thing.
    """
    levels = _LADDERS[kind].levels
    held = levels.index(has) if has in levels else 0
    return held >= _height(kind, wanted)


def granted(kind: ObjectKind, held: Collection[Relation], wanted: str) -> Change:
    """What a grant does to the relations that a subject itself has to an object.

    Raises:
        NotValid: no level of such a thing.
        AlreadyExists: the subject has as much or more.
    """
    height = _height(kind, wanted)
    ladder = _LADDERS[kind]
    if ladder.height(held) >= height:
        raise AlreadyExists(
            f'could not grant {kind} access: user already has "{wanted}" access or greater'
        )
    return ladder.moved(held, height)


def revoked(kind: ObjectKind, held: Collection[Relation], unwanted: str) -> Change:
    """What a revoke does: the level below the revoked one is left, or less if less was held.

    Raises:
        NotValid: no level of such a thing.
    """
    ladder = _LADDERS[kind]
    left = min(ladder.height(held), max(0, _height(kind, unwanted) - 1))
    return ladder.moved(held, left)


def administers_jimm(identity: str, held: Iterable[Holding]) -> bool:
    """Whether the identity itself administers JIMM; what everyone holds is not enough."""
    return any(
        each.subject == identity
        and each.relation is Relation.ADMINISTRATOR
        and (each.object_kind, each.object_key) == (ObjectKind.JIMM, JIMM_KEY)
        for each in held
    )


def views_audit_log(identity: str, held: Iterable[Holding]) -> bool:
    """Whether the identity itself may read the audit log; what everyone holds is not enough."""
    held = list(held)
    return administers_jimm(identity, held) or any(
        each.subject == identity
        and each.relation is Relation.AUDIT_LOG_VIEWER
        and (each.object_kind, each.object_key) == (ObjectKind.JIMM, JIMM_KEY)
        for each in held
    )


def level_on_controller(identity: str, held: Iterable[Holding], controller: ControllerUUID) -> str:
    """The level that an identity has on a controller, all things considered.

    ``held`` is what the identity, and everyone, is to JIMM and to the controller.
    """
    held = list(held)
    if administers_jimm(identity, held):
        return _SUPERUSER
    own = _relations(identity, held, ObjectKind.CONTROLLER, controller)
    return level(ObjectKind.CONTROLLER, own)


def level_on_model(
    identity: str,
    held: Iterable[Holding],
    *,
    model: ModelUUID,
    controller: ControllerUUID | None,
    owner: str,
) -> str:
    """The level that an identity has on a model, all things considered; ``""`` is none.

    ``held`` is what the identity, and everyone, is to JIMM, to the model and to its controller
    (``None`` for a model without one).
    """
    held = list(held)
    if (
        identity == owner
        or administers_jimm(identity, held)
        or (controller and level_on_controller(identity, held, controller) == _SUPERUSER)
    ):
        return level(ObjectKind.MODEL, [Relation.ADMINISTRATOR])
    return level(ObjectKind.MODEL, _relations(identity, held, ObjectKind.MODEL, model))


def access_claims(
    identity: str,
    held: Collection[Holding],
    *,
    controller: ControllerUUID,
    models: Mapping[ModelUUID, str] | None = None,
    clouds: Iterable[str] = (),
) -> dict[str, str]:
    """The ``access`` of a login token: from tags to levels, all on one controller.

    ``held`` is what the identity, and everyone, is to JIMM and to these objects; the models,
    each with its owner, and the clouds are the controller's own, and so are the offers that
    ``held`` speaks of. What somebody has no level on is not named; neither are offers where the
    models are administered, for that is all of their offers (Juju ``checkAdmin``).
    """
    on_controller = level_on_controller(identity, held, controller)
    access = {controller_tag(controller): on_controller}
    on_models: set[str] = set()
    for model, owner in (models or {}).items():
        on_model = level_on_model(identity, held, model=model, controller=controller, owner=owner)
        on_models.add(on_model)
        if on_model:
            access[model_tag(model)] = on_model
    if on_models != {"admin"}:
        access |= _offer_claims(identity, held)
    for cloud in clouds:
        relations = _relations(identity, held, ObjectKind.CLOUD, cloud)
        if on_controller == _SUPERUSER:
            relations = frozenset({Relation.ADMINISTRATOR})
        on_cloud = level(ObjectKind.CLOUD, relations)
        if on_cloud:
            access[cloud_tag(cloud)] = on_cloud
    return access


def _offer_claims(identity: str, held: Collection[Holding]) -> dict[str, str]:
    offers = {each.object_key for each in held if each.object_kind is ObjectKind.OFFER}
    levels = {
        uuid: level(ObjectKind.OFFER, _relations(identity, held, ObjectKind.OFFER, uuid))
        for uuid in sorted(offers)
    }
    return {offer_tag(uuid): on_offer for uuid, on_offer in levels.items() if on_offer}


def _relations(
    identity: str, held: Iterable[Holding], kind: ObjectKind, key: str
) -> frozenset[Relation]:
    return frozenset(
        each.relation
        for each in held
        if each.subject in (identity, EVERYONE)
        and (each.object_kind, each.object_key) == (kind, key)
    )


def _height(kind: ObjectKind, name: str) -> int:
    levels = _LADDERS[kind].levels
    if not name or name not in levels:
        raise NotValid(f'"{name}" {kind} access not valid')
    return levels.index(name)
