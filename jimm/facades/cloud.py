"""``Cloud`` 7: the clouds of all controllers, and users' credentials for them."""

import msgspec

from jimm.facades.credentials import Credentials
from jimm.facades.session import each, errors
from jimm.fleet import cloud_changes, clouds
from jimm.fleet.cloud_changes import NewCloud
from jimm.registry.clouds import Cloud as CloudRecord
from jimm.wire.facade import method
from jimm.wire.fold import convert
from jimm.wire.params import cloud as params_
from jimm.wire.params.common import Entities, Entity, Error, ErrorResults
from jimm.wire.tags import cloud_tag, parse_cloud_tag, parse_user_tag


class Cloud(Credentials):
    """Clouds; :class:`Credentials` has the other half of the facade."""

    name = "Cloud"

    @method("Clouds", versions=(7,))
    async def clouds(self) -> params_.CloudsResult:
        """The clouds on which the caller may add models."""
        found = await clouds.visible(self.session.fleet, self.session.caller)
        return params_.CloudsResult(
            clouds={cloud_tag(each.name): definition(each) for each in found}
        )

    @method("Cloud", versions=(7,))
    async def cloud(self, params: Entities) -> params_.CloudResults:
        """Definitions by tag."""

        async def one(entity: Entity) -> params_.CloudResult:
            return params_.CloudResult(cloud=definition(await self._find(entity)))

        def refused(_: Entity, error: Error) -> params_.CloudResult:
            return params_.CloudResult(error=error)

        return params_.CloudResults(results=await each(params.entities, one, refused))

    @method("CloudInfo", versions=(7,))
    async def cloud_info(self, params: Entities) -> params_.CloudInfoResults:
        """Definitions with users: all for those who administer the cloud, oneself for others."""

        async def one(entity: Entity) -> params_.CloudInfoResult:
            return params_.CloudInfoResult(result=await self._info(parse_cloud_tag(entity.tag)))

        def refused(_: Entity, error: Error) -> params_.CloudInfoResult:
            return params_.CloudInfoResult(error=error)

        return params_.CloudInfoResults(results=await each(params.entities, one, refused))

    @method("ListCloudInfo", versions=(7,))
    async def list_cloud_info(self, params: params_.ListCloudInfo) -> params_.CloudSummaryResults:
        """The clouds that somebody may use, with their access (the Dashboard asks it)."""
        session = self.session
        identity = session.identity(params.user_tag)
        found = await clouds.of_user(session.fleet, session.caller, identity, everything=params.all)
        return params_.CloudSummaryResults(
            results=[
                params_.CloudSummaryResult(result=_summary(definition(each.cloud), each.level))
                for each in found
            ]
        )

    @method("AddCloud", versions=(7,))
    async def add_cloud(self, params: params_.AddCloud) -> None:
        """Adds a cloud to an eligible controller; the caller administers it."""
        new = NewCloud(params.name, params.cloud, force=bool(params.force))
        await cloud_changes.add(self.session.fleet, self.session.caller, new)

    @method("UpdateCloud", versions=(7,))
    async def update_cloud(self, params: params_.UpdateClouds) -> ErrorResults:
        """Changes clouds on all controllers that offer them."""

        async def one(asked: params_.UpdateCloud) -> None:
            await cloud_changes.update(
                self.session.fleet, self.session.caller, asked.name, asked.cloud
            )

        return await errors(params.clouds, one)

    @method("RemoveClouds", versions=(7,))
    async def remove_clouds(self, params: Entities) -> ErrorResults:
        """Removes clouds from all controllers."""

        async def one(entity: Entity) -> None:
            name = parse_cloud_tag(entity.tag)
            await cloud_changes.remove(self.session.fleet, self.session.caller, name)

        return await errors(params.entities, one)

    @method("ModifyCloudAccess", versions=(7,))
    async def modify_cloud_access(self, params: params_.ModifyCloudAccessRequest) -> ErrorResults:
        """Grants and revokes."""

        async def one(change: params_.ModifyCloudAccess) -> None:
            await clouds.modify_access(
                self.session.fleet,
                self.session.caller,
                parse_cloud_tag(change.cloud_tag),
                parse_user_tag(change.user_tag),
                action=change.action,
                access=change.access,
            )

        return await errors(params.changes, one)

    async def _find(self, entity: Entity) -> CloudRecord:
        name = parse_cloud_tag(entity.tag)
        return await clouds.show(self.session.fleet, self.session.caller, name)

    async def _info(self, name: str) -> params_.CloudInfo:
        cloud, found = await clouds.with_users(self.session.fleet, self.session.caller, name)
        known = definition(cloud)
        return params_.CloudInfo(
            type=known.type,
            auth_types=known.auth_types,
            endpoint=known.endpoint,
            identity_endpoint=known.identity_endpoint,
            storage_endpoint=known.storage_endpoint,
            regions=known.regions,
            users=[
                params_.CloudUserInfo(
                    user=self.session.user_id(user.identity),
                    display_name=user.display_name,
                    access=user.level,
                )
                for user in found
            ],
        )


def definition(cloud: CloudRecord) -> params_.Cloud:
    """A cloud as it is shown: of all controllers' regions, and nobody's own."""
    known = convert(cloud.definition, params_.Cloud)
    regions = [convert(region.definition, params_.CloudRegion) for region in cloud.regions]
    return msgspec.structs.replace(known, regions=regions, is_controller_cloud=False)


def _summary(known: params_.Cloud, level: str) -> params_.CloudSummary:
    return params_.CloudSummary(
        type=known.type,
        auth_types=known.auth_types,
        endpoint=known.endpoint,
        identity_endpoint=known.identity_endpoint,
        storage_endpoint=known.storage_endpoint,
        regions=known.regions,
        user_access=level,
    )
