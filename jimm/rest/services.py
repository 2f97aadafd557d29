"""What the routes are built on; apart from them, for a start that needs no route yet."""

from collections.abc import Callable
from dataclasses import dataclass

from jimm.access.keys import KeyRing
from jimm.access.logins import Logins
from jimm.access.names import shown
from jimm.access.tokens import SessionTokens
from jimm.fleet.fleet import Fleet
from jimm.migration.experience import Experience
from jimm.migration.followers import Followers


@dataclass(frozen=True)
class Services:
    """What the routes are built on; ``is_working`` tells whether the background work goes on."""

    fleet: Fleet
    logins: Logins
    tokens: SessionTokens
    keys: KeyRing
    experience: Experience
    followers: Followers
    is_working: Callable[[], bool]

    def user_id(self, identity: str) -> str:
        """An identity as it is shown: bare for the local domain."""
        return shown(identity, self.fleet.local_domain)
