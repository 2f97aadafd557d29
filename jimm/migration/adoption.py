"""Whether a model that lives on a registered controller may be taken into JIMM. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from jimm.migration.phases import Phase, phase_of
from jimm.migration.prechecks import Finding
from jimm.migration.verdict import Present, is_exporting
from jimm.wire.params.common import EntityStatus, Params
from jimm.wire.params.model_manager import EntityCount, MigrationStatus

BUSY_IMPORTING = frozenset({"importing", "the model is being migrated"})
"""What Juju 3.6 and 4.0 say of a model that is half imported."""


class Access(Params, kw_only=True):
    """Somebody with access to a model; ``user`` is an id there."""

    user: str


class Told(Params, kw_only=True):
    """What ``ModelInfo`` and a row of ``ListModelSummaries`` tell of a model, as far as it
    matters here; ``users`` only the former, ``counts`` only the latter."""

    name: str
    uuid: str
    controller_uuid: str
    is_controller: bool
    owner_tag: str
    cloud_tag: str
    cloud_region: str = ""
    cloud_credential_tag: str = ""
    life: str
    status: EntityStatus
    counts: list[EntityCount] | None = None
    users: list[Access] | None = None
    migration: MigrationStatus | None = None
    agent_version: str | None = None

    @property
    def owner(self) -> str:
        """The owner's user id on the controller."""
        return self.owner_tag.removeprefix("user-").removesuffix("@local")

    @property
    def cloud(self) -> str:
        """The cloud's name."""
        return self.cloud_tag.removeprefix("cloud-")

    @property
    def is_half_imported(self) -> bool:
        """Whether a migration is bringing it; nothing may be done with it until that ends."""
        return self.status.status == "busy" and self.status.info in BUSY_IMPORTING


@dataclass(frozen=True, slots=True)
class Place:
    """Where the model is, as the registry knows it.

    ``clouds`` are the controller's, each with its regions. ``taken``: JIMM has a model of the
    owner and name already; ``being_made``: JIMM is making one of that name there.
    """

    controller: str
    uuid: str
    clouds: Mapping[str, frozenset[str]]
    taken: bool = False
    being_made: bool = False


def check(told: Told, view: Present, place: Place) -> list[Finding]:
    """Every reason why the model can't be taken in; none means that it can."""
    if told.is_controller:
        return [
            Finding(
                "controller-model",
                f"{told.name} is a controller's own model",
                "controller models stay out of JIMM",
            )
        ]
    return [
        *_check_life(told),
        *_check_migration(told, view, place),
        *_check_cloud(told, place),
        *_check_name(told, place),
    ]


def _check_life(told: Told) -> list[Finding]:
    if told.life in ("", "alive"):
        return []
    return [Finding("model-dying", f"the model is {told.life}", "let it go")]


def _check_migration(told: Told, view: Present, place: Place) -> list[Finding]:
    if view.importing or told.is_half_imported:
        return [
            Finding(
                "half-imported",
                f"{place.controller} is still importing the model",
                "wait until that ends, then try again",
            )
        ]
    if is_exporting(view):
        return [
            Finding(
                "already-migrating",
                f"{place.controller} is migrating the model away",
                "wait until that ends; then import it from where it is",
            )
        ]
    message = "" if told.migration is None else told.migration.status
    moved_away = phase_of(message, ended=True) is Phase.REAPFAILED
    if moved_away or told.controller_uuid != place.uuid:
        return [
            Finding(
                "model-moved",
                f"the model was migrated away, and {place.controller} kept the rest of it",
                "import it from the controller on which it lives now",
            )
        ]
    return []


def _check_cloud(told: Told, place: Place) -> list[Finding]:
    regions = place.clouds.get(told.cloud)
    if regions is not None and (not told.cloud_region or told.cloud_region in regions):
        return []
    code = "cloud-missing" if regions is None else "region-missing"
    region = f"/{told.cloud_region}" if told.cloud_region else ""
    return [
        Finding(
            code,
            f"JIMM does not know that {place.controller} has {told.cloud}{region}",
            f"a controller's clouds are read when it is registered: jimmctl remove-controller "
            f"--force {place.controller}, then jimmctl add-controller; its models come back",
        )
    ]


def _check_name(told: Told, place: Place) -> list[Finding]:
    findings = []
    if place.taken:
        findings.append(
            Finding(
                "name-taken",
                f"that owner has a model {told.name} in JIMM already",
                "give it to another owner",
            )
        )
    if place.being_made:
        findings.append(
            Finding(
                "being-made",
                f"JIMM itself is making a model {told.name} on {place.controller}",
                "try again when that has ended",
            )
        )
    return findings
