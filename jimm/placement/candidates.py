"""The values that a placement is decided from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted: a model on ``cloud``, in ``region`` or anywhere on it (``""``).

    ``client_major`` is the Juju major version of the asking client, where known. ``controller``
    names the one that the caller insists on, if any.
    """

    cloud: str
    region: str = ""
    client_major: int | None = None
    controller: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A registered controller as it stands.

    ``regions`` are those of the wanted cloud that it reaches, each with its priority: higher
    is nearer (10 its own region, 1 merely within reach). ``models`` and ``machines`` are what
    it carries now.
    """

    name: str
    regions: tuple[tuple[str, int], ...]
    healthy: bool
    status_info: str = ""
    deprecated: bool = False
    may_add: bool = True
    agent_version: str = ""
    models: int = 0
    machines: int = 0
    weight: float = 1.0

    def region_for(self, wanted: str) -> tuple[str, int] | None:
        """The region that a model would get here, with its priority; ``None`` if none fits."""
        fitting = [each for each in self.regions if wanted in ("", each[0])]
        return max(fitting, key=lambda each: each[1], default=None)

    @property
    def major(self) -> int | None:
        """The controller's Juju major version, if it told one."""
        head = self.agent_version.partition(".")[0]
        return int(head) if head.isdigit() else None
