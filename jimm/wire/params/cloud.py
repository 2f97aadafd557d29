"""``Cloud`` 7 (Juju ``rpc/params/cloud.go``)."""

from jimm.wire.params.common import Error, Params


class CloudRegion(Params, kw_only=True):
    """A region of a cloud."""

    name: str
    endpoint: str = ""
    identity_endpoint: str = ""
    storage_endpoint: str = ""


class Cloud(Params, kw_only=True):
    """A cloud's definition."""

    type: str
    host_cloud_region: str = ""
    auth_types: list[str] = []
    endpoint: str = ""
    identity_endpoint: str = ""
    storage_endpoint: str = ""
    regions: list[CloudRegion] = []
    ca_certificates: list[str] = []
    skip_tls_verify: bool = False
    config: dict[str, object] = {}
    region_config: dict[str, dict[str, object]] = {}
    is_controller_cloud: bool = False


class AddCloud(Params, kw_only=True):
    """``AddCloud``; ``force`` takes a type that the controller would refuse."""

    cloud: Cloud
    name: str
    force: bool | None = None


class UpdateCloud(Params, kw_only=True):
    """A cloud's new definition."""

    cloud: Cloud
    name: str


class UpdateClouds(Params, kw_only=True):
    """``UpdateCloud``."""

    clouds: list[UpdateCloud]


class CloudsResult(Params, kw_only=True):
    """``Clouds``: definitions by cloud tag."""

    clouds: dict[str, Cloud] = {}


class CloudResult(Params, kw_only=True):
    """One cloud, or an error."""

    cloud: Cloud | None = None
    error: Error | None = None


class CloudResults(Params, kw_only=True):
    """``Cloud``."""

    results: list[CloudResult]


class CloudUserInfo(Params, kw_only=True):
    """Who may use a cloud: ``access`` is add-model or admin."""

    user: str
    display_name: str
    access: str


class CloudInfo(Params, kw_only=True):
    """A cloud with its users."""

    type: str
    auth_types: list[str] = []
    endpoint: str = ""
    identity_endpoint: str = ""
    storage_endpoint: str = ""
    regions: list[CloudRegion] = []
    users: list[CloudUserInfo]


class CloudInfoResult(Params, kw_only=True):
    """One cloud, or an error."""

    result: CloudInfo | None = None
    error: Error | None = None


class CloudInfoResults(Params, kw_only=True):
    """``CloudInfo``."""

    results: list[CloudInfoResult]


class UserCloud(Params, kw_only=True):
    """A user and a cloud."""

    user_tag: str
    cloud_tag: str


class UserClouds(Params, kw_only=True):
    """``UserCredentials``."""

    user_clouds: list[UserCloud]


class StringsResult(Params, kw_only=True):
    """Some texts, or an error."""

    result: list[str] = []
    error: Error | None = None


class StringsResults(Params, kw_only=True):
    """One row for each input."""

    results: list[StringsResult]


class CloudCredential(Params, kw_only=True):
    """What opens a cloud; ``attrs`` are secret."""

    auth_type: str
    attrs: dict[str, str] = {}
    redacted: list[str] = []

    def __repr__(self) -> str:
        return f"CloudCredential(auth_type={self.auth_type!r})"


class TaggedCredential(Params, kw_only=True):
    """A credential under its tag."""

    tag: str
    credential: CloudCredential


class UpdateCredentials(Params, kw_only=True):
    """``UpdateCredentialsCheckModels``; ``AddCredentials`` sends no ``force``."""

    credentials: list[TaggedCredential]
    force: bool = False


class CredentialModelResult(Params, kw_only=True):
    """What a credential's change means for one model that uses it."""

    uuid: str
    name: str
    errors: list["ErrorHolder"] = []


class ErrorHolder(Params, kw_only=True):
    """An error in a row of its own."""

    error: Error | None = None


class UpdateCredentialResult(Params, kw_only=True):
    """One credential's outcome."""

    tag: str
    error: Error | None = None
    models: list[CredentialModelResult] = []


class UpdateCredentialResults(Params, kw_only=True):
    """One row for each credential."""

    results: list[UpdateCredentialResult]


class RevokeCredential(Params, kw_only=True):
    """A credential to forget; ``force`` even if models use it."""

    tag: str
    force: bool


class RevokeCredentials(Params, kw_only=True):
    """``RevokeCredentialsCheckModels``."""

    credentials: list[RevokeCredential]


class CredentialArg(Params, kw_only=True):
    """A credential of the caller's."""

    cloud_name: str
    credential_name: str


class CredentialArgs(Params, kw_only=True):
    """``CredentialContents``; no credentials means all of the caller's."""

    credentials: list[CredentialArg] = []
    include_secrets: bool


class CredentialContent(Params, kw_only=True):
    """A credential as its owner sees it."""

    name: str
    cloud: str
    auth_type: str
    valid: bool | None = None
    attrs: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"CredentialContent(cloud={self.cloud!r}, name={self.name!r})"


class ModelAccess(Params, kw_only=True):
    """A model that uses a credential, and the caller's access to it."""

    model: str
    access: str


class ControllerCredentialInfo(Params, kw_only=True):
    """A credential and the models that use it."""

    content: CredentialContent
    models: list[ModelAccess]


class CredentialContentResult(Params, kw_only=True):
    """One credential, or an error."""

    result: ControllerCredentialInfo | None = None
    error: Error | None = None


class CredentialContentResults(Params, kw_only=True):
    """``CredentialContents``."""

    results: list[CredentialContentResult]


class CredentialResult(Params, kw_only=True):
    """One credential without its secrets, or an error."""

    result: CloudCredential | None = None
    error: Error | None = None


class CredentialResults(Params, kw_only=True):
    """``Credential``."""

    results: list[CredentialResult]


class ListCloudInfo(Params, kw_only=True):
    """``ListCloudInfo``; ``all`` is for administrators."""

    user_tag: str
    all: bool = False


class CloudSummary(Params, kw_only=True):
    """A cloud and a user's access to it."""

    type: str
    auth_types: list[str] = []
    endpoint: str = ""
    identity_endpoint: str = ""
    storage_endpoint: str = ""
    regions: list[CloudRegion] = []
    user_access: str


class CloudSummaryResult(Params, kw_only=True):
    """One cloud, or an error."""

    result: CloudSummary | None = None
    error: Error | None = None


class CloudSummaryResults(Params, kw_only=True):
    """``ListCloudInfo``."""

    results: list[CloudSummaryResult]


class ModifyCloudAccess(Params, kw_only=True):
    """One change: ``action`` is grant or revoke, ``access`` add-model or admin."""

    user_tag: str
    cloud_tag: str
    action: str
    access: str


class ModifyCloudAccessRequest(Params, kw_only=True):
    """``ModifyCloudAccess``."""

    changes: list[ModifyCloudAccess]
