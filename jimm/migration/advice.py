"""What somebody can do about a migration that stands still, or that left something. Pure."""

from collections.abc import Mapping
from typing import Final

from jimm.migration.phases import Phase

DEBRIS: Final = (
    "leave it alone: no call of Juju's takes it away without the machines, which are those of "
    "the model on {target} now, and destroy-model on {source} would end them"
)
"""The source could not remove the model after it had moved."""

UNCONFIRMED: Final = (
    "look at {source} later; should it still have the model when it has done, leave it alone: "
    "destroy-model there would end the machines, which are those of the model on {target} now"
)
"""Nobody knows yet whether the source removed the model."""

COPY: Final = (
    "have the copy taken out of the database of {target}: destroy-model there would end the "
    "machines, which are those of the model on {source}; until then it can't move to {target}"
)
"""The target keeps a model that the source has taken back."""

_LOG: Final = (
    "the log of {source} says more (juju debug-log -m controller --include-module "
    "juju.worker.migrationmaster)"
)

STANDING: Final[Mapping[Phase, str]] = {
    Phase.NONE: f"see that {{target}} runs and that {{source}} reaches it; {_LOG}",
    Phase.QUIESCE: f"see that the model's agents run (juju status on {{source}}); {_LOG}",
    Phase.IMPORT: f"see that {{target}} runs and has room for charms and resources; {_LOG}",
    Phase.PROCESSRELATIONS: f"see that the controller's own machines are well; {_LOG}",
    Phase.VALIDATION: f"see that {{target}} runs, that {{source}} and the model's machines reach "
    f"it, and that its cloud shows those machines; {_LOG}",
    Phase.SUCCESS: "see that {target} runs, that {source} reaches it, and that its credential may "
    f"change the owner of the cloud's resources; {_LOG}",
    Phase.LOGTRANSFER: f"see that {{target}} runs and that {{source}} reaches it; {_LOG}",
    Phase.REAP: f"see that the database of {{source}} is well; {_LOG}",
    Phase.DONE: "see that both controllers run and that JIMM reaches them",
    Phase.ABORT: f"see that the database of {{source}} is well; {_LOG}",
    Phase.ABORTDONE: "see that both controllers run and that JIMM reaches them",
    Phase.REAPFAILED: "see that {target} runs and that JIMM reaches it",
}
"""Where to look when a phase takes too long."""
