"""One logged-in client on ``/api``, and the names as it knows them."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from jimm.access.names import qualify, shown
from jimm.errors import JimmError, Unauthorized
from jimm.facades.watchers import Watchers
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.wire import tags
from jimm.wire.facade import Facade
from jimm.wire.params.common import Error, ErrorResult, ErrorResults
from jimm.wire.tags import CredentialId

A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Session:
    """What a facade works with.

    Users of the local domain are shown, and accepted, by their bare names: the juju client
    and python-libjuju insist on the name that they logged in with. ``alias`` is the bare client
    id of a service account that logged in with it, else empty: it means the caller too.
    """

    fleet: Fleet
    caller: Caller
    alias: str = ""
    watchers: Watchers = field(default_factory=Watchers)

    def user_id(self, identity: str) -> str:
        """An identity as the client knows it: bare for the local domain, and for itself where
        it logged in so."""
        if self.alias and identity == self.caller.identity:
            return self.alias
        return shown(identity, self.fleet.local_domain)

    def user_tag(self, identity: str) -> str:
        """An identity's tag as the client knows it."""
        return tags.user_tag(self.user_id(identity))

    def identity(self, tag: str) -> str:
        """The identity in a user tag; the caller's own for an empty one.

        Raises:
            NotValid: it is no user tag.
        """
        if not tag:
            return self.caller.identity
        return self.full_name(tags.parse_user_tag(tag))

    def full_name(self, user_id: str) -> str:
        """The identity that a user id of the client's means."""
        if self.alias and user_id == self.alias:
            return self.caller.identity
        return qualify(user_id, self.fleet.local_domain)

    def require_self(self, tag: str) -> None:
        """Nothing, where the tag means the caller, or the caller administers JIMM.

        Raises:
            NotValid: it is no user tag.
            Unauthorized: it is somebody else's.
        """
        if self.identity(tag) != self.caller.identity and not self.caller.admin:
            raise Unauthorized

    def credential_tag(self, credential: CredentialId) -> str:
        """A credential's tag as the client knows it."""
        return tags.credential_tag(credential._replace(owner=self.user_id(credential.owner)))

    def credential(self, tag: str) -> CredentialId:
        """The credential in a tag, its owner in full.

        Raises:
            NotValid: it is no credential tag.
        """
        credential = tags.parse_credential_tag(tag)
        return credential._replace(owner=self.full_name(credential.owner))


class SessionFacade(Facade):
    """Base of JIMM's facades."""

    def __init__(self, session: Session) -> None:
        self.session = session


async def each(
    inputs: Iterable[A],
    act: Callable[[A], Awaitable[R]],
    refused: Callable[[A, Error], R],
) -> list[R]:
    """One row for each input of a bulk call, in order; a failure spares the others."""
    rows: list[R] = []
    for given in inputs:
        try:
            rows.append(await act(given))
        except JimmError as error:
            rows.append(refused(given, Error.of(error)))
    return rows


async def errors(inputs: Iterable[A], act: Callable[[A], Awaitable[None]]) -> ErrorResults:
    """As :func:`each`, for a call whose rows tell nothing but what failed."""

    async def one(given: A) -> ErrorResult:
        await act(given)
        return ErrorResult()

    def refused(_: A, error: Error) -> ErrorResult:
        return ErrorResult(error=error)

    return ErrorResults(results=await each(inputs, one, refused))
