"""JIMM's settings: one object, built in ``cli`` and passed down.

Each is an environment variable ``JIMM_<NAME>``; ``docs/reference/settings.md`` lists them.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """How one replica runs. What all replicas must agree on is in the database instead."""

    model_config = SettingsConfigDict(env_prefix="JIMM_", extra="ignore", frozen=True)

    database_url: SecretStr = Field(
        description="Postgres, as `postgresql://user:password@host/name`."
    )
    secret_key_file: Path = Field(
        description="File with the keys that seal secrets in the database; the first one seals."
    )
    listen: str = Field(
        default="127.0.0.1:17070", description="Address and port of the one public door."
    )
    public_address: str = Field(
        default="",
        description="`host:port` under which clients and controllers reach JIMM; "
        "the listening address if empty.",
    )
    public_names: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Host names and addresses in the certificate that JIMM issues for itself.",
    )
    tls: Literal["own", "files", "off"] = Field(
        default="own",
        description="`own`: a certificate of JIMM's own authority; `files`: the operator's; "
        "`off`: plain, behind an ingress that ends TLS.",
    )
    tls_certificate_file: Path | None = Field(
        default=None, description="With `tls=files`: the certificate chain, PEM."
    )
    tls_key_file: Path | None = Field(
        default=None, description="With `tls=files`: the certificate's key, PEM."
    )
    local_domain: str = Field(
        default="jimm", description="The domain of users made in JIMM: `alice` is `alice@jimm`."
    )
    bootstrap_admin_password_file: Path | None = Field(
        default=None,
        description="Read once, when there is no administrator: the password of user `admin`.",
    )
    placement_policy: Literal["random", "weighted", "least-models", "spread"] = Field(
        default="random", description="How a controller is chosen among equally suitable ones."
    )
    open_controllers: bool = Field(
        default=True,
        description="Whether a newly registered controller and its clouds are open to everyone "
        "who can log in.",
    )
    owners_may_migrate: bool = Field(
        default=False,
        description="Whether a model's administrator may migrate it to a controller on which "
        "they may add models.",
    )
    migrations_per_source: int = Field(
        default=5, ge=1, description="Migrations under way at once from one controller."
    )
    migrations_per_target: int = Field(
        default=5, ge=1, description="Migrations under way at once to one controller."
    )
    migrations_at_once: int = Field(
        default=50, ge=1, description="Migrations under way at once in all."
    )
    public_scheme: Literal["https", "http"] = Field(
        default="https",
        description="What browsers speak to reach JIMM: `http` only with `tls=off` and no ingress "
        "that ends TLS.",
    )
    dashboard_url: str = Field(
        default="",
        description="Where the Juju Dashboard is; a browser that signed in is sent there.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins, as `https://host:port`, whose pages may use JIMM in a browser; "
        "the Dashboard's own need not be named.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Addresses or networks of ingresses whose `X-Forwarded-For` is believed.",
    )
    local_passwords: bool = Field(
        default=True,
        description="Whether users made in JIMM may log in with their password.",
    )
    oidc_issuer: str = Field(
        default="",
        description="Issuer URL of the OpenID Connect provider with which people sign in; "
        "without it they sign in with a name and password.",
    )
    oidc_client_id: str = Field(default="", description="JIMM's client id at the provider.")
    oidc_client_secret_file: Path | None = Field(
        default=None, description="File with JIMM's client secret; none for a public client."
    )
    oidc_scopes: str = Field(
        default="openid profile email",
        description="What JIMM asks the provider for when a person signs in.",
    )
    oidc_client_credentials_scopes: str = Field(
        default="", description="What JIMM asks for when it checks a client id and its secret."
    )
    oidc_username_claim: str = Field(
        default="email", description="The claim that names a person, as `preferred_username`."
    )
    oidc_domain: str = Field(
        default="", description="The domain of people whose claim has none: `alice@DOMAIN`."
    )
    oidc_groups_claim: str = Field(
        default="groups", description="The claim that lists a person's groups."
    )
    oidc_admin_group: str = Field(
        default="", description="Members of this group administer JIMM, from login to login."
    )
    oidc_device_flow: Literal["own", "provider"] = Field(
        default="own",
        description="Which page `juju login` shows: JIMM's `/login`, which says what asks, or the "
        "provider's.",
    )
    audit_when_full: Literal["wait", "drop"] = Field(
        default="wait",
        description="What happens to calls while the database does not take their audit records "
        "as fast as they come: they `wait`, or their records are `drop`ped and counted.",
    )
    audit_skip: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("Pinger.Ping", "*.Next"),
        description="Calls that leave no audit record, as `Facade.Method` or `*.Method`.",
    )
    audit_retention_days: int = Field(
        default=0,
        ge=0,
        description="Days that audit records are kept; for ever with 0. They go by whole months.",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes of one `jimm serve` that share its port; about one for each core.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level that is logged."
    )

    @field_validator("public_names", "cors_origins", "trusted_proxies", "audit_skip", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return [each.strip() for each in value.split(",") if each.strip()]

    @field_validator("listen", "public_address")
    @classmethod
    def _check_address(cls, value: str) -> str:
        port = value.rpartition(":")[2]
        if value and not (port.isdecimal() and int(port) <= 65535):
            raise ValueError("give it as host:port")
        return value

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for each in values:
            if not _is_web_url(each) or urlsplit(each).path:
                raise ValueError("give each as https://host:port, with no path")
        return values

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for each in values:
            ipaddress.ip_network(each, strict=False)
        return values

    @field_validator("dashboard_url", "oidc_issuer")
    @classmethod
    def _check_url(cls, value: str) -> str:
        if value and not _is_web_url(value):
            raise ValueError("give it as https://host/path")
        return value

    @property
    def host(self) -> str:
        """The host part of ``listen``."""
        return self.listen.rpartition(":")[0].strip("[]") or "0.0.0.0"  # noqa: S104 - as asked

    @property
    def port(self) -> int:
        """The port of ``listen``."""
        return int(self.listen.rpartition(":")[2])

    @property
    def address(self) -> str:
        """``host:port`` under which the world reaches JIMM."""
        return self.public_address or f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL under which a browser reaches JIMM, without a slash at its end."""
        scheme = self.public_scheme if self.tls == "off" else "https"
        standard = {"https": ":443", "http": ":80"}[scheme]
        return f"{scheme}://{self.address.removesuffix(standard)}"

    @property
    def web_origins(self) -> tuple[str, ...]:
        """Origins of pages, other than JIMM's own, that may use JIMM in a browser."""
        if not self.dashboard_url:
            return self.cors_origins
        parts = urlsplit(self.dashboard_url)
        return (f"{parts.scheme}://{parts.netloc}", *self.cors_origins)


def _is_web_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in {"https", "http"} and bool(parts.hostname) and "@" not in parts.netloc
