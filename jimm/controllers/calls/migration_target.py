"""``MigrationTarget`` 4 to 6, for superusers of the target."""

from jimm.controllers import deadlines
from jimm.controllers.link import Link
from jimm.wire.params.common import Empty
from jimm.wire.params.migration_target import ModelArgs
from jimm.wire.tags import ModelUUID, model_tag


async def abort(link: Link, model: ModelUUID, *, deadline: float = deadlines.CHANGE) -> None:
    """Removes a model that is still being imported.

    Raises:
        RemoteError: ``not found``, or an empty code where the model is not importing.
    """
    await link.call(
        "MigrationTarget",
        "Abort",
        ModelArgs(model_tag=model_tag(model)),
        Empty,
        versions=(4, 5, 6),
        deadline=deadline,
    )
