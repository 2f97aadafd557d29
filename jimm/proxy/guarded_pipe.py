"""A pipe on which each of the client's messages is decided before it is sent.

The guard stands in front of an ordinary pipe and lets whole messages through to it, so all else
is as in an open one: what comes from the controller, pings, and how it ends.
"""

from collections.abc import Callable

from jimm.proxy.guard import Ended, Guard, Passed, Refused, Restriction
from jimm.proxy.pipe import Command, Failed, Note, Pipe, State
from jimm.wire import frames
from jimm.wire.frames import FrameError


class GuardedPipe(Pipe):
    """For a login that was made while its model is being moved; restricted to its end."""

    def __init__(
        self,
        restriction: Restriction,
        *,
        token: bytes,
        new_mask: Callable[[], bytes],
        note: Note,
        failed: Failed | None = None,
    ) -> None:
        super().__init__(token=token, new_mask=new_mask, note=note, failed=failed)
        self._guard = Guard(restriction)

    def client_passes(self, chunk: bytes) -> bool:
        """Nothing does, without a decision."""
        return False

    def client_sent(self, chunk: bytes) -> list[Command]:
        """Bytes arrived from the client."""
        self._client.heard = True
        if self.state is State.ASKING:
            self._late.append(chunk)
            return []
        if self._late:
            chunk = b"".join([*self._late, chunk])
            self._late.clear()
        try:
            decisions = self._guard.receive(chunk)
        except FrameError as error:
            return self.close(error.close_code, str(error))
        commands: list[Command] = []
        for decision in decisions:
            match decision:
                case Passed(passing):
                    commands += super().client_sent(passing)
                case Refused(reply, call):
                    self._note(call)
                    commands += self._tell(reply)
                case Ended(reason):
                    commands += self.close(frames.POLICY_VIOLATION, reason)
        return commands
