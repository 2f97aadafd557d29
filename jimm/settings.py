"""JIMM's settings: one object, built in ``cli`` and passed down.

Each is an environment variable ``JIMM_<NAME>``; ``docs/reference/settings.md`` lists them.
"""

from pathlib import Path
from typing import Annotated, Literal

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
    migrations_per_controller: int = Field(
        default=5, ge=1, description="Migrations under way at once from or to one controller."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level that is logged."
    )

    @field_validator("public_names", mode="before")
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
