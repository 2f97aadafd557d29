"""What each observer sees of a migration. The facades and the login ask here.

Sources: Juju ``apiserver/common/modelinfo.go``, ``apiserver/admin.go``,
``apiserver/restrict_migration.go``.
"""

import datetime
import enum
from collections.abc import Mapping
from typing import Final

import msgspec

from jimm.errors import JimmError
from jimm.simulator.dialects import Release
from jimm.simulator.state import FormerModel, Model
from jimm.wire import codes
from jimm.wire.params.admin import RedirectInfo
from jimm.wire.params.common import EntityStatus
from jimm.wire.params.model_manager import MigrationStatus

ANONYMOUS: Final = "jujuanonymous"
"""The user of cross-model relations, who is always redirected."""

MIGRATED: Final = "the model is being migrated"
"""What 4.0 says of it, and all."""

ALLOWED_WHILE_EXPORTING: Final[Mapping[str, frozenset[str]]] = {
    "Client": frozenset({"FullStatus"}),
    "Storage": frozenset({"ListFilesystems", "ListVolumes", "ListStorageDetails"}),
    "SSHClient": frozenset(
        {
            "PublicAddress",
            "PrivateAddress",
            "BestAPIVersion",
            "AllAddresses",
            "PublicKeys",
            "Proxy",
        }
    ),
    "Pinger": frozenset({"Ping"}),
}
"""What a restricted user may still call on the model, by facade."""


class Restriction(enum.Enum):
    """What a model connection may do. It is fixed at login and never changes afterwards."""

    NONE = enum.auto()
    EXPORTING = enum.auto()
    IMPORTING = enum.auto()

    def refusal(self, facade: str, method: str) -> str:
        """The error text (its code is empty) for a call, or ``""`` if the call may pass."""
        match self:
            case Restriction.NONE:
                return ""
            case Restriction.IMPORTING:
                return "migration in progress, model is importing"
            case Restriction.EXPORTING:
                allowed = method in ALLOWED_WHILE_EXPORTING.get(facade, frozenset())
                return "" if allowed else "model migration in progress"


class Redirected(JimmError):
    """The model has moved, and this user may know where to."""

    code = codes.REDIRECT

    def __init__(self, redirect: RedirectInfo, *, prefix: str = "") -> None:
        super().__init__(f"{prefix}redirection to alternative server required")
        self.redirect = redirect

    @property
    def info(self) -> Mapping[str, object]:
        plain: dict[str, object] = msgspec.to_builtins(self.redirect)
        return plain


def login_restriction(model: Model, *, by_token: bool) -> Restriction:
    """The restriction for a login to the model's socket. Only a login with a user tag is
    restricted; one by JWT is not."""
    if by_token:
        return Restriction.NONE
    match model.mode:
        case "exporting":
            return Restriction.EXPORTING
        case "importing":
            return Restriction.IMPORTING
        case _:
            return Restriction.NONE


def login_redirect(former: FormerModel, user: str, *, by_token: bool) -> RedirectInfo | None:
    """Where a login to the model's socket is sent, decided before any password is checked.

    ``user`` is the id of the auth-tag, empty without one. ``None`` means that the login fails
    as one with a wrong password does.
    """
    if by_token or not user:
        return None
    if user != ANONYMOUS and user not in former.users:
        return None
    return former.redirect


def login_redirect_of_four(
    former: FormerModel, user: str, *, by_token: bool
) -> RedirectInfo | None:
    """The same on 4.0: whoever some other authority vouches for is sent on, and so are the
    local users who had access (Juju 4.0 ``apiserver/admin.go``)."""
    by_token = by_token and not user
    if not by_token and not user:
        return None
    if by_token or user == ANONYMOUS or "@" in user or user in former.users:
        return former.redirect
    return None


def call_redirect(former: FormerModel, user: str) -> RedirectInfo | None:
    """Where ``ModelInfo`` and the like send a logged-in user; without a controller tag, as
    Juju does it. ``None`` means ``permission denied`` from ``ModelInfo`` and ``model "<uuid>"
    not found`` from ``ModelStatus``, ``DestroyModels`` and ``ModifyModelAccess``."""
    if user not in former.users:
        return None
    return msgspec.structs.replace(former.redirect, controller_tag="")


def is_listed(model: Model, release: Release) -> bool:
    """Whether ``ListModels`` and ``ListModelSummaries`` know the model. ``AllModels``,
    ``ModelStatus`` and a superuser's ``ModelInfo`` know every one."""
    return model.mode != "importing" or (release.is_four and not release.takes_envelopes)


def is_there(model: Model, release: Release) -> bool:
    """Whether ``ModelInfo`` and the like know it: 4.1 hides what it takes in until it lives."""
    return model.mode != "importing" or not release.takes_envelopes


def model_status(model: Model, *, credential_valid: bool = True) -> EntityStatus:
    """The status of ``ModelInfo``, summaries and ``FullStatus``. An invalid credential hides
    what the model is doing."""
    since = rfc3339(model.status.since)
    if not credential_valid:
        return EntityStatus(
            status="suspended", info="suspended since cloud credential is not valid", since=since
        )
    return EntityStatus(
        status=model.status.status,
        info=model.status.info,
        data=model.status.data,
        since=since,
    )


def status_of_four(model: Model, now: datetime.datetime) -> EntityStatus:
    """A model's status on 4.0, which is made when somebody asks: busy while it is taken in, and
    nothing of its being moved away."""
    if model.mode == "importing":
        return EntityStatus(status="busy", info=MIGRATED, since=rfc3339(now))
    if model.life != "alive":
        info = "the model is being destroyed"
        return EntityStatus(status="destroying", info=info, since=rfc3339(now))
    return EntityStatus(status="available", info="", since=rfc3339(now))


def migration_status_of_four(model: Model, now: datetime.datetime) -> MigrationStatus | None:
    """``ModelInfo.migration`` on 4.0: only of a model that is taken in."""
    if model.mode != "importing":
        return None
    return MigrationStatus(status=MIGRATED, start=rfc3339(now))


def migration_status(model: Model) -> MigrationStatus | None:
    """``ModelInfo.migration``: the last attempt to move the model away from here."""
    record = model.migration
    if record is None:
        return None
    return MigrationStatus(
        status=record.message,
        start=rfc3339(record.start),
        end=rfc3339(record.end) if record.end is not None else None,
    )


def summary_migration(model: Model, former: FormerModel | None) -> MigrationStatus | None:
    """``ListModelSummaries``' ``migration``: unlike ``ModelInfo`` it also shows the record of a
    model that left and came back."""
    status = migration_status(model)
    if status is not None or former is None or former.migration is None:
        return status
    record = former.migration
    return MigrationStatus(
        status=record.message,
        start=rfc3339(record.start),
        end=rfc3339(record.end) if record.end is not None else None,
    )


def rfc3339(time: datetime.datetime) -> str:
    """A time as Go writes it."""
    return time.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
