"""Juju versions, and which of them give models to which."""

import re
from collections.abc import Set
from typing import Final, NamedTuple

from jimm.migration.prechecks.finding import Finding
from jimm.migration.prechecks.values import ControllerFacts, ModelFacts

ENVELOPE: Final = 8
"""The version of ``MigrationTarget`` from which on a target reads what Juju 4 sends; it came
with 4.1 (Juju ``internal/migration/precheck.go``)."""

_OLD_FORMAT: Final = frozenset(range(1, ENVELOPE))


class Version(NamedTuple):
    """A Juju version; a tagged one (``3.7-beta1``) comes before every release of its minor."""

    major: int
    minor: int
    release: bool
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Version | None":
        """The version in a text such as ``3.6.9`` or ``3.7-beta1``; ``None`` if there is none."""
        found = re.match(r"(\d+)\.(\d+)(?:\.(\d+)|-[a-z]+(\d+))?", text)
        if found is None:
            return None
        major, minor, patch, tagged = found.groups()
        return cls(int(major), int(minor), tagged is None, int(patch or tagged or 0))

    @property
    def series(self) -> tuple[int, int]:
        """Major and minor."""
        return self.major, self.minor


_DRY_RUN_SINCE: Final = {(3, 6): 13, (4, 0): 13}
"""The first patch that is known to know ``dry-run``; an older one may ignore it and start."""

_ENVELOPE_SINCE: Final = (4, 1)
_OLDEST_FOR_3: Final = Version(2, 9, True, 43)


def major(text: str) -> int:
    """The major version in a text, 0 if there is none."""
    found = Version.parse(text)
    return 0 if found is None else found.major


def knows_dry_run(text: str) -> bool:
    """Whether a controller of that version surely does not start where a dry run is asked for."""
    found = Version.parse(text)
    if found is None or not found.release:
        return False
    since = _DRY_RUN_SINCE.get(found.series)
    return found.series > max(_DRY_RUN_SINCE) if since is None else found.patch >= since


def check(model: ModelFacts, source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    """Why the target is too old, or reads another format."""
    there = Version.parse(target.agent_version)
    if there is None:
        return []
    return [
        *_check_model(model, target, there),
        *_check_source(source, target, there),
        *_check_format(source, target, there),
    ]


def _check_model(model: ModelFacts, target: ControllerFacts, there: Version) -> list[Finding]:
    here = Version.parse(model.agent_version)
    if here is None:
        return []
    if here > there:
        return [_newer("version-model", "the model runs", model.agent_version, target)]
    if there.major == 3 and here < _OLDEST_FOR_3:
        return [
            Finding(
                "version-model-too-old",
                f"the model runs {model.agent_version}, too old for {target.agent_version} on "
                f"{target.name}",
                "upgrade the model to 2.9.43 or later where it is: juju upgrade-model",
            )
        ]
    return []


def _check_source(
    source: ControllerFacts, target: ControllerFacts, there: Version
) -> list[Finding]:
    here = Version.parse(source.agent_version)
    if here is None or here <= there:
        return []
    told = f"the source {source.name} runs"
    if here.series > there.series:
        return [_newer("version-source", told, source.agent_version, target)]
    # Juju compares only major and minor; a newer patch may describe models in a newer way, which
    # the target finds out in IMPORT, after the model's agents were made to wait.
    newer = _newer("description-too-new", told, source.agent_version, target)
    why = f"{newer.found}, which may not read how it describes models"
    return [Finding(newer.code, why, newer.remedy)]


def _check_format(
    source: ControllerFacts, target: ControllerFacts, there: Version
) -> list[Finding]:
    here = Version.parse(source.agent_version)
    if here is None or (here.major < 4 and there.major < 4):
        return []
    if here.major >= 4 and not _reads_envelope(target.takes, there):
        return [
            Finding(
                "target-below-4-1",
                f"{source.name} runs {source.agent_version} and gives models to 4.1 and later "
                f"only; {target.name} runs {target.agent_version}",
                f"upgrade {target.name} to Juju 4.1 or later, or choose one that is",
            )
        ]
    if here.major < 4 and target.takes is not None and not target.takes & _OLD_FORMAT:
        return [
            Finding(
                "source-facades-too-old",
                f"{source.name} runs {source.agent_version}, too old to give models to "
                f"{target.agent_version} on {target.name}",
                f"upgrade {source.name}, or choose an older controller",
            )
        ]
    return []


def _reads_envelope(takes: Set[int] | None, there: Version) -> bool:
    return there.series >= _ENVELOPE_SINCE if takes is None else max(takes, default=0) >= ENVELOPE


def _newer(code: str, told: str, version: str, target: ControllerFacts) -> Finding:
    return Finding(
        code,
        f"{told} {version}, newer than {target.agent_version} on {target.name}",
        f"upgrade {target.name}, or choose a controller with {version} or later",
    )
