"""Controllers, and the clouds they offer."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from jimm.registry.tables.base import Base, BigId, Created, Texts, UuidText, one_of
from jimm.registry.words import ControllerStatus, Trust


class ControllerRow(Base):
    __tablename__ = "controllers"
    __table_args__ = (
        CheckConstraint(one_of("trust", Trust), name="trust"),
        CheckConstraint(one_of("status", ControllerStatus), name="status"),
        CheckConstraint("name <> 'jimm'", name="name_not_reserved"),
    )

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(unique=True)
    uuid: Mapped[UuidText] = mapped_column(unique=True)
    public_address: Mapped[str] = mapped_column(server_default="")
    addresses: Mapped[tuple[str, ...]] = mapped_column(Texts)
    tls_hostname: Mapped[str] = mapped_column(server_default="")
    ca_certificate: Mapped[str] = mapped_column(server_default="")
    trust: Mapped[str]
    admin_username: Mapped[str] = mapped_column(server_default="")
    admin_password_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    cloud: Mapped[str]
    region: Mapped[str]
    controller_model_uuid: Mapped[UuidText | None]
    agent_version: Mapped[str] = mapped_column(server_default="")
    status: Mapped[str] = mapped_column(server_default=ControllerStatus.UNAVAILABLE.value)
    status_info: Mapped[str] = mapped_column(server_default="")
    status_since: Mapped[Created]
    seen_at: Mapped[datetime | None]
    deprecated: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[Created]


class CloudRow(Base):
    __tablename__ = "clouds"

    name: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    definition: Mapped[dict[str, object]]


class CloudRegionRow(Base):
    __tablename__ = "cloud_regions"

    cloud: Mapped[str] = mapped_column(
        ForeignKey("clouds.name", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    definition: Mapped[dict[str, object]]


class ControllerRegionRow(Base):
    __tablename__ = "controller_regions"
    __table_args__ = (Index(None, "cloud", "region"),)

    controller_id: Mapped[int] = mapped_column(
        ForeignKey("controllers.id", ondelete="CASCADE"), primary_key=True
    )
    cloud: Mapped[str] = mapped_column(ForeignKey("clouds.name"), primary_key=True)
    region: Mapped[str] = mapped_column(primary_key=True)
    priority: Mapped[int]


class ControllerUserRow(Base):
    __tablename__ = "controller_users"

    controller_id: Mapped[int] = mapped_column(
        ForeignKey("controllers.id", ondelete="CASCADE"), primary_key=True
    )
    identity_id: Mapped[int] = mapped_column(
        ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    username: Mapped[str]
    password_sealed: Mapped[bytes]
    prepared_at: Mapped[datetime | None]
