"""``Client`` 6 to 8, on a model's link."""

from collections.abc import Sequence

from jimm.controllers import deadlines
from jimm.controllers.link import Link
from jimm.wire.params.client import StatusParams


async def full_status(
    link: Link, patterns: Sequence[str] = (), *, deadline: float = deadlines.READ
) -> dict[str, object]:
    """What ``juju status`` shows, as a plain value; allowed throughout a migration."""
    return await link.call_plain(
        "Client",
        "FullStatus",
        StatusParams(patterns=list(patterns)),
        versions=(6, 7, 8),
        deadline=deadline,
    )
