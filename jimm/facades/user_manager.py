"""``UserManager`` 3: oneself."""

from jimm.errors import Unauthorized
from jimm.facades.session import SessionFacade, each
from jimm.wire.facade import method
from jimm.wire.params.common import Entity, Error
from jimm.wire.params.user_manager import (
    UserInfo,
    UserInfoRequest,
    UserInfoResult,
    UserInfoResults,
)


class UserManager(SessionFacade):
    """The users of JIMM, as far as the caller may know of them."""

    name = "UserManager"

    @method("UserInfo", versions=(3,))
    async def user_info(self, params: UserInfoRequest) -> UserInfoResults:
        """Who the caller is; ``juju show-user`` and python-libjuju ask it."""
        asked = params.entities or [Entity(tag=self.session.user_tag(self.session.caller.identity))]
        return UserInfoResults(results=await each(asked, self._one, _refused))

    async def _one(self, asked: Entity) -> UserInfoResult:
        caller = self.session.caller
        if self.session.identity(asked.tag) != caller.identity:
            raise Unauthorized
        created = self.session.fleet.now().isoformat()
        return UserInfoResult(
            result=UserInfo(
                username=self.session.user_id(caller.identity),
                display_name="",
                access="superuser" if caller.admin else "login",
                created_by="",
                date_created=created,
                disabled=False,
            )
        )


def _refused(_: Entity, error: Error) -> UserInfoResult:
    return UserInfoResult(error=error)
