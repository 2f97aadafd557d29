"""How long and how much the proxy waits for and keeps."""

from dataclasses import dataclass

from jimm.controllers import deadlines


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes.

    ``login``: from a client's connect until its pipe is open; a person may be typing.
    ``close``: how long a closed pipe's ends may take to say goodbye.
    ``tick``: how often silence is looked at. ``message`` and ``answer`` are the largest
    messages before the pipe is open, the client's and the controller's; ``buffer`` is what may
    wait to be written to one peer before the other is no longer read from. ``stalled`` is how
    many pipes may stand still for longer than ``patience`` because an end takes nothing.
    """

    login: float = 600.0
    dial: float = deadlines.DIAL
    controller_login: float = deadlines.LOGIN
    close: float = 10.0
    tick: float = 15.0
    message: int = 1024 * 1024
    answer: int = 16 * 1024 * 1024
    buffer: int = 256 * 1024
    stalled: int = 256
    patience: float = 10.0
