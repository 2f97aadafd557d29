"""What a Juju controller does and JIMM, on purpose, does not; each says what to do instead."""

from typing import Final

from jimm.errors import NotSupported
from jimm.facades.session import SessionFacade
from jimm.wire.facade import method
from jimm.wire.params.common import Error
from jimm.wire.params.controller import (
    InitiateMigration,
    InitiateMigrationResult,
    InitiateMigrationResults,
)

VERSIONS: Final = (11, 12, 13)

_NO_CONTROLLER: Final = (
    "JIMM is no controller to destroy: use `jimmctl remove-controller`, or destroy a controller "
    "with a juju client of its own"
)
_NO_CREDENTIALS: Final = (
    "JIMM shows no clouds' credentials here: use `juju show-credential --show-secrets`"
)


class ControllerRefusals(SessionFacade):
    """The half of ``Controller`` that is refused."""

    @method("InitiateMigration", versions=VERSIONS)
    async def initiate_migration(self, params: InitiateMigration) -> InitiateMigrationResults:
        """Models move between the controllers that JIMM has, on JIMM's own command."""
        rows = []
        for spec in params.specs:
            uuid = spec.model_tag.removeprefix("model-")
            refusal = NotSupported(
                "juju migrate is not for models behind JIMM: use "
                f"`jimmctl migrate CONTROLLER {uuid}`"
            )
            rows.append(
                InitiateMigrationResult(
                    model_tag=spec.model_tag, error=Error.of(refusal), migration_id=""
                )
            )
        return InitiateMigrationResults(results=rows)

    @method("ConfigSet", versions=VERSIONS)
    async def config_set(self) -> None:
        """JIMM's settings are the operator's."""
        raise NotSupported(
            "JIMM's settings are not set here: see docs/reference/settings.md; a controller's own "
            "are set with a juju client of that controller"
        )

    @method("DestroyController", versions=VERSIONS)
    async def destroy_controller(self) -> None:
        """Nothing is destroyed."""
        raise NotSupported(_NO_CONTROLLER)

    @method("HostedModelConfigs", versions=VERSIONS)
    async def hosted_model_configs(self) -> None:
        """``juju kill-controller`` asks it first."""
        raise NotSupported(_NO_CONTROLLER)

    @method("RemoveBlocks", versions=VERSIONS)
    async def remove_blocks(self) -> None:
        """Blocks are a model's own."""
        raise NotSupported("enable the commands on each model: juju enable-command all -m MODEL")

    @method("DashboardConnectionInfo", versions=VERSIONS)
    async def dashboard_connection_info(self) -> None:
        """The Dashboard is reached directly."""
        url = self.session.fleet.settings.dashboard_url
        raise NotSupported(
            f"open {url} in a browser" if url else "no Juju Dashboard is set up for JIMM"
        )

    @method("CloudSpec", versions=VERSIONS)
    async def cloud_spec(self) -> None:
        """For agents, and for clients that would use a cloud themselves."""
        raise NotSupported(_NO_CREDENTIALS)

    @method("GetCloudSpec", versions=(11, 12))
    async def get_cloud_spec(self) -> None:
        """As ``CloudSpec``."""
        raise NotSupported(_NO_CREDENTIALS)

    @method("WatchCloudSpecsChanges", versions=(11, 12))
    async def watch_cloud_specs_changes(self) -> None:
        """As ``CloudSpec``."""
        raise NotSupported(_NO_CREDENTIALS)

    @method("WatchAllModels", versions=VERSIONS)
    async def watch_all_models(self) -> None:
        """Its watcher would have to know every unit of every model."""
        raise NotSupported("watch the models instead: WatchModelSummaries, or each model's own")
