"""What opens clouds."""

from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint, func
from sqlalchemy.orm import Mapped, mapped_column

from jimm.registry.tables.base import Base, BigId


class CredentialRow(Base):
    __tablename__ = "credentials"
    __table_args__ = (UniqueConstraint("owner_id", "cloud", "name"),)

    id: Mapped[BigId]
    owner_id: Mapped[int] = mapped_column(ForeignKey("identities.id"))
    cloud: Mapped[str] = mapped_column(ForeignKey("clouds.name"), index=True)
    name: Mapped[str]
    auth_type: Mapped[str]
    attributes_sealed: Mapped[bytes]
    valid: Mapped[bool | None]
    revision: Mapped[int] = mapped_column(server_default="1")
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ControllerCredentialRow(Base):
    __tablename__ = "controller_credentials"

    controller_id: Mapped[int] = mapped_column(
        ForeignKey("controllers.id", ondelete="CASCADE"), primary_key=True
    )
    credential_id: Mapped[int] = mapped_column(
        ForeignKey("credentials.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    revision: Mapped[int]
