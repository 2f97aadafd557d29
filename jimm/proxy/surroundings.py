"""What all legs of one loop share."""

from collections.abc import Callable
from dataclasses import dataclass, field

from jimm.audit.call import Asked
from jimm.audit.recorder import Recorder
from jimm.net.tasks import Tasks, soon
from jimm.proxy.doorkeeper import Admission, Doorkeeper
from jimm.proxy.landing import Landing
from jimm.proxy.limits import Limits
from jimm.proxy.pipes import Pipes
from jimm.proxy.rounds import Rounds
from jimm.proxy.stalled import Stalled

Note = Callable[[Admission, Asked], None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all legs of one loop share. ``note`` is told of every request that passes; it is
    called on the event loop and must be quick."""

    doorkeeper: Doorkeeper
    pipes: Pipes
    limits: Limits
    tasks: Tasks
    rounds: Rounds
    stalled: Stalled
    local_domain: str
    note: Note | None = None
    recorder: Recorder | None = None
    landing: Landing = field(default_factory=lambda: Landing(soon))
