"""``UserManager`` 3: everybody who logs in to JIMM, and the users made in it."""

from datetime import UTC, datetime

from jimm.errors import NotSupported
from jimm.facades.listed import connected
from jimm.facades.session import SessionFacade, each, errors
from jimm.fleet import users
from jimm.fleet.controllers import require_administrator
from jimm.fleet.users import Accounts, ModelUser
from jimm.registry.users import User
from jimm.wire import tags
from jimm.wire.facade import method
from jimm.wire.params import user_manager as params_
from jimm.wire.params.common import Entities, Entity, Error, ErrorResults
from jimm.wire.params.model_manager import UserModelInfo
from jimm.wire.secret import Secret
from jimm.wire.tags import ModelUUID


class UserManager(SessionFacade):
    """The users of JIMM, as far as the caller may know of them."""

    name = "UserManager"

    @method("UserInfo", versions=(3,))
    async def user_info(self, params: params_.UserInfoRequest) -> params_.UserInfoResults:
        """The users asked for; else all for administrators, oneself for others."""
        if params.entities:
            rows = await each(params.entities, self._one, _user_refused)
            return params_.UserInfoResults(results=rows)
        found = await users.listed(
            self._kept, self.session.caller, disabled=params.include_disabled
        )
        return params_.UserInfoResults(
            results=[params_.UserInfoResult(result=self._info(user)) for user in found]
        )

    @method("ModelUserInfo", versions=(3,))
    async def model_user_info(self, params: Entities) -> params_.ModelUserInfoResults:
        """Who may use some models; one that can't be told fails the call, as Juju's does."""
        session = self.session
        rows: list[params_.ModelUserInfoResult] = []
        for entity in params.entities:
            uuid = tags.parse_model_tag(entity.tag)
            found = await users.of_model(session.fleet, session.caller, uuid)
            rows += [self._model_user(uuid, user) for user in found]
        return params_.ModelUserInfoResults(results=rows)

    @method("AddUser", versions=(3,))
    async def add_user(self, params: params_.AddUsers) -> params_.AddUserResults:
        """Makes users of JIMM; each needs a password, for JIMM gives no registration keys."""
        require_administrator(self.session.caller)

        async def one(asked: params_.AddUser) -> params_.AddUserResult:
            users.require_no_key(asked.password)
            identity = await users.add(
                self._kept,
                self.session.caller,
                asked.username,
                Secret(asked.password),
                display_name=asked.display_name,
            )
            return params_.AddUserResult(tag=self.session.user_tag(identity))

        def refused(_: params_.AddUser, error: Error) -> params_.AddUserResult:
            return params_.AddUserResult(error=error)

        return params_.AddUserResults(results=await each(params.users, one, refused))

    @method("SetPassword", versions=(3,))
    async def set_password(self, params: params_.EntityPasswords) -> ErrorResults:
        """Everybody their own, administrators anybody's; all of the user's sessions end."""

        async def one(change: params_.EntityPassword) -> None:
            name = tags.parse_user_tag(change.tag)
            await users.set_password(self._kept, self.session.caller, name, Secret(change.password))

        return await errors(params.changes, one)

    @method("ResetPassword", versions=(3,))
    async def reset_password(self, params: Entities) -> params_.AddUserResults:
        """Not supported, for lack of registration keys."""
        require_administrator(self.session.caller)

        def refused(entity: Entity, error: Error) -> params_.AddUserResult:
            return params_.AddUserResult(tag=entity.tag, error=error)

        rows = await each(params.entities, _no_key, refused)
        return params_.AddUserResults(results=rows)

    @method("EnableUser", versions=(3,))
    async def enable_user(self, params: Entities) -> ErrorResults:
        """Lets users log in again; for administrators."""
        require_administrator(self.session.caller)

        async def one(entity: Entity) -> None:
            name = tags.parse_user_tag(entity.tag)
            await users.enable(self._kept, self.session.caller, name)

        return await errors(params.entities, one)

    @method("DisableUser", versions=(3,))
    async def disable_user(self, params: Entities) -> ErrorResults:
        """Lets users log in no more, and ends their sessions; for administrators."""
        require_administrator(self.session.caller)

        async def one(entity: Entity) -> None:
            name = tags.parse_user_tag(entity.tag)
            await users.disable(self._kept, self.session.caller, name)

        return await errors(params.entities, one)

    @method("RemoveUser", versions=(3,))
    async def remove_user(self, params: Entities) -> ErrorResults:
        """Forgets users who own no models; for administrators."""
        require_administrator(self.session.caller)

        async def one(entity: Entity) -> None:
            name = tags.parse_user_tag(entity.tag)
            await users.remove(self._kept, self.session.caller, name)

        return await errors(params.entities, one)

    @property
    def _kept(self) -> Accounts:
        return Accounts.of(self.session.fleet)

    async def _one(self, asked: Entity) -> params_.UserInfoResult:
        identity = self.session.identity(asked.tag)
        found = await users.show(self._kept, self.session.caller, identity)
        if found is not None:
            return params_.UserInfoResult(result=self._info(found))
        return params_.UserInfoResult(
            result=params_.UserInfo(
                username=self.session.user_id(identity),
                display_name="",
                access="",
                created_by="",
                disabled=False,
            )
        )

    def _info(self, user: User) -> params_.UserInfo:
        access = "superuser" if user.admin else "login"
        return params_.UserInfo(
            username=self.session.user_id(user.name),
            display_name=user.display_name,
            access="" if user.disabled else access,
            created_by=self.session.user_id(user.created_by),
            date_created=_written(user.created_at),
            last_connection=connected(user.last_login_at),
            disabled=user.disabled,
        )

    def _model_user(self, model: ModelUUID, user: ModelUser) -> params_.ModelUserInfoResult:
        return params_.ModelUserInfoResult(
            result=UserModelInfo(
                model_tag=tags.model_tag(model),
                user=self.session.user_id(user.identity),
                display_name=user.display_name,
                last_connection=connected(user.last_connection),
                access=user.level,
            )
        )


async def _no_key(_: Entity) -> params_.AddUserResult:
    raise NotSupported(
        "JIMM gives no registration keys: give the user a new password "
        "(juju change-user-password USER, or jimm user passwd USER)"
    )


def _user_refused(_: Entity, error: Error) -> params_.UserInfoResult:
    return params_.UserInfoResult(error=error)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
