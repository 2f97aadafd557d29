"""``KeyManager`` 1, on a model's link."""

from collections.abc import Sequence

from jimm.controllers import deadlines
from jimm.controllers.calls.rows import as_many, refuse_error
from jimm.controllers.link import Link
from jimm.wire.params.common import ErrorResults
from jimm.wire.params.key_manager import ModifyKeys

USER = "admin"
"""What every client names; the keys become those of whoever is logged in, or of the model."""


async def add_keys(link: Link, keys: Sequence[str]) -> None:
    """Lets the owners of these public keys into a model's machines.

    Raises:
        RemoteError: one of them is refused, the first that is.
    """
    told = await link.call(
        "KeyManager",
        "AddKeys",
        ModifyKeys(user=USER, ssh_keys=list(keys)),
        ErrorResults,
        versions=(1,),
        deadline=deadlines.CHANGE,
    )
    for row in as_many(link, told.results, len(keys)):
        refuse_error(row.error)
