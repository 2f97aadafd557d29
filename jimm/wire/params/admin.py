"""``Admin`` 3 and 4 (Juju ``rpc/params/params.go``; the v4 methods are JAAS's own)."""

from jimm.wire.params.common import Params


class FacadeVersions(Params, kw_only=True):
    """A facade that this connection answers, with its versions in ascending order."""

    name: str
    versions: list[int]


class LoginRequest(Params, kw_only=True):
    """``Admin`` 3 ``Login``. ``token`` is the base64 of a compact JWT (broker to controller)."""

    auth_tag: str
    credentials: str
    nonce: str
    macaroons: list[object] | None = None
    token: str = ""
    cli_args: str = ""
    user_data: str
    client_version: str = ""

    def __repr__(self) -> str:
        return f"LoginRequest(auth_tag={self.auth_tag!r})"


class DeviceCode(Params, kw_only=True):
    """What ``Admin`` 4 ``LoginDevice`` gives: the code to enter, and where."""

    user_code: str
    verification_uri: str


class SessionToken(Params, kw_only=True):
    """``Admin`` 4 ``LoginWithSessionToken``, and what ``GetDeviceSessionToken`` gives."""

    session_token: str

    def __repr__(self) -> str:
        return "SessionToken()"


class ClientCredentials(Params, kw_only=True):
    """``Admin`` 4 ``LoginWithClientCredentials``."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"ClientCredentials(client_id={self.client_id!r})"


class HostPort(Params, kw_only=True):
    """One address of a controller. ``type`` is hostname, ipv4 or ipv6."""

    value: str
    type: str
    scope: str
    port: int


class UserInfo(Params, kw_only=True):
    """Who logged in. ``identity`` is a user tag."""

    display_name: str
    identity: str
    last_connection: str | None = None
    controller_access: str
    model_access: str


class LoginResult(Params, kw_only=True):
    """What every successful login answers.

    ``model_tag`` is empty on ``/api`` and the model's on its socket; clients refuse anything
    else, and an empty or unreadable ``server_version`` (Juju ``api/state.go``).
    """

    servers: list[list[HostPort]] | None = None
    public_dns_name: str = ""
    model_tag: str = ""
    controller_tag: str = ""
    user_info: UserInfo | None = None
    facades: list[FacadeVersions]
    server_version: str = ""
    discharge_required: object = None


class RedirectInfo(Params, kw_only=True):
    """Where a model has moved (``error-info`` of ``redirection required``)."""

    servers: list[list[HostPort]]
    ca_cert: str
    controller_tag: str = ""
    controller_alias: str = ""
