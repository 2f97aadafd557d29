"""Whom the porter asks: who is this, may they come in, and where does the model live?"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from jimm.access.devices import Code
from jimm.access.visitor import Visitor
from jimm.controllers.endpoint import Endpoint
from jimm.proxy.guard import Restriction
from jimm.proxy.porter import Introduction, Shown
from jimm.wire.login import Attempt
from jimm.wire.params.admin import LoginRequest
from jimm.wire.secret import Secret
from jimm.wire.tags import ModelUUID


@dataclass(frozen=True, slots=True)
class Admission:
    """Somebody may come in.

    ``identity`` is the full name (``alice@jimm``), by which open pipes are found again;
    ``user_tag`` is what the client is shown (``user-alice``). ``login`` is for the controller
    at ``endpoint`` and holds all of the user's levels there, which are ``access``, by tag.
    ``shown`` stands in the client's login result where the controller would tell of itself.
    ``going`` says that the model is being destroyed; ``restriction`` that it is being moved, and
    what may not be done with it. ``token_id`` is of the session token that they showed.
    """

    identity: str
    user_tag: str
    model_uuid: ModelUUID
    endpoint: Endpoint
    login: LoginRequest
    shown: Shown
    access: Mapping[str, str] = field(default_factory=dict)
    going: bool = False
    restriction: Restriction | None = None
    token_id: str | None = None

    def introduction(self) -> Introduction:
        """What the porter needs of it."""
        return Introduction(
            controller_name=self.endpoint.name,
            controller_uuid=self.endpoint.uuid,
            model_uuid=self.model_uuid,
            user_tag=self.user_tag,
            login=self.login,
            shown=self.shown,
            going=self.going,
        )

    def remembered(self) -> "Admission":
        """What is kept of it for as long as they stay: the login serves once."""
        return replace(self, login=_SPENT)


_SPENT: Final = LoginRequest(auth_tag="", credentials="", nonce="", user_data="")


class Doorkeeper(Protocol):
    """Knows people, models and controllers. Asked once for each login, never per message."""

    async def admit(self, model: str, attempt: Attempt, visitor: Visitor) -> Admission:
        """Checks the proof, the access and the model.

        ``model`` is the uuid in the path: well-formed, and perhaps nobody's. ``visitor`` is
        who opened the socket.

        Raises:
            InvalidLogin: wrong name or password.
            SessionTokenInvalid: a session token that can't be used.
            ModelNotFound: no such model, or none that this user may know of; the text is
                ``unknown model: "<uuid>"``.
            ControllerUnavailable: its controller is known to be away.
            JimmError: anything else that the client is to be told.
        """
        ...

    async def readmit(self, admission: Admission) -> Admission:
        """The same with a fresh login, after the controller said ``access required``.

        Raises:
            Unauthorized: JIMM's relations do not allow it either.
            JimmError: it can't be found out now.
        """
        ...

    async def begin_device(self, visitor: Visitor) -> Code:
        """A device login for who opened the socket."""
        ...

    async def await_device(self, login_id: str) -> Secret:
        """The session token of whoever confirms it.

        Raises:
            FatalLogin: it was refused, ran out, or was collected already.
        """
        ...
