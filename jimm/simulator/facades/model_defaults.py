"""The half of ``ModelManager`` 9 and 10 that keeps defaults of settings."""

from collections.abc import Iterable

import msgspec

from jimm.errors import JimmError, NotFound
from jimm.simulator.model_settings import DEFAULTS
from jimm.simulator.session import Answering, each
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

VERSIONS = (9, 10)


class ModelDefaults(Answering):
    """Defaults by cloud and by region."""

    @method("ModelDefaultsForClouds", versions=VERSIONS)
    async def model_defaults_for_clouds(self, params: Entities) -> ModelDefaultsResults:
        """The defaults that were set on some clouds and in their regions."""
        return ModelDefaultsResults(results=[self._defaults(entity) for entity in params.entities])

    @method("SetModelDefaults", versions=VERSIONS)
    async def set_model_defaults(self, params: SetModelDefaults) -> ErrorResults:
        """Sets defaults; superusers only."""
        self.caller.require_superuser(self.core)
        return await each(params.config, self._set)

    @method("UnsetModelDefaults", versions=VERSIONS)
    async def unset_model_defaults(self, params: UnsetModelDefaults) -> ErrorResults:
        """Takes defaults away; superusers only."""
        self.caller.require_superuser(self.core)
        return await each(params.keys, self._unset)

    def _defaults(self, entity: Entity) -> ModelDefaultsResult:
        try:
            cloud = parse_cloud_tag(entity.tag)
            self.caller.require_cloud(self.core, cloud, "add-model")
        except JimmError as error:
            return ModelDefaultsResult(config={}, error=Error.of(error))
        kept = self.core.store.controller.model_defaults
        config = {key: ModelDefault(default=value) for key, value in DEFAULTS.items()}
        for key, value in kept.get(cloud, {}).items():
            before = config.get(key, ModelDefault())
            config[key] = msgspec.structs.replace(before, controller=value)
        for place, values in kept.items():
            if not place.startswith(f"{cloud}/"):
                continue
            for key, value in values.items():
                region = RegionDefault(region_name=place.partition("/")[2], value=value)
                before = config.get(key, ModelDefault())
                config[key] = msgspec.structs.replace(before, regions=[*before.regions, region])
        return ModelDefaultsResult(config=config)

    async def _set(self, values: ModelDefaultValues) -> None:
        place = self._place(values.cloud_tag, values.cloud_region)
        kept = self.core.store.controller.model_defaults
        self._keep(place, {**kept.get(place, {}), **values.config})

    async def _unset(self, wanted: ModelUnsetKeys) -> None:
        place = self._place(wanted.cloud_tag, wanted.cloud_region)
        self._keep(place, self._without(place, wanted.keys))

    def _without(self, place: str, keys: Iterable[str]) -> dict[str, object]:
        kept = self.core.store.controller.model_defaults.get(place, {})
        return {key: value for key, value in kept.items() if key not in set(keys)}

    def _place(self, tag: str, region: str) -> str:
        store = self.core.store
        home = store.models[store.controller.model_uuid].cloud
        cloud = parse_cloud_tag(tag) if tag else home
        if cloud not in store.controller.clouds:
            raise NotFound(f'cloud "{cloud}" not found')
        return f"{cloud}/{region}" if region else cloud

    def _keep(self, place: str, values: dict[str, object]) -> None:
        controller = self.core.store.controller
        defaults = {**controller.model_defaults, place: values}
        self.core.store.put(msgspec.structs.replace(controller, model_defaults=defaults))
