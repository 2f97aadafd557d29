"""``Cloud`` 7: the clouds of all controllers, and the caller's credentials."""

import msgspec

from jimm.facades.session import SessionFacade, each
from jimm.fleet import clouds, credentials
from jimm.fleet.credentials import Opened
from jimm.registry.clouds import Cloud as CloudRecord
from jimm.wire.facade import method
from jimm.wire.fold import convert
from jimm.wire.params import cloud as params_
from jimm.wire.params.common import Entities, Entity, Error, ErrorResult, ErrorResults
from jimm.wire.tags import CredentialId, cloud_tag, parse_cloud_tag


class Cloud(SessionFacade):
    """Clouds and credentials."""

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
        """Definitions, with the caller's own access."""

        async def one(entity: Entity) -> params_.CloudInfoResult:
            return params_.CloudInfoResult(result=self._info(await self._find(entity)))

        def refused(_: Entity, error: Error) -> params_.CloudInfoResult:
            return params_.CloudInfoResult(error=error)

        return params_.CloudInfoResults(results=await each(params.entities, one, refused))

    @method("UserCredentials", versions=(7,))
    async def user_credentials(self, params: params_.UserClouds) -> params_.StringsResults:
        """The tags of somebody's credentials for a cloud."""

        async def one(asked: params_.UserCloud) -> params_.StringsResult:
            owner = self.session.identity(asked.user_tag)
            found = await credentials.names(
                self.session.fleet, self.session.caller, owner, parse_cloud_tag(asked.cloud_tag)
            )
            return params_.StringsResult(result=[self.session.credential_tag(key) for key in found])

        def refused(_: params_.UserCloud, error: Error) -> params_.StringsResult:
            return params_.StringsResult(error=error)

        return params_.StringsResults(results=await each(params.user_clouds, one, refused))

    @method("UpdateCredentialsCheckModels", versions=(7,))
    async def update_credentials(
        self, params: params_.UpdateCredentials
    ) -> params_.UpdateCredentialResults:
        """Adds or changes the caller's credentials."""

        async def one(tagged: params_.TaggedCredential) -> params_.UpdateCredentialResult:
            key = self.session.credential(tagged.tag)
            said = await credentials.update(
                self.session.fleet, self.session.caller, key, tagged.credential
            )
            models = [model for result in said for model in result.models]
            return params_.UpdateCredentialResult(tag=tagged.tag, models=models)

        def refused(
            tagged: params_.TaggedCredential, error: Error
        ) -> params_.UpdateCredentialResult:
            return params_.UpdateCredentialResult(tag=tagged.tag, error=error)

        rows = await each(params.credentials, one, refused)
        return params_.UpdateCredentialResults(results=rows)

    @method("AddCredentials", versions=(7,))
    async def add_credentials(self, params: params_.UpdateCredentials) -> ErrorResults:
        """As ``UpdateCredentialsCheckModels``, with plainer rows."""
        done = await self.update_credentials(params)
        return ErrorResults(results=[ErrorResult(error=row.error) for row in done.results])

    @method("CredentialContents", versions=(7,))
    async def credential_contents(
        self, params: params_.CredentialArgs
    ) -> params_.CredentialContentResults:
        """The caller's credentials; their secret attributes only if asked for."""
        fleet, caller = self.session.fleet, self.session.caller
        if not params.credentials:
            found = await credentials.opened(fleet, caller)
            rows = [self._content(one, params.include_secrets) for one in found]
            return params_.CredentialContentResults(results=rows)

        async def one(asked: params_.CredentialArg) -> params_.CredentialContentResult:
            key = CredentialId(asked.cloud_name, caller.identity, asked.credential_name)
            (found,) = await credentials.opened(fleet, caller, [key])
            return self._content(found, params.include_secrets)

        def refused(_: params_.CredentialArg, error: Error) -> params_.CredentialContentResult:
            return params_.CredentialContentResult(error=error)

        rows = await each(params.credentials, one, refused)
        return params_.CredentialContentResults(results=rows)

    @method("Credential", versions=(7,))
    async def credential(self, params: Entities) -> params_.CredentialResults:
        """The caller's credentials without their secrets, which are only named."""

        async def one(entity: Entity) -> params_.CredentialResult:
            key = self.session.credential(entity.tag)
            (found,) = await credentials.opened(self.session.fleet, self.session.caller, [key])
            return params_.CredentialResult(
                result=params_.CloudCredential(
                    auth_type=found.credential.auth_type, redacted=sorted(found.attributes)
                )
            )

        def refused(_: Entity, error: Error) -> params_.CredentialResult:
            return params_.CredentialResult(error=error)

        return params_.CredentialResults(results=await each(params.entities, one, refused))

    @method("RevokeCredentialsCheckModels", versions=(7,))
    async def revoke_credentials(self, params: params_.RevokeCredentials) -> ErrorResults:
        """Forgets the caller's credentials."""

        async def one(asked: params_.RevokeCredential) -> ErrorResult:
            key = self.session.credential(asked.tag)
            await credentials.revoke(
                self.session.fleet, self.session.caller, key, force=asked.force
            )
            return ErrorResult()

        def refused(_: params_.RevokeCredential, error: Error) -> ErrorResult:
            return ErrorResult(error=error)

        return ErrorResults(results=await each(params.credentials, one, refused))

    async def _find(self, entity: Entity) -> CloudRecord:
        name = parse_cloud_tag(entity.tag)
        return await clouds.show(self.session.fleet, self.session.caller, name)

    def _info(self, cloud: CloudRecord) -> params_.CloudInfo:
        known = definition(cloud)
        caller = self.session.caller
        return params_.CloudInfo(
            type=known.type,
            auth_types=known.auth_types,
            endpoint=known.endpoint,
            identity_endpoint=known.identity_endpoint,
            storage_endpoint=known.storage_endpoint,
            regions=known.regions,
            users=[
                params_.CloudUserInfo(
                    user=self.session.user_id(caller.identity),
                    display_name="",
                    access="admin" if caller.admin else "add-model",
                )
            ],
        )

    def _content(self, found: Opened, secrets: bool) -> params_.CredentialContentResult:
        credential = found.credential
        return params_.CredentialContentResult(
            result=params_.ControllerCredentialInfo(
                content=params_.CredentialContent(
                    name=credential.name,
                    cloud=credential.cloud,
                    auth_type=credential.auth_type,
                    valid=credential.valid,
                    attrs=found.attributes if secrets else {},
                ),
                models=[params_.ModelAccess(model=use.name, access="admin") for use in found.uses],
            )
        )


def definition(cloud: CloudRecord) -> params_.Cloud:
    """A cloud as it is shown: of all controllers' regions, and nobody's own."""
    known = convert(cloud.definition, params_.Cloud)
    regions = [convert(region.definition, params_.CloudRegion) for region in cloud.regions]
    return msgspec.structs.replace(known, regions=regions, is_controller_cloud=False)
