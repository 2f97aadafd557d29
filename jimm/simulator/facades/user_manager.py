"""``UserManager`` 3 (Juju ``apiserver/facades/client/usermanager``)."""

import msgspec

from jimm.errors import BadRequest, Conflict, JimmError, NotFound, Unauthorized
from jimm.simulator import rules
from jimm.simulator.describe import maybe_rfc3339
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.session import Answering, each
from jimm.simulator.state import ExternalUser, LocalUser
from jimm.wire.facade import method
from jimm.wire.params.common import Entities, Entity, Error, ErrorResults
from jimm.wire.params.user_manager import (
    AddUser,
    AddUserResult,
    AddUserResults,
    AddUsers,
    EntityPassword,
    EntityPasswords,
    UserInfo,
    UserInfoRequest,
    UserInfoResult,
    UserInfoResults,
)
from jimm.wire.tags import parse_user_tag, user_tag


class UserManager(Answering):
    """Users of the controller."""

    name = "UserManager"

    @method("UserInfo", versions=(3,))
    async def user_info(self, params: UserInfoRequest) -> UserInfoResults:
        """The users asked for, or all local ones that the caller may see."""
        if params.entities:
            return UserInfoResults(results=[self._info(entity) for entity in params.entities])
        users = [
            user
            for user in self.core.store.users.values()
            if (params.include_disabled or not user.disabled)
            and self.caller.is_self_or_superuser(self.core, user.name)
        ]
        return UserInfoResults(results=[UserInfoResult(result=_local(user)) for user in users])

    @method("AddUser", versions=(3,))
    async def add_user(self, params: AddUsers) -> AddUserResults:
        """Adds local users; superusers only."""
        self.caller.require_superuser(self.core)
        return AddUserResults(results=[self._add(user) for user in params.users])

    @method("SetPassword", versions=(3,))
    async def set_password(self, params: EntityPasswords) -> ErrorResults:
        """Sets passwords: everybody their own, superusers anybody's."""
        return await each(params.changes, self._set_password)

    @method("EnableUser", versions=(3,))
    async def enable_user(self, params: Entities) -> ErrorResults:
        """Lets users log in again; superusers only."""
        self.caller.require_superuser(self.core)
        return await each(params.entities, self._enable)

    @method("DisableUser", versions=(3,))
    async def disable_user(self, params: Entities) -> ErrorResults:
        """Lets users log in no more; superusers only."""
        self.caller.require_superuser(self.core)
        return await each(params.entities, self._disable)

    @method("RemoveUser", versions=(3,))
    async def remove_user(self, params: Entities) -> ErrorResults:
        """Removes users for good; superusers only."""
        self.caller.require_superuser(self.core)
        return await each(params.entities, self._remove)

    def _info(self, entity: Entity) -> UserInfoResult:
        try:
            user = parse_user_tag(entity.tag)
            if not self.caller.is_self_or_superuser(self.core, user):
                raise Unauthorized
            return UserInfoResult(result=self._describe(user))
        except JimmError as error:
            return UserInfoResult(error=Error.of(error))

    def _describe(self, user: str) -> UserInfo:
        if "@" not in user:
            return _local(self._find(user))
        known = self.core.store.outsiders.get(user)
        if known is None and user != self.caller.user:
            raise NotFound(f'user "{user}" not found')
        known = known or ExternalUser(name=user, created=self.core.clock.now())
        is_caller = user == self.caller.user
        access = self.caller.controller_access(self.core) if is_caller else ""
        return UserInfo(
            username=user,
            display_name="",
            access=access,
            created_by="everyone@external",
            date_created=rfc3339(known.created),
            last_connection=maybe_rfc3339(known.last_connection),
            disabled=False,
        )

    def _add(self, wanted: AddUser) -> AddUserResult:
        store = self.core.store
        try:
            user = rules.new_user(
                store.users,
                wanted.username,
                created_by=self.caller.user,
                now=self.core.clock.now(),
            )
        except JimmError as error:
            return AddUserResult(error=Error.of(error))
        password = rules.hash_password(wanted.password) if wanted.password else None
        store.put(
            msgspec.structs.replace(user, display_name=wanted.display_name, password=password)
        )
        return AddUserResult(tag=user_tag(user.name))

    async def _set_password(self, change: EntityPassword) -> None:
        name = parse_user_tag(change.tag)
        if not self.caller.is_self_or_superuser(self.core, name):
            raise Unauthorized
        if not change.password:
            raise BadRequest("cannot use an empty password")
        user = self._find(name)
        if user.disabled and self.core.release.is_four:
            # Juju 4.0 domain/access/state/user.go
            raise Conflict(
                f'failed to set password: setting password hash for user "{name}": "{name}": '
                "user authentication disabled"
            )
        password = rules.hash_password(change.password)
        self.core.store.put(msgspec.structs.replace(user, password=password))

    async def _enable(self, entity: Entity) -> None:
        user = self._find(parse_user_tag(entity.tag))
        self.core.store.put(msgspec.structs.replace(user, disabled=False))

    async def _disable(self, entity: Entity) -> None:
        user = self._find(parse_user_tag(entity.tag))
        if user.name == "admin":
            raise Unauthorized("failed to disable user: cannot disable controller model owner")
        self.core.store.put(msgspec.structs.replace(user, disabled=True))

    async def _remove(self, entity: Entity) -> None:
        name = parse_user_tag(entity.tag)
        if name == "admin":
            raise Conflict('cannot delete controller owner "admin"')
        user = self._find(name)
        store = self.core.store
        models = [
            msgspec.structs.replace(
                model, users={key: entry for key, entry in model.users.items() if key != name}
            )
            for model in store.models.values()
            if name in model.users
        ]
        store.apply(put=models, remove=[user])

    def _find(self, name: str) -> LocalUser:
        user = self.core.store.users.get(name)
        if user is None:
            raise NotFound(f'user "{name}" not found')
        return user


def _local(user: LocalUser) -> UserInfo:
    return UserInfo(
        username=user.name,
        display_name=user.display_name,
        access=user.access,
        created_by=user.created_by,
        date_created=rfc3339(user.created),
        last_connection=maybe_rfc3339(user.last_connection),
        disabled=user.disabled,
    )
