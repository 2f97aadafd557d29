"""``Cloud`` 7."""

from typing import Final, TypeVar

from msgspec import Struct

from jimm.controllers import deadlines
from jimm.controllers.calls.rows import only, only_done, present, refuse_error
from jimm.controllers.link import Link
from jimm.errors import NotValid
from jimm.wire.params.cloud import (
    AddCloud,
    Cloud,
    CloudCredential,
    CloudResults,
    CloudsResult,
    ControllerCredentialInfo,
    CredentialArg,
    CredentialArgs,
    CredentialContentResults,
    CredentialModelResult,
    CredentialResults,
    ModifyCloudAccess,
    ModifyCloudAccessRequest,
    RevokeCredential,
    RevokeCredentials,
    StringsResults,
    TaggedCredential,
    UpdateCloud,
    UpdateClouds,
    UpdateCredentialResult,
    UpdateCredentialResults,
    UpdateCredentials,
    UserCloud,
    UserClouds,
)
from jimm.wire.params.common import Empty, Entities, ErrorResults
from jimm.wire.tags import (
    CredentialId,
    cloud_tag,
    credential_tag,
    parse_cloud_tag,
    parse_credential_tag,
    user_tag,
)

T = TypeVar("T")

_FACADE: Final = "Cloud"
_VERSIONS: Final = (7,)


async def clouds(link: Link, *, deadline: float = deadlines.READ) -> dict[str, Cloud]:
    """The clouds that the caller may see, by name."""
    answer = await _call(link, "Clouds", None, CloudsResult, deadline)
    try:
        return {parse_cloud_tag(tag): found for tag, found in answer.clouds.items()}
    except NotValid as error:
        raise link.unreadable(str(error)) from error


async def cloud(link: Link, name: str, *, deadline: float = deadlines.READ) -> Cloud:
    """One cloud's definition."""
    answer = await _call(link, "Cloud", Entities.of(cloud_tag(name)), CloudResults, deadline)
    row = only(link, answer.results)
    refuse_error(row.error)
    return present(link, row.cloud)


async def add_cloud(
    link: Link,
    name: str,
    definition: Cloud,
    *,
    force: bool = False,
    deadline: float = deadlines.CHANGE,
) -> None:
    """Adds a cloud; for superusers. ``already exists`` for a name that is taken, ``incompatible
    clouds`` for a type that the controller takes only by force."""
    params = AddCloud(name=name, cloud=definition, force=force)
    await _call(link, "AddCloud", params, Empty, deadline)


async def update_cloud(
    link: Link, name: str, definition: Cloud, *, deadline: float = deadlines.CHANGE
) -> None:
    """Changes a cloud's definition; for superusers."""
    params = UpdateClouds(clouds=[UpdateCloud(name=name, cloud=definition)])
    only_done(link, await _call(link, "UpdateCloud", params, ErrorResults, deadline))


async def remove_cloud(link: Link, name: str, *, deadline: float = deadlines.CHANGE) -> None:
    """Forgets a cloud and the credentials for it; refused while models are on it."""
    params = Entities.of(cloud_tag(name))
    only_done(link, await _call(link, "RemoveClouds", params, ErrorResults, deadline))


async def user_credentials(
    link: Link, user: str, cloud_name: str, *, deadline: float = deadlines.READ
) -> list[CredentialId]:
    """The names of a user's credentials for a cloud."""
    params = UserClouds(
        user_clouds=[UserCloud(user_tag=user_tag(user), cloud_tag=cloud_tag(cloud_name))]
    )
    row = only(
        link, (await _call(link, "UserCredentials", params, StringsResults, deadline)).results
    )
    refuse_error(row.error)
    try:
        return [parse_credential_tag(tag) for tag in row.result]
    except NotValid as error:
        raise link.unreadable(str(error)) from error


async def credential(
    link: Link, name: CredentialId, *, deadline: float = deadlines.READ
) -> CloudCredential:
    """One credential; its secret attributes are only named, in ``redacted``."""
    params = Entities.of(credential_tag(name))
    row = only(link, (await _call(link, "Credential", params, CredentialResults, deadline)).results)
    refuse_error(row.error)
    return present(link, row.result)


async def credential_contents(
    link: Link,
    cloud_name: str,
    credential_name: str,
    *,
    include_secrets: bool = False,
    deadline: float = deadlines.READ,
) -> ControllerCredentialInfo:
    """One credential of the caller's own, with the models that use it."""
    params = CredentialArgs(
        credentials=[CredentialArg(cloud_name=cloud_name, credential_name=credential_name)],
        include_secrets=include_secrets,
    )
    answer = await _call(link, "CredentialContents", params, CredentialContentResults, deadline)
    row = only(link, answer.results)
    refuse_error(row.error)
    return present(link, row.result)


async def update_credential(
    link: Link,
    name: CredentialId,
    content: CloudCredential,
    *,
    force: bool = False,
    deadline: float = deadlines.CHANGE,
) -> UpdateCredentialResult:
    """Stores a credential (``UpdateCredentialsCheckModels``).

    Where models that use it would lose their cloud, the row with them is returned, its
    ``error`` set: nothing was stored then, unless ``force`` was given.

    Raises:
        RemoteError: any other error; ``user not found`` before the owner's first login there.
    """
    tagged = TaggedCredential(tag=credential_tag(name), credential=content)
    params = UpdateCredentials(credentials=[tagged], force=force)
    answer = await _call(
        link, "UpdateCredentialsCheckModels", params, UpdateCredentialResults, deadline
    )
    row = only(link, answer.results)
    if not any(model.errors for model in row.models):
        refuse_error(row.error)
    return row


async def check_credential(
    link: Link, name: CredentialId, content: CloudCredential, *, deadline: float = deadlines.READ
) -> list[CredentialModelResult]:
    """What a credential would mean for the models that use it (``CheckCredentialsModels``).

    Raises:
        RemoteError: any other error; ``user not found`` before the owner's first login there.
    """
    tagged = TaggedCredential(tag=credential_tag(name), credential=content)
    params = UpdateCredentials(credentials=[tagged])
    answer = await _call(link, "CheckCredentialsModels", params, UpdateCredentialResults, deadline)
    row = only(link, answer.results)
    if not any(model.errors for model in row.models):
        refuse_error(row.error)
    return row.models


async def revoke_credential(
    link: Link, name: CredentialId, *, force: bool = False, deadline: float = deadlines.CHANGE
) -> None:
    """Forgets a credential; refused while models use it, unless ``force`` is given."""
    params = RevokeCredentials(
        credentials=[RevokeCredential(tag=credential_tag(name), force=force)]
    )
    only_done(
        link,
        await _call(link, "RevokeCredentialsCheckModels", params, ErrorResults, deadline),
    )


async def modify_cloud_access(
    link: Link, change: ModifyCloudAccess, *, deadline: float = deadlines.CHANGE
) -> None:
    """Grants or revokes; what somebody has already is refused with ``already has``."""
    params = ModifyCloudAccessRequest(changes=[change])
    only_done(link, await _call(link, "ModifyCloudAccess", params, ErrorResults, deadline))


async def _call(
    link: Link, method: str, params: Struct | None, result: type[T], deadline: float
) -> T:
    return await link.call(_FACADE, method, params, result, versions=_VERSIONS, deadline=deadline)
