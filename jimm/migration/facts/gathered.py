"""What was gathered of each side."""

from dataclasses import dataclass

from jimm.migration.prechecks import ControllerFacts, ModelFacts
from jimm.migration.verdict import View
from jimm.wire.params.cloud import CloudCredential
from jimm.wire.tags import CredentialId


@dataclass(frozen=True, slots=True)
class Held:
    """The credential that a model uses: its id on the source, what the source shows of it
    (without secrets; ``valid`` is ``None`` where it does not say), and whose it is in JIMM,
    empty where JIMM does not know."""

    id: CredentialId
    valid: bool | None = None
    content: CloudCredential | None = None
    identity: str = ""


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The model, and the controller that it is on.

    ``start`` is the start of the last attempt as the source shows it, empty for none;
    ``users`` are the users with access, by their names there.
    """

    model: ModelFacts
    controller: ControllerFacts
    view: View
    start: str = ""
    users: frozenset[str] = frozenset()
    credential: Held | None = None

    @property
    def machines(self) -> int:
        """How many machines the model has, containers included."""
        return len(self.model.status.machines) if self.model.status is not None else 0

    @property
    def units(self) -> int:
        """How many units it has."""
        return len(self.model.status.units) if self.model.status is not None else 0


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """A target. ``leftover``: it holds a half import of the model that nobody works on, which
    may be cleared."""

    controller: ControllerFacts
    leftover: bool = False
