"""``ModelConfig`` 3, on a controller's link or a model's."""

from jimm.controllers import deadlines
from jimm.controllers.link import Link
from jimm.wire.params.model_config import ConfigValue, ModelConfigResults


async def model_get(link: Link, *, deadline: float = deadlines.READ) -> dict[str, ConfigValue]:
    """The model's configuration; on a controller's link, the controller model's."""
    answer = await link.call(
        "ModelConfig", "ModelGet", None, ModelConfigResults, versions=(3,), deadline=deadline
    )
    return answer.config
