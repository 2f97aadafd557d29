"""What passes below a model's path, as the open pipes know it."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from jimm.audit.call import Call
from jimm.audit.recorder import Conversation, Recorder
from jimm.errors import JimmError, TryAgain
from jimm.proxy.doorkeeper import Admission
from jimm.proxy.paths import Headers, Level, Passage
from jimm.proxy.pipes import Pipes
from jimm.proxy.visitors import Visitors
from jimm.wire.params.admin import LoginRequest


class Gate(Protocol):
    """Decides who may pass (:class:`jimm.proxy.keeper.Keeper`)."""

    async def admit_http(
        self, model: str, identity: str, level: Level, *, changes: bool
    ) -> Admission:
        """Somebody known wants to pass below a model's path.

        Raises:
            Forbidden: they may see the model, and not do this with it.
            ModelNotFound: no such model, or none that they may know of.
            MigrationUnderway: it would change a model that is being moved.
            ControllerUnavailable: its controller is known to be away.
        """
        ...


class Closed(TryAgain):
    """It was ended from outside: what somebody may do, or where the model is, has changed."""


class Passing:
    """One request or stream under way, an :class:`~jimm.proxy.pipes.OpenPipe`."""

    reads_client = True
    reads_controller = True

    def __init__(self) -> None:
        self._over = asyncio.Event()
        self._reason = ""

    def close(self, _code: int, reason: str) -> None:
        """Ends it."""
        self._reason = self._reason or reason
        self._over.set()

    async def closed(self) -> None:
        """Waits until it is ended from outside.

        Raises:
            Closed: always.
        """
        await self._over.wait()
        raise Closed(self._reason)


class Turnstile:
    """Lets those pass who may, and knows them while they do."""

    def __init__(
        self, visitors: Visitors, gate: Gate, pipes: Pipes, recorder: Recorder | None = None
    ) -> None:
        self._visitors = visitors
        self._gate = gate
        self._pipes = pipes
        self._recorder = recorder

    @asynccontextmanager
    async def admit(
        self, passage: Passage, headers: Headers
    ) -> AsyncIterator[tuple[Admission, Passing]]:
        """Who sends these headers passes, for as long as this lasts.

        Raises:
            Unauthorized, SessionTokenInvalid, TryAgain: as :meth:`Visitors.identify`.
            Forbidden, ModelNotFound, MigrationUnderway, ControllerUnavailable: as
                :meth:`Gate.admit_http`.
        """
        if self._recorder is None:
            admission = await self._admit(passage, headers, None)
        else:
            await self._recorder.room()
            admission = await self._recorded(passage, headers, self._recorder)
        passing = Passing()
        self._pipes.add(passing, admission)
        try:
            yield admission, passing
        finally:
            self._pipes.discard(passing)

    async def _admit(
        self, passage: Passage, headers: Headers, conversation: Conversation | None
    ) -> Admission:
        identity = await self._visitors.identify(headers)
        if conversation is not None:
            conversation.is_of(identity=identity, door="model", model_uuid=passage.model)
        return await self._gate.admit_http(
            passage.model, identity, passage.level, changes=passage.changes
        )

    async def _recorded(self, passage: Passage, headers: Headers, recorder: Recorder) -> Admission:
        """As :meth:`_admit`; one record of who sent what where, one more if it is refused."""
        conversation = recorder.conversation(identity="", door="model", model_uuid=passage.model)
        refused: JimmError | None = None
        try:
            admission = await self._admit(passage, headers, conversation)
            conversation.is_of(
                identity=admission.identity,
                door="model",
                model_uuid=passage.model,
                controller=admission.endpoint.name,
            )
            return admission
        except JimmError as error:
            refused = error
            raise
        finally:
            path = passage.target.partition("?")[0]
            method = f"{passage.method} {passage.kind.value}"
            conversation.called(Call(request=method, id=path))
            if refused is not None:
                conversation.failed(0, str(refused), refused.juju_code)


def authorization(login: LoginRequest) -> str:
    """A login as a controller takes it in an HTTP header (Juju
    ``apiserver/authentication/jwt``, ``apiserver/stateauthenticator``)."""
    if login.token:
        return f"Bearer {login.token}"
    pair = base64.b64encode(f"{login.auth_tag}:{login.credentials}".encode()).decode()
    return f"Basic {pair}"
