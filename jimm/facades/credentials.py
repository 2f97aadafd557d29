"""The half of ``Cloud`` 7 that keeps credentials."""

from jimm.errors import JimmError
from jimm.facades.session import SessionFacade, each, errors
from jimm.fleet import credentials
from jimm.fleet.credentials import Opened
from jimm.wire.facade import method
from jimm.wire.params import cloud as params_
from jimm.wire.params.common import Entities, Entity, Error, ErrorResult, ErrorResults
from jimm.wire.tags import CredentialId, parse_cloud_tag


class Credentials(SessionFacade):
    """Users' cloud credentials."""

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
        """Adds or changes credentials, unless a model that uses one would lose its cloud: then
        its row has errors, and nothing was changed."""

        async def one(tagged: params_.TaggedCredential) -> params_.UpdateCredentialResult:
            models = await credentials.update(
                self.session.fleet,
                self.session.caller,
                self.session.credential(tagged.tag),
                tagged.credential,
                force=params.force,
            )
            return params_.UpdateCredentialResult(tag=tagged.tag, models=models)

        rows = await each(params.credentials, one, _update_refused)
        return params_.UpdateCredentialResults(results=rows)

    @method("CheckCredentialsModels", versions=(7,))
    async def check_credentials(
        self, params: params_.UpdateCredentials
    ) -> params_.UpdateCredentialResults:
        """The same, without changing anything."""

        async def one(tagged: params_.TaggedCredential) -> params_.UpdateCredentialResult:
            models = await credentials.check(
                self.session.fleet,
                self.session.caller,
                self.session.credential(tagged.tag),
                tagged.credential,
            )
            return params_.UpdateCredentialResult(
                tag=tagged.tag, models=models, error=_invisible(models)
            )

        rows = await each(params.credentials, one, _update_refused)
        return params_.UpdateCredentialResults(results=rows)

    @method("AddCredentials", versions=(7,))
    async def add_credentials(self, params: params_.UpdateCredentials) -> ErrorResults:
        """As ``UpdateCredentialsCheckModels``, with plainer rows."""
        done = await self.update_credentials(params)
        return ErrorResults(
            results=[ErrorResult(error=row.error or _invisible(row.models)) for row in done.results]
        )

    @method("CredentialContents", versions=(7,))
    async def credential_contents(
        self, params: params_.CredentialArgs
    ) -> params_.CredentialContentResults:
        """The caller's credentials; their secret attributes only if asked for."""
        fleet, caller = self.session.fleet, self.session.caller
        if not params.credentials:
            found = await credentials.opened(fleet, caller)
            rows = [_content(one, params.include_secrets) for one in found]
            return params_.CredentialContentResults(results=rows)

        async def one(asked: params_.CredentialArg) -> params_.CredentialContentResult:
            key = CredentialId(asked.cloud_name, caller.identity, asked.credential_name)
            (found,) = await credentials.opened(fleet, caller, [key])
            return _content(found, params.include_secrets)

        def refused(_: params_.CredentialArg, error: Error) -> params_.CredentialContentResult:
            return params_.CredentialContentResult(error=error)

        rows = await each(params.credentials, one, refused)
        return params_.CredentialContentResults(results=rows)

    @method("Credential", versions=(7,))
    async def credential(self, params: Entities) -> params_.CredentialResults:
        """Credentials without their secrets, which are only named."""

        async def one(entity: Entity) -> params_.CredentialResult:
            key = self.session.credential(entity.tag)
            found = await credentials.redacted(self.session.fleet, self.session.caller, key)
            return params_.CredentialResult(
                result=params_.CloudCredential(
                    auth_type=found.credential.auth_type,
                    attrs=found.open_attributes,
                    redacted=sorted(found.attributes.keys() - found.open_attributes.keys()),
                )
            )

        def refused(_: Entity, error: Error) -> params_.CredentialResult:
            return params_.CredentialResult(error=error)

        return params_.CredentialResults(results=await each(params.entities, one, refused))

    @method("RevokeCredentialsCheckModels", versions=(7,))
    async def revoke_credentials(self, params: params_.RevokeCredentials) -> ErrorResults:
        """Forgets credentials; those that models use only by force."""

        async def one(asked: params_.RevokeCredential) -> None:
            key = self.session.credential(asked.tag)
            await credentials.revoke(
                self.session.fleet, self.session.caller, key, force=asked.force
            )

        return await errors(params.credentials, one)


def _update_refused(
    tagged: params_.TaggedCredential, error: Error
) -> params_.UpdateCredentialResult:
    return params_.UpdateCredentialResult(tag=tagged.tag, error=error)


def _invisible(models: list[params_.CredentialModelResult]) -> Error | None:
    if not any(each.errors for each in models):
        return None
    return Error.of(JimmError("some models are no longer visible"))


def _content(found: Opened, secrets: bool) -> params_.CredentialContentResult:
    credential = found.credential
    return params_.CredentialContentResult(
        result=params_.ControllerCredentialInfo(
            content=params_.CredentialContent(
                name=credential.name,
                cloud=credential.cloud,
                auth_type=credential.auth_type,
                valid=credential.valid,
                attrs=found.attributes if secrets else found.open_attributes,
            ),
            models=[params_.ModelAccess(model=use.model, access=use.access) for use in found.uses],
        )
    )
