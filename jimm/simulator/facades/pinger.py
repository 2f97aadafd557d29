"""``Pinger`` 1."""

from jimm.simulator.session import Answering
from jimm.wire.facade import method


class Pinger(Answering):
    """Answers pings, on both kinds of sockets."""

    name = "Pinger"

    @method("Ping", versions=(1,))
    async def ping(self) -> None:
        """Does nothing."""
