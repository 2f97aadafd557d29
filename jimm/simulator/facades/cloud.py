"""``Cloud`` 7 (Juju ``apiserver/facades/client/cloud``): clouds and who may use them."""

import msgspec

from jimm.errors import AlreadyExists, Conflict, JimmError, NotFound, Unauthorized
from jimm.simulator import describe, rules
from jimm.simulator.facades.credentials import Credentials
from jimm.simulator.session import each
from jimm.simulator.state import Cloud as Definition
from jimm.simulator.state import Region
from jimm.wire.facade import method
from jimm.wire.params.cloud import (
    AddCloud,
    CloudInfo,
    CloudInfoResult,
    CloudInfoResults,
    CloudResult,
    CloudResults,
    CloudsResult,
    CloudSummary,
    CloudSummaryResult,
    CloudSummaryResults,
    CloudUserInfo,
    ListCloudInfo,
    ModifyCloudAccess,
    ModifyCloudAccessRequest,
    UpdateCloud,
    UpdateClouds,
)
from jimm.wire.params.cloud import Cloud as CloudParams
from jimm.wire.params.common import Entities, Entity, Error, ErrorResults
from jimm.wire.tags import cloud_tag, parse_cloud_tag, parse_user_tag


class Cloud(Credentials):
    """Clouds; :class:`Credentials` has the other half of the facade."""

    name = "Cloud"

    @method("Clouds", versions=(7,))
    async def clouds(self) -> CloudsResult:
        """The clouds that the caller may use."""
        return CloudsResult(
            clouds={
                cloud_tag(each.name): describe.cloud(self.core, each) for each in self._visible()
            }
        )

    @method("Cloud", versions=(7,))
    async def cloud(self, params: Entities) -> CloudResults:
        """Some clouds' definitions."""
        return CloudResults(results=[self._definition(entity) for entity in params.entities])

    @method("CloudInfo", versions=(7,))
    async def cloud_info(self, params: Entities) -> CloudInfoResults:
        """Clouds with their users."""
        return CloudInfoResults(results=[self._info(entity) for entity in params.entities])

    @method("ListCloudInfo", versions=(7,))
    async def list_cloud_info(self, params: ListCloudInfo) -> CloudSummaryResults:
        """Clouds with the access of one user."""
        if not self.caller.is_self_or_superuser(self.core, parse_user_tag(params.user_tag)):
            raise Unauthorized
        return CloudSummaryResults(
            results=[CloudSummaryResult(result=self._summary(each)) for each in self._visible()]
        )

    @method("ModifyCloudAccess", versions=(7,))
    async def modify_cloud_access(self, params: ModifyCloudAccessRequest) -> ErrorResults:
        """Grants and revokes levels on clouds."""
        return await each(params.changes, self._modify)

    @method("AddCloud", versions=(7,))
    async def add_cloud(self, params: AddCloud) -> None:
        """Adds a cloud; superusers only."""
        self.caller.require_superuser(self.core)
        if params.name in self.core.store.controller.clouds:
            raise AlreadyExists(f'cloud "{params.name}" already exists')
        self._put(_definition(params.name, params.cloud))

    @method("UpdateCloud", versions=(7,))
    async def update_cloud(self, params: UpdateClouds) -> ErrorResults:
        """Changes clouds; superusers only."""
        self.caller.require_superuser(self.core)
        return await each(params.clouds, self._update_cloud)

    @method("RemoveClouds", versions=(7,))
    async def remove_clouds(self, params: Entities) -> ErrorResults:
        """Removes clouds that no model is on, with the credentials for them."""
        return await each(params.entities, self._remove_cloud)

    async def _update_cloud(self, asked: UpdateCloud) -> None:
        known = self._find_cloud(cloud_tag(asked.name))
        if known.type != asked.cloud.type:
            raise Conflict(
                f'cannot change cloud "{asked.name}" type from "{known.type}" '
                f'to "{asked.cloud.type}"'
            )
        changed = _definition(asked.name, asked.cloud)
        self._put(msgspec.structs.replace(changed, users=known.users))

    async def _remove_cloud(self, entity: Entity) -> None:
        cloud = self._find_cloud(entity.tag)
        self.caller.require_cloud(self.core, cloud.name, "admin")
        store = self.core.store
        used = sum(model.cloud == cloud.name for model in store.models.values())
        if used:
            raise Conflict(f"cloud is used by {used} model{'' if used == 1 else 's'}")
        clouds = {k: v for k, v in store.controller.clouds.items() if k != cloud.name}
        gone = [each for each in store.credentials.values() if each.id.cloud == cloud.name]
        store.apply(put=[msgspec.structs.replace(store.controller, clouds=clouds)], remove=gone)

    def _put(self, cloud: Definition) -> None:
        controller = self.core.store.controller
        clouds = {**controller.clouds, cloud.name: cloud}
        self.core.store.put(msgspec.structs.replace(controller, clouds=clouds))

    def _visible(self) -> list[Definition]:
        clouds = self.core.store.controller.clouds.values()
        return [each for each in clouds if self.caller.cloud_access(self.core, each.name)]

    def _find_cloud(self, tag: str) -> Definition:
        name = parse_cloud_tag(tag)
        cloud = self.core.store.controller.clouds.get(name)
        if cloud is None:
            raise NotFound(f'cloud "{name}" not found')
        return cloud

    def _definition(self, entity: Entity) -> CloudResult:
        try:
            cloud = self._find_cloud(entity.tag)
            self.caller.require_cloud(self.core, cloud.name, "add-model")
        except JimmError as error:
            return CloudResult(error=Error.of(error))
        return CloudResult(cloud=describe.cloud(self.core, cloud))

    def _info(self, entity: Entity) -> CloudInfoResult:
        try:
            cloud = self._find_cloud(entity.tag)
            self.caller.require_cloud(self.core, cloud.name, "add-model")
        except JimmError as error:
            return CloudInfoResult(error=Error.of(error))
        is_admin = self.caller.cloud_access(self.core, cloud.name) == "admin"
        users = {"admin": "admin", **cloud.users}
        info = CloudInfo(
            type=cloud.type,
            auth_types=list(cloud.auth_types),
            endpoint=cloud.endpoint,
            regions=describe.regions(cloud),
            users=[
                CloudUserInfo(user=user, display_name="", access=access)
                for user, access in users.items()
                if is_admin or user == self.caller.user
            ],
        )
        return CloudInfoResult(result=info)

    def _summary(self, cloud: Definition) -> CloudSummary:
        return CloudSummary(
            type=cloud.type,
            auth_types=list(cloud.auth_types),
            endpoint=cloud.endpoint,
            regions=describe.regions(cloud),
            user_access=self.caller.cloud_access(self.core, cloud.name),
        )

    async def _modify(self, change: ModifyCloudAccess) -> None:
        cloud = self._find_cloud(change.cloud_tag)
        self.caller.require_cloud(self.core, cloud.name, "admin")
        user = parse_user_tag(change.user_tag)
        if "@" not in user and user not in self.core.store.users:
            raise NotFound(f'could not {change.action} cloud access: user "{user}" not found')
        self._put(rules.with_cloud_access(cloud, user, change.action, change.access))


def _definition(name: str, asked: CloudParams) -> Definition:
    """Without regions it has one, ``default``, as Juju gives it."""
    regions = [Region(name=each.name, endpoint=each.endpoint) for each in asked.regions]
    return Definition(
        name=name,
        type=asked.type,
        endpoint=asked.endpoint,
        auth_types=tuple(asked.auth_types),
        regions=tuple(regions) or (Region(name="default", endpoint=asked.endpoint),),
    )
