"""One login on one socket, and the base of the facades that serve it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from jimm.errors import JimmError, ModelNotFound, NotFound
from jimm.simulator.access import Caller
from jimm.simulator.core import Core
from jimm.simulator.migration.views import Restriction
from jimm.simulator.state import Model
from jimm.simulator.watchers import Watchers
from jimm.wire.facade import Facade
from jimm.wire.params.common import Error, ErrorResult, ErrorResults
from jimm.wire.tags import ModelUUID

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Session:
    """Who logged in where. ``restriction`` is fixed at login, as Juju fixes it."""

    core: Core
    caller: Caller
    model_uuid: ModelUUID | None
    restriction: Restriction = Restriction.NONE
    watchers: Watchers = field(default_factory=Watchers)

    @property
    def model(self) -> Model:
        """The model of this socket.

        Raises:
            ModelNotFound: it is gone.
        """
        if self.model_uuid is None or self.model_uuid not in self.core.store.models:
            raise ModelNotFound(f'unknown model: "{self.model_uuid}"')
        return self.core.store.models[self.model_uuid]


class Answering(Facade):
    """A facade at work for one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.core = session.core
        self.caller = session.caller

    def find_model(self, uuid: ModelUUID) -> Model:
        """The model of that uuid.

        Raises:
            NotFound: there is none, in the words of ``ModelManager``.
        """
        model = self.core.store.models.get(uuid)
        if model is None:
            raise NotFound(f'model "{uuid}" not found')
        return model


async def each(inputs: Iterable[T], act: Callable[[T], Awaitable[None]]) -> ErrorResults:
    """A bulk call that returns nothing: one row for each input, in order."""
    rows: list[ErrorResult] = []
    for one in inputs:
        try:
            await act(one)
        except JimmError as error:
            rows.append(ErrorResult(error=Error.of(error)))
        else:
            rows.append(ErrorResult())
    return ErrorResults(results=rows)
