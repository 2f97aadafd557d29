"""``Pinger`` 1: clients call it every few seconds and take any error for a broken connection."""

from jimm.facades.session import SessionFacade
from jimm.wire.facade import method


class Pinger(SessionFacade):
    """That somebody is there."""

    name = "Pinger"

    @method("Ping", versions=(1,))
    async def ping(self) -> None:
        """Nothing, at once."""
