"""``Secrets`` 2, on a model's link."""

from jimm.controllers import deadlines
from jimm.controllers.link import Link
from jimm.wire.params.common import Params
from jimm.wire.params.secrets import ListSecrets


class _Revision(Params, kw_only=True):
    backend_name: str = ""


class _Listed(Params, kw_only=True):
    revisions: list[_Revision] | None = None


class _Secrets(Params, kw_only=True):
    results: list[_Listed] | None = None


async def backends_in_use(link: Link, *, deadline: float = deadlines.READ) -> frozenset[str]:
    """The names of the secret backends that hold any of the model's secrets; none of their
    contents is asked for."""
    found = await link.call(
        "Secrets", "ListSecrets", ListSecrets(), _Secrets, versions=(2,), deadline=deadline
    )
    revisions = [each for row in found.results or () for each in row.revisions or ()]
    return frozenset(each.backend_name for each in revisions if each.backend_name)
