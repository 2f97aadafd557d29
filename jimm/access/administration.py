"""Who administers JIMM, and who may add models on its controllers. Who may ask is not checked
here."""

from collections.abc import Collection

from jimm.access.names import shown
from jimm.errors import AlreadyExists, Conflict, NotFound
from jimm.registry import relations, users
from jimm.registry.listen import RELATIONS
from jimm.registry.relations import Object
from jimm.registry.session import WriteSession, lock
from jimm.registry.words import Relation


async def make_administrator(session: WriteSession, identity: str) -> None:
    """Makes somebody an administrator of JIMM.

    Raises:
        AlreadyExists: they are one.
    """
    if not await relations.add(session, identity, Relation.ADMINISTRATOR, Object.jimm()):
        raise has_it("superuser")


async def unmake_administrator(session: WriteSession, identity: str, local_domain: str) -> bool:
    """Takes it back; whether they were one.

    Raises:
        Conflict: nobody else who may log in would be left.
    """
    await keep_an_administrator(session, identity, local_domain)
    return await relations.remove(session, identity, Relation.ADMINISTRATOR, Object.jimm())


async def keep_an_administrator(session: WriteSession, identity: str, local_domain: str) -> None:
    """Nothing, unless JIMM would have no administrator without this one. Holds the lock that
    changes of access take, so that two of them can't go at once.

    Raises:
        Conflict: they are the last.
    """
    await lock(session, RELATIONS)
    if await users.active_administrators(session) == {identity}:
        name = shown(identity, local_domain)
        raise Conflict(f'"{name}" is the last administrator of JIMM; make somebody else one first')


async def let_add_models(
    session: WriteSession, identity: str, controllers: Collection[str]
) -> None:
    """Lets somebody add models on controllers, named by uuid.

    Raises:
        AlreadyExists: they may on all of them.
        NotFound: there are none.
    """
    if not controllers:
        raise NotFound("no controller is registered, so there is nothing to grant")
    changed = False
    for uuid in sorted(controllers):
        about = Object.controller(uuid)
        if Relation.ADMINISTRATOR in await relations.relations_of(session, identity, about):
            continue
        changed |= await relations.add(session, identity, Relation.CAN_ADDMODEL, about)
    if not changed:
        raise has_it("add-model")


async def stop_adding_models(
    session: WriteSession, identity: str, controllers: Collection[str], local_domain: str
) -> None:
    """Takes it back on controllers, named by uuid.

    Raises:
        NotFound: they had it on none of them.
    """
    changed = False
    for uuid in sorted(controllers):
        about = Object.controller(uuid)
        changed |= await relations.remove(session, identity, Relation.CAN_ADDMODEL, about)
    if not changed:
        name = shown(identity, local_domain)
        raise NotFound(
            f'could not revoke controller access: user "{name}" does not have "add-model" access'
        )


def has_it(level: str) -> AlreadyExists:
    """The refusal of a grant that would change nothing, in Juju's words."""
    return AlreadyExists(
        f'could not grant controller access: user already has "{level}" access or greater'
    )
