"""The part of ``ModelManager`` 9 to 11 that keeps settings for models to come."""

from typing import Final

from jimm.facades.session import SessionFacade, each, errors
from jimm.fleet import defaults
from jimm.fleet.defaults import Setting
from jimm.wire.facade import method
from jimm.wire.params.common import Entities, Entity, Error, ErrorResults
from jimm.wire.params.model_manager import (
    ModelDefault,
    ModelDefaultsResult,
    ModelDefaultsResults,
    ModelDefaultValues,
    ModelUnsetKeys,
    RegionDefault,
    SetModelDefaults,
    UnsetModelDefaults,
)
from jimm.wire.tags import parse_cloud_tag

VERSIONS: Final = (9, 10, 11)


class ModelDefaults(SessionFacade):
    """Each user's own: what one sets changes nobody else's models."""

    @method("ModelDefaultsForClouds", versions=VERSIONS)
    async def model_defaults_for_clouds(self, params: Entities) -> ModelDefaultsResults:
        """Settings with their defaults: ``controller`` and ``regions`` are what the caller set,
        ``default`` is what a controller of the cloud has by itself."""

        async def one(entity: Entity) -> ModelDefaultsResult:
            session = self.session
            cloud = parse_cloud_tag(entity.tag)
            found = await defaults.of_cloud(session.fleet, session.caller, cloud)
            return ModelDefaultsResult(config={key: _dressed(each) for key, each in found.items()})

        def refused(_: Entity, error: Error) -> ModelDefaultsResult:
            return ModelDefaultsResult(config={}, error=error)

        return ModelDefaultsResults(results=await each(params.entities, one, refused))

    @method("SetModelDefaults", versions=VERSIONS)
    async def set_model_defaults(self, params: SetModelDefaults) -> ErrorResults:
        """Sets some of the caller's; others stay."""

        async def one(values: ModelDefaultValues) -> None:
            session = self.session
            cloud = _cloud(values.cloud_tag)
            await defaults.put(
                session.fleet, session.caller, cloud, values.cloud_region, values.config
            )

        return await errors(params.config, one)

    @method("UnsetModelDefaults", versions=VERSIONS)
    async def unset_model_defaults(self, params: UnsetModelDefaults) -> ErrorResults:
        """Takes some of the caller's away; those that were not set are no error."""

        async def one(wanted: ModelUnsetKeys) -> None:
            session = self.session
            cloud = _cloud(wanted.cloud_tag)
            await defaults.unset(
                session.fleet, session.caller, cloud, wanted.cloud_region, wanted.keys
            )

        return await errors(params.keys, one)


def _cloud(tag: str) -> str:
    return parse_cloud_tag(tag) if tag else ""


def _dressed(setting: Setting) -> ModelDefault:
    return ModelDefault(
        default=setting.builtin,
        controller=setting.cloud,
        regions=[
            RegionDefault(region_name=region, value=value)
            for region, value in setting.regions.items()
        ],
    )
