"""``UserManager`` 3: local users of a controller."""

from collections.abc import Sequence
from typing import Final, TypeVar

from msgspec import Struct

from jimm.controllers import deadlines
from jimm.controllers.calls.rows import as_many, only, only_done, present, refuse_error
from jimm.controllers.link import Link
from jimm.wire import codes
from jimm.wire.params.common import Entities, Entity, ErrorResults
from jimm.wire.params.user_manager import (
    AddUser,
    AddUserResults,
    AddUsers,
    EntityPassword,
    EntityPasswords,
    UserInfo,
    UserInfoRequest,
    UserInfoResults,
)
from jimm.wire.secret import Secret
from jimm.wire.tags import user_tag

T = TypeVar("T")

_FACADE: Final = "UserManager"
_VERSIONS: Final = (3,)


async def add_user(
    link: Link,
    name: str,
    password: Secret,
    *,
    display_name: str = "",
    deadline: float = deadlines.CHANGE,
) -> str:
    """Adds a local user and gives their tag; ``already exists`` if there is one."""
    user = AddUser(username=name, display_name=display_name, password=password.reveal())
    answer = await _call(link, "AddUser", AddUsers(users=[user]), AddUserResults, deadline)
    row = only(link, answer.results)
    refuse_error(row.error)
    return row.tag


async def set_password(
    link: Link, user: str, password: Secret, *, deadline: float = deadlines.CHANGE
) -> None:
    """Gives a user a new password."""
    change = EntityPassword(tag=user_tag(user), password=password.reveal())
    params = EntityPasswords(changes=[change])
    only_done(link, await _call(link, "SetPassword", params, ErrorResults, deadline))


async def enable_user(link: Link, user: str, *, deadline: float = deadlines.CHANGE) -> None:
    """Lets a disabled user log in again."""
    params = Entities.of(user_tag(user))
    only_done(link, await _call(link, "EnableUser", params, ErrorResults, deadline))


async def disable_user(link: Link, user: str, *, deadline: float = deadlines.CHANGE) -> None:
    """Keeps a user from logging in."""
    params = Entities.of(user_tag(user))
    only_done(link, await _call(link, "DisableUser", params, ErrorResults, deadline))


async def remove_user(link: Link, user: str, *, deadline: float = deadlines.CHANGE) -> None:
    """Removes a user; the name can be given anew."""
    params = Entities.of(user_tag(user))
    only_done(link, await _call(link, "RemoveUser", params, ErrorResults, deadline))


async def user_info(link: Link, user: str, *, deadline: float = deadlines.READ) -> UserInfo:
    """One user, disabled or not."""
    params = UserInfoRequest(entities=[Entity(tag=user_tag(user))], include_disabled=True)
    answer = await _call(link, "UserInfo", params, UserInfoResults, deadline)
    row = only(link, answer.results)
    refuse_error(row.error)
    return present(link, row.result)


async def known_users(
    link: Link, users: Sequence[str], *, deadline: float = deadlines.READ
) -> frozenset[str]:
    """Those of some users that exist, disabled ones included; one that was removed does not.

    Raises:
        RemoteError: the caller may not ask for them.
    """
    if not users:
        return frozenset()  # asked for nobody, the controller would tell everybody
    entities = [Entity(tag=user_tag(user)) for user in users]
    params = UserInfoRequest(entities=entities, include_disabled=True)
    answer = await _call(link, "UserInfo", params, UserInfoResults, deadline)
    found = set()
    for user, row in zip(users, as_many(link, answer.results, len(users)), strict=True):
        if row.error is None:
            found.add(user)
        elif row.error.code == codes.UNAUTHORIZED:
            raise row.error.raised()
    return frozenset(found)


async def _call(link: Link, method: str, params: Struct, result: type[T], deadline: float) -> T:
    return await link.call(_FACADE, method, params, result, versions=_VERSIONS, deadline=deadline)
