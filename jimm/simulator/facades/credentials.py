"""The half of ``Cloud`` 7 that keeps credentials."""

from collections.abc import Iterable
from typing import Final

from jimm.errors import (
    BadRequest,
    Conflict,
    JimmError,
    NotFound,
    NotValid,
    Unauthorized,
    UserNotFound,
)
from jimm.simulator.session import Answering, each
from jimm.simulator.state import Credential, Model
from jimm.wire.facade import method
from jimm.wire.params.cloud import (
    CloudCredential,
    ControllerCredentialInfo,
    CredentialArg,
    CredentialArgs,
    CredentialContent,
    CredentialContentResult,
    CredentialContentResults,
    CredentialModelResult,
    CredentialResult,
    CredentialResults,
    ErrorHolder,
    ModelAccess,
    RevokeCredential,
    RevokeCredentials,
    StringsResult,
    StringsResults,
    TaggedCredential,
    UpdateCredentialResult,
    UpdateCredentialResults,
    UpdateCredentials,
    UserCloud,
    UserClouds,
)
from jimm.wire.params.common import Entities, Entity, Error, ErrorResults
from jimm.wire.tags import (
    CredentialId,
    credential_tag,
    parse_cloud_tag,
    parse_credential_tag,
    parse_user_tag,
)

REFUSED: Final = "simulated-error"
"""An attribute that names another one: the cloud refuses that one's value, and, as clouds do,
repeats it in what it says."""


class Credentials(Answering):
    """Users' cloud credentials."""

    @method("UserCredentials", versions=(7,))
    async def user_credentials(self, params: UserClouds) -> StringsResults:
        """The tags of users' credentials for clouds."""
        return StringsResults(results=[self._of_user(row) for row in params.user_clouds])

    @method("AddCredentials", versions=(7,))
    async def add_credentials(self, params: UpdateCredentials) -> ErrorResults:
        """Adds credentials, or replaces them."""
        return await each(params.credentials, self._add)

    @method("UpdateCredentialsCheckModels", versions=(7,))
    async def update_credentials_check_models(
        self, params: UpdateCredentials
    ) -> UpdateCredentialResults:
        """Adds or replaces credentials and names the models that use them; a model that would
        lose its cloud keeps a credential as it is, unless a superuser forces it."""
        if params.force and not self.caller.is_superuser(self.core):
            raise BadRequest("unexpected force specified")
        return UpdateCredentialResults(
            results=[self._update(row, force=params.force) for row in params.credentials]
        )

    @method("CheckCredentialsModels", versions=(7,))
    async def check_credentials_models(self, params: UpdateCredentials) -> UpdateCredentialResults:
        """The same without writing anything."""
        return UpdateCredentialResults(results=[self._check(row) for row in params.credentials])

    @method("RevokeCredentialsCheckModels", versions=(7,))
    async def revoke_credentials_check_models(self, params: RevokeCredentials) -> ErrorResults:
        """Forgets credentials; those in use only with ``force``."""
        return await each(params.credentials, self._revoke)

    @method("Credential", versions=(7,))
    async def credential(self, params: Entities) -> CredentialResults:
        """Credentials without their secrets."""
        return CredentialResults(results=[self._redacted(entity) for entity in params.entities])

    @method("CredentialContents", versions=(7,))
    async def credential_contents(self, params: CredentialArgs) -> CredentialContentResults:
        """The caller's own credentials and the models that use them."""
        wanted: Iterable[CredentialId]
        if params.credentials:
            wanted = [self._own(row) for row in params.credentials]
        else:
            everything = self.core.store.credentials.values()
            wanted = [each.id for each in everything if each.id.owner == self.caller.user]
        return CredentialContentResults(
            results=[self._contents(each, secrets=params.include_secrets) for each in wanted]
        )

    def _of_user(self, row: UserCloud) -> StringsResult:
        try:
            user, cloud = parse_user_tag(row.user_tag), parse_cloud_tag(row.cloud_tag)
            if not self.caller.is_self_or_superuser(self.core, user):
                raise Unauthorized
        except JimmError as error:
            return StringsResult(error=Error.of(error))
        return StringsResult(
            result=[
                credential_tag(each.id)
                for each in self.core.store.credentials.values()
                if (each.id.cloud, each.id.owner) == (cloud, user)
            ]
        )

    async def _add(self, row: TaggedCredential) -> None:
        self.core.store.put(self._checked(row))

    def _update(self, row: TaggedCredential, *, force: bool) -> UpdateCredentialResult:
        try:
            credential = self._checked(row)
        except JimmError as error:
            return UpdateCredentialResult(tag=row.tag, error=Error.of(error))
        models = self._rows(credential)
        if force or not any(each.errors for each in models):
            self.core.store.put(credential)
        return UpdateCredentialResult(tag=row.tag, models=models)

    def _check(self, row: TaggedCredential) -> UpdateCredentialResult:
        try:
            models = self._rows(self._checked(row))
        except JimmError as error:
            return UpdateCredentialResult(tag=row.tag, error=Error.of(error))
        if not any(each.errors for each in models):
            return UpdateCredentialResult(tag=row.tag, models=models)
        invisible = Error(message="some models are no longer visible", code="")
        return UpdateCredentialResult(tag=row.tag, models=models, error=invisible)

    def _rows(self, credential: Credential) -> list[CredentialModelResult]:
        """A row for each model that uses it; :data:`REFUSED` makes all of them complain."""
        attribute = credential.attrs.get(REFUSED, "")
        text = f'the cloud does not know "{credential.attrs.get(attribute, "")}"'
        errors = [ErrorHolder(error=Error(message=text, code=""))] if attribute else []
        return [
            CredentialModelResult(uuid=model.uuid, name=model.name, errors=errors)
            for model in self._users_of(credential.id)
        ]

    def _checked(self, row: TaggedCredential) -> Credential:
        wanted = parse_credential_tag(row.tag)
        if not self.caller.is_self_or_superuser(self.core, wanted.owner):
            raise Unauthorized
        store = self.core.store
        # A user exists from their first login on, and only a user has credentials.
        if wanted.owner not in store.users and wanted.owner not in store.outsiders:
            raise UserNotFound(f'user "{wanted.owner}" not found')
        cloud = store.controller.clouds.get(wanted.cloud)
        if cloud is None:
            raise NotFound(f'cloud "{wanted.cloud}" not found')
        if row.credential.auth_type not in cloud.auth_types:
            raise NotValid(
                f'validating credential "{wanted}" for cloud "{wanted.cloud}": '
                f"supported auth-types {_listed(cloud.auth_types)}, "
                f'"{row.credential.auth_type}" not supported'
            )
        return Credential(id=wanted, auth_type=row.credential.auth_type, attrs=row.credential.attrs)

    async def _revoke(self, row: RevokeCredential) -> None:
        wanted = parse_credential_tag(row.tag)
        if not self.caller.is_self_or_superuser(self.core, wanted.owner):
            raise Unauthorized
        found = self._find(wanted)
        users = self._users_of(wanted)
        if users and not row.force:
            raise Conflict(
                f"cannot revoke credential {wanted}: it is still used by {len(users)} model"
                + ("s" if len(users) > 1 else "")
            )
        self.core.store.remove(found)

    def _redacted(self, entity: Entity) -> CredentialResult:
        try:
            wanted = parse_credential_tag(entity.tag)
            if not self.caller.is_self_or_superuser(self.core, wanted.owner):
                raise Unauthorized
            found = self._find(wanted)
        except JimmError as error:
            return CredentialResult(error=Error.of(error))
        shown = {key: value for key, value in found.attrs.items() if not _is_secret(key)}
        return CredentialResult(
            result=CloudCredential(
                auth_type=found.auth_type,
                attrs=shown,
                redacted=sorted(set(found.attrs) - set(shown)),
            )
        )

    def _own(self, row: CredentialArg) -> CredentialId:
        return CredentialId(row.cloud_name, self.caller.user, row.credential_name)

    def _contents(self, wanted: CredentialId, *, secrets: bool) -> CredentialContentResult:
        try:
            found = self._find(wanted)
        except JimmError as error:
            return CredentialContentResult(error=Error.of(error))
        attrs = {k: v for k, v in found.attrs.items() if secrets or not _is_secret(k)}
        models = [
            ModelAccess(model=model.name, access=self.caller.model_access(self.core, model))
            for model in self._users_of(wanted)
        ]
        content = CredentialContent(
            name=wanted.name,
            cloud=wanted.cloud,
            auth_type=found.auth_type,
            valid=found.valid,
            attrs=attrs,
        )
        return CredentialContentResult(
            result=ControllerCredentialInfo(content=content, models=models)
        )

    def _find(self, wanted: CredentialId) -> Credential:
        found = self.core.store.credentials.get(str(wanted))
        if found is None:
            raise NotFound(f'credential "{wanted}" not found')
        return found

    def _users_of(self, credential: CredentialId) -> list[Model]:
        models = self.core.store.models.values()
        return [model for model in models if model.credential == credential]


def _is_secret(attribute: str) -> bool:
    """Simulated clouds hide everything but names."""
    return attribute not in ("username", "user", "name")


def _listed(names: Iterable[str]) -> str:
    return "[" + " ".join(f'"{name}"' for name in names) + "]"
