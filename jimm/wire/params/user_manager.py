"""``UserManager`` 3 (Juju ``rpc/params/usermanager.go``)."""

from jimm.wire.params.common import Entity, Error, Params
from jimm.wire.params.model_manager import UserModelInfo


class UserInfoRequest(Params, kw_only=True):
    """``UserInfo``; no entities means all local users."""

    entities: list[Entity]
    include_disabled: bool


class UserInfo(Params, kw_only=True):
    """A user of the controller; ``access`` is to the controller. ``date_created`` is left out
    for those of whom nobody knows it."""

    username: str
    display_name: str
    access: str
    created_by: str
    date_created: str | None = None
    last_connection: str | None = None
    disabled: bool


class UserInfoResult(Params, kw_only=True):
    """One user, or an error."""

    result: UserInfo | None = None
    error: Error | None = None


class UserInfoResults(Params, kw_only=True):
    """One row for each user."""

    results: list[UserInfoResult]


class ModelUserInfoResult(Params, kw_only=True):
    """Somebody's access to a model, or an error."""

    result: UserModelInfo | None = None
    error: Error | None = None


class ModelUserInfoResults(Params, kw_only=True):
    """``ModelUserInfo``: one row for each user, not for each model."""

    results: list[ModelUserInfoResult]


class AddUser(Params, kw_only=True):
    """A local user to add."""

    username: str
    display_name: str
    password: str = ""

    def __repr__(self) -> str:
        return f"AddUser(username={self.username!r})"


class AddUsers(Params, kw_only=True):
    """``AddUser``."""

    users: list[AddUser]


class AddUserResult(Params, kw_only=True):
    """The new user's tag, or an error."""

    tag: str = ""
    secret_key: str = ""
    error: Error | None = None


class AddUserResults(Params, kw_only=True):
    """One row for each user."""

    results: list[AddUserResult]


class EntityPassword(Params, kw_only=True):
    """A user and their new password."""

    tag: str
    password: str

    def __repr__(self) -> str:
        return f"EntityPassword(tag={self.tag!r})"


class EntityPasswords(Params, kw_only=True):
    """``SetPassword``."""

    changes: list[EntityPassword]
