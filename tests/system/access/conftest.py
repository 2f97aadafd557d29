from collections.abc import Iterator

import pytest

from jimm.access.accounts import add_user
from jimm.access.logins import Logins
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.registry.session import Registry
from jimm.wire.secret import Secret
from tests.system.access.clock import Clock

PASSWORD = Secret("alice's password")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def passwords(clock: Clock) -> Iterator[Passwords]:
    made = Passwords(clock.seconds)
    yield made
    made.close()


@pytest.fixture
def logins(registry: Registry, passwords: Passwords, clock: Clock) -> Logins:
    return Logins(registry, "jimm", passwords, clock)


@pytest.fixture
def session_tokens(registry: Registry, clock: Clock) -> SessionTokens:
    return SessionTokens(registry, clock)


@pytest.fixture
async def alice(registry: Registry) -> str:
    """The identity of a user with a password."""
    return await add_user(registry, "alice", PASSWORD, admin=False, local_domain="jimm")
