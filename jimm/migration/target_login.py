"""The login that a source is given for its target: never the target's admin.

A source stores the password and uses it until the end, so one password serves all migrations
towards a controller that overlap. It is kept, sealed, while any of them is under way, so that
any worker can go on with it. With the last one it is forgotten, and the user disabled.

What is still to be disabled is written down before the password is forgotten, and struck out
only after the controller was told: a worker that dies in between, or a target that is away,
leaves a mark that :func:`sweep` finds. A mark beside a password means that somebody's disabling
may still hit the next batch's login. So nobody is lent it before the mark is gone; where that takes
too long its worker has died, and the login is enabled again when the mark is found.
"""

import asyncio
import hashlib
import logging
import secrets
from typing import Final

from jimm.controllers.calls import controller as controller_calls
from jimm.controllers.calls import user_manager
from jimm.controllers.link import Link
from jimm.errors import ControllerError, JimmError, RemoteError, TryAgain
from jimm.fleet.fleet import Fleet
from jimm.migration.phases import UNDER_WAY
from jimm.registry import controllers, migrations, settings
from jimm.registry.controllers import Controller
from jimm.registry.session import lock
from jimm.wire import codes
from jimm.wire.params.controller import ModifyControllerAccess
from jimm.wire.secret import Secret
from jimm.wire.tags import user_tag

log = logging.getLogger(__name__)

USER: Final = "jimm-migration"
"""A local superuser of each target."""

_SUPERUSER: Final = "superuser"
_LENT: Final = "migration-login/"
_TOLD: Final = "migration-login-told/"
_TO_DISABLE: Final = "migration-login-to-disable/"
_TURNS: Final = 3

LOOKS: Final = 50
"""Looks, a tenth of a second apart, after which whoever was disabling the last batch's login is
not waited for any more."""

_LOOK_EVERY: Final = 0.1


async def lend(fleet: Fleet, target: Controller, *, anew: bool = False) -> Secret:
    """The password of :data:`USER` on a target, which may log in when this returns. ``anew``:
    the target refused it, so that it is not believed that it was told.

    Call it for a migration that is written down as under way: that keeps others from taking
    the login away.

    Raises:
        ControllerError, NotSupported: the target is away, or refuses.
        TryAgain: others changed the login all the time.
    """
    link = fleet.link(target)
    for _ in range(_TURNS):
        password, told = await _lent(fleet, target)
        if password is None:
            password = await _password(fleet, target)
        elif told and not anew:
            return password
        await _until_given_back(fleet, target)
        await _make(link, password)
        if await _told(fleet, target, password):
            return password
        # Forgotten or made anew meanwhile: what was just set must not stand in the other's way.
        anew = True
    raise TryAgain(f"the login of migrations on {target.name} changes all the time")


async def give_back(fleet: Fleet, target: Controller) -> None:
    """Disables the login if no migration towards the target is under way.

    A target that is away keeps it until :func:`sweep` finds it back.
    """
    mark = await _forget(fleet, target)
    if not mark:
        return
    try:
        await _disable(fleet, target)
    except JimmError as error:
        log.warning("could not disable %s on %s: %s", USER, target.name, error)
        return
    async with fleet.registry.write() as session:
        await settings.remove(session, _mark_key(target), mark)


async def sweep(fleet: Fleet) -> None:
    """Takes back each login that nobody needs, such as one whose worker died."""
    async with fleet.registry.read() as session:
        keys = [
            *await settings.sealed_keys(session, _LENT),
            *await settings.keys(session, _TO_DISABLE),
        ]
        wanted = {key.rpartition("/")[2] for key in keys}
        registered = await controllers.every(session) if wanted else []
    for each in registered:
        if each.uuid in wanted:
            await give_back(fleet, each)


async def _disable(fleet: Fleet, target: Controller) -> None:
    link = fleet.link(target)
    try:
        if not await _is_lent(fleet, target):
            await user_manager.disable_user(link, USER)
        if await _is_lent(fleet, target):  # one began meanwhile
            await user_manager.enable_user(link, USER)
    except RemoteError as error:
        if error.juju_code not in _NO_SUCH_USER:
            raise


_NO_SUCH_USER: Final = frozenset({codes.NOT_FOUND, codes.USER_NOT_FOUND})


async def _until_given_back(fleet: Fleet, target: Controller) -> None:
    """Waits for who may be disabling the last batch's login just now: of the two calls the
    disabling may come last, and the source would be refused before it is enabled again."""
    for _ in range(LOOKS):
        if not await _is_marked(fleet, target):
            return
        await asyncio.sleep(_LOOK_EVERY)


async def _is_marked(fleet: Fleet, target: Controller) -> bool:
    async with fleet.registry.read() as session:
        return await settings.get(session, _mark_key(target)) is not None


async def _make(link: Link, password: Secret) -> None:
    try:
        await user_manager.add_user(link, USER, password, display_name="JIMM's migrations")
    except RemoteError as error:
        if error.juju_code != codes.ALREADY_EXISTS and "already exists" not in str(error):
            raise
        await _set_password(link, password)
    await user_manager.enable_user(link, USER)
    await _make_superuser(link)


async def _set_password(link: Link, password: Secret) -> None:
    """Only Juju 4 wants the user enabled first; elsewhere the last batch's password is gone
    before anybody may log in again."""
    try:
        await user_manager.set_password(link, USER, password)
    except RemoteError as error:
        if "authentication disabled" not in str(error):
            raise
        await user_manager.enable_user(link, USER)
        await user_manager.set_password(link, USER, password)


async def _make_superuser(link: Link) -> None:
    if await controller_calls.get_controller_access(link, USER) == _SUPERUSER:
        return
    change = ModifyControllerAccess(user_tag=user_tag(USER), action="grant", access=_SUPERUSER)
    try:
        await controller_calls.modify_controller_access(link, change)
    except ControllerError as error:
        # another worker was faster; Juju says so with an empty code
        if not isinstance(error, RemoteError) or "already has" not in str(error):
            raise


async def _password(fleet: Fleet, target: Controller) -> Secret:
    """The batch's password, made by whoever comes first."""
    made = Secret(secrets.token_urlsafe(32))
    sealed = fleet.sealer.seal(made, **_place(target))
    async with fleet.registry.write() as session:
        await lock(session, _lent_key(target))
        stored = await settings.sealed(session, _lent_key(target))
        if not stored:
            await settings.put_sealed(session, _lent_key(target), sealed)
            return made
    return fleet.sealer.open(stored, **_place(target))


async def _lent(fleet: Fleet, target: Controller) -> tuple[Secret | None, bool]:
    """The password that is lent now, and whether the target was told."""
    async with fleet.registry.read() as session:
        stored = await settings.sealed(session, _lent_key(target))
        told = await settings.get(session, _told_key(target))
    if not stored:
        return None, False
    password = fleet.sealer.open(stored, **_place(target))
    return password, told == _digest(password)


async def _is_lent(fleet: Fleet, target: Controller) -> bool:
    return (await _lent(fleet, target))[0] is not None


async def _told(fleet: Fleet, target: Controller, password: Secret) -> bool:
    """Writes down that the target has the password; ``False`` if it is not the one lent now."""
    async with fleet.registry.write() as session:
        await lock(session, _lent_key(target))
        stored = await settings.sealed(session, _lent_key(target))
        if not stored or fleet.sealer.open(stored, **_place(target)) != password:
            return False
        await settings.put(session, _told_key(target), _digest(password))
        return True


async def _forget(fleet: Fleet, target: Controller) -> str:
    """Forgets a password that nobody needs. The mark of what is to be done on the target, empty
    for nothing."""
    async with fleet.registry.read() as session:
        lent = await settings.sealed(session, _lent_key(target))
        if not lent or await migrations.is_towards(session, target.id, UNDER_WAY):
            return await settings.get(session, _mark_key(target)) or ""
    async with fleet.registry.write() as session:
        await lock(session, _lent_key(target))
        lent = await settings.sealed(session, _lent_key(target))
        if not lent or await migrations.is_towards(session, target.id, UNDER_WAY):
            return await settings.get(session, _mark_key(target)) or ""
        mark = secrets.token_hex(8)  # one of its own: nobody else's disabling strikes it out
        await settings.put(session, _mark_key(target), mark)
        await settings.put_sealed(session, _lent_key(target), b"")
        return mark


def _digest(password: Secret) -> str:
    """Tells one random password from another, and nothing of it."""
    return hashlib.sha256(password.reveal().encode()).hexdigest()


def _lent_key(target: Controller) -> str:
    return f"{_LENT}{target.uuid}"


def _told_key(target: Controller) -> str:
    return f"{_TOLD}{target.uuid}"


def _mark_key(target: Controller) -> str:
    return f"{_TO_DISABLE}{target.uuid}"


def _place(target: Controller) -> dict[str, str]:
    return {"table": "sealed_settings", "column": "sealed", "row": _lent_key(target)}
