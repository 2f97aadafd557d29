"""``Cloud`` 7 (Juju ``apiserver/facades/client/cloud``): clouds and who may use them."""

import msgspec

from jimm.errors import JimmError, NotFound, Unauthorized
from jimm.simulator import describe, rules
from jimm.simulator.facades.credentials import Credentials
from jimm.simulator.session import each
from jimm.simulator.state import Cloud as Definition
from jimm.wire.facade import method
from jimm.wire.params.cloud import (
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
)
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
        changed = rules.with_cloud_access(cloud, user, change.action, change.access)
        controller = self.core.store.controller
        clouds = {**controller.clouds, cloud.name: changed}
        self.core.store.put(msgspec.structs.replace(controller, clouds=clouds))
