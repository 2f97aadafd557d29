"""``Secrets`` 2 (Juju ``rpc/params/secrets.go``)."""

from msgspec import field

from jimm.wire.params.common import Params


class SecretsFilter(Params, kw_only=True):
    """Which secrets."""

    uri: str | None = None
    revision: int | None = None
    owner_tag: str | None = None
    label: str | None = None


class ListSecrets(Params, kw_only=True):
    """``ListSecrets``; contents are for administrators."""

    show_secrets: bool = False
    filter: SecretsFilter = field(default_factory=SecretsFilter)


class SecretContent(Params, kw_only=True):
    """Values in base64, by key."""

    data: dict[str, str] = {}

    def __repr__(self) -> str:
        return "SecretContent()"


class CreateSecret(Params, kw_only=True):
    """One secret to keep."""

    uri: str | None = None
    owner_tag: str = ""
    label: str | None = None
    description: str | None = None
    content: SecretContent = field(default_factory=SecretContent)


class CreateSecrets(Params, kw_only=True):
    """``CreateSecrets``."""

    args: list[CreateSecret]


class UpdateSecret(Params, kw_only=True):
    """One secret to change; content makes a new revision."""

    uri: str = ""
    existing_label: str = ""
    auto_prune: bool | None = None
    label: str | None = None
    description: str | None = None
    content: SecretContent = field(default_factory=SecretContent)


class UpdateSecrets(Params, kw_only=True):
    """``UpdateSecrets``."""

    args: list[UpdateSecret]


class DeleteSecret(Params, kw_only=True):
    """One secret to remove, or some of its revisions."""

    uri: str = ""
    label: str = ""
    revisions: list[int] = []


class DeleteSecrets(Params, kw_only=True):
    """``RemoveSecrets``."""

    args: list[DeleteSecret]


class GrantSecret(Params, kw_only=True):
    """``GrantSecret`` and ``RevokeSecret``."""

    uri: str = ""
    label: str = ""
    applications: list[str] = []
