"""Every table, one file per noun. There are no relationships: queries say what they join."""

from jimm.registry.tables.access import (
    DeviceLoginRow,
    IdentityRow,
    PasswordRow,
    RelationChangeRow,
    RelationRow,
    ServiceAccountRow,
    TokenRow,
)
from jimm.registry.tables.base import Base
from jimm.registry.tables.controllers import (
    CloudRegionRow,
    CloudRow,
    ControllerRegionRow,
    ControllerRow,
    ControllerUserRow,
)
from jimm.registry.tables.credentials import ControllerCredentialRow, CredentialRow
from jimm.registry.tables.migrations import (
    MigrationDestinationRow,
    MigrationEventRow,
    MigrationRow,
)
from jimm.registry.tables.models import (
    IntentRow,
    ModelConnectionRow,
    ModelDefaultsRow,
    ModelRow,
    OfferRow,
    PlacementRow,
)
from jimm.registry.tables.plans import PlanItemRow, PlanRow
from jimm.registry.tables.system import (
    AuditEventRow,
    AuditWriterRow,
    SealedSettingRow,
    SettingRow,
    SigningKeyRow,
)

__all__ = [
    "AuditEventRow",
    "AuditWriterRow",
    "Base",
    "CloudRegionRow",
    "CloudRow",
    "ControllerCredentialRow",
    "ControllerRegionRow",
    "ControllerRow",
    "ControllerUserRow",
    "CredentialRow",
    "DeviceLoginRow",
    "IdentityRow",
    "IntentRow",
    "MigrationDestinationRow",
    "MigrationEventRow",
    "MigrationRow",
    "ModelConnectionRow",
    "ModelDefaultsRow",
    "ModelRow",
    "OfferRow",
    "PasswordRow",
    "PlacementRow",
    "PlanItemRow",
    "PlanRow",
    "RelationChangeRow",
    "RelationRow",
    "SealedSettingRow",
    "ServiceAccountRow",
    "SettingRow",
    "SigningKeyRow",
    "TokenRow",
]
