"""The login that a source is given for its target: never the target's admin.

A source stores the password and uses it until the end, so one password serves all migrations
towards a controller that overlap. It is kept, sealed, while any of them is under way, so that
any worker can go on with it; with the last one the user is disabled and the password forgotten.
"""

import logging
import secrets
from typing import Final

from jimm.controllers.calls import controller as controller_calls
from jimm.controllers.calls import user_manager
from jimm.controllers.link import Link
from jimm.errors import ControllerError, JimmError, RemoteError
from jimm.fleet.fleet import Fleet
from jimm.migration.phases import UNDER_WAY
from jimm.registry import controllers, migrations, settings
from jimm.registry.controllers import Controller
from jimm.registry.session import ReadSession, lock
from jimm.wire import codes
from jimm.wire.params.controller import ModifyControllerAccess
from jimm.wire.secret import Secret
from jimm.wire.tags import user_tag

log = logging.getLogger(__name__)

USER: Final = "jimm-migration"
"""A local superuser of each target."""

_SUPERUSER: Final = "superuser"
_STATES: Final = UNDER_WAY


async def lend(fleet: Fleet, target: Controller) -> Secret:
    """The password of :data:`USER` on a target, which may log in when this returns.

    Call it for a migration that is written down as under way: that keeps others from taking
    the login away.

    Raises:
        ControllerError, NotSupported: the target is away, or refuses.
    """
    password = await _password(fleet, target)
    link = fleet.link(target)
    try:
        await user_manager.add_user(link, USER, password, display_name="JIMM's migrations")
    except RemoteError as error:
        if error.juju_code != codes.ALREADY_EXISTS and "already exists" not in str(error):
            raise
        await user_manager.set_password(link, USER, password)
    await user_manager.enable_user(link, USER)
    await _make_superuser(link)
    return password


async def give_back(fleet: Fleet, target: Controller) -> None:
    """Disables the login if no migration towards the target is under way.

    A target that is away keeps it until :func:`sweep` finds it back.
    """
    async with fleet.registry.read() as session:
        stored = await settings.sealed(session, _key(target))
        if not stored or await _needed(session, target):
            return
    try:
        link = fleet.link(target)
        await user_manager.disable_user(link, USER)
        if not await _forget(fleet, target):
            await user_manager.enable_user(link, USER)  # one began meanwhile
    except JimmError as error:
        log.warning("could not disable %s on %s: %s", USER, target.name, error)


async def sweep(fleet: Fleet) -> None:
    """Takes back each login that nobody needs, such as one whose worker died."""
    async with fleet.registry.read() as session:
        registered = await controllers.every(session)
    for each in registered:
        await give_back(fleet, each)


async def _password(fleet: Fleet, target: Controller) -> Secret:
    made = Secret(secrets.token_urlsafe(32))
    sealed = fleet.sealer.seal(made, **_place(target))
    async with fleet.registry.write() as session:
        await lock(session, _key(target))
        stored = await settings.sealed(session, _key(target))
        if not stored:
            await settings.put_sealed(session, _key(target), sealed)
            return made
    return fleet.sealer.open(stored, **_place(target))


async def _forget(fleet: Fleet, target: Controller) -> bool:
    """Forgets the password; ``False`` if a migration needs it after all."""
    async with fleet.registry.write() as session:
        await lock(session, _key(target))
        if await _needed(session, target):
            return False
        await settings.put_sealed(session, _key(target), b"")
    return True


async def _needed(session: ReadSession, target: Controller) -> bool:
    active = await migrations.page(session, states=_STATES, limit=10_000)
    return any(each.target_id == target.id for each in active)


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


def _key(target: Controller) -> str:
    return f"migration-login/{target.uuid}"


def _place(target: Controller) -> dict[str, str]:
    return {"table": "sealed_settings", "column": "sealed", "row": _key(target)}
