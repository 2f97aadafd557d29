"""A client, a controller and the pure pipe between them, driven by chance, and judged."""

import random
from collections.abc import Callable

from jimm.errors import TryAgain, Unauthorized
from jimm.proxy.peer import PING_EVERY
from jimm.proxy.pipe import (
    AskForAccess,
    CloseClient,
    CloseController,
    Command,
    CutClient,
    CutController,
    State,
)
from tests.unit.proxy.conversation import TOKEN, Conversation
from tests.unit.proxy.documents import plain
from tests.unit.proxy.judge import End, Side, judge_down, judge_up, raw_of
from tests.unit.proxy.wild import Frame, Wild, chunks, innocent_answer, secret_answer


class Play:
    """One conversation of ``count`` messages a side; :meth:`run` it, then :meth:`judge` it."""

    def __init__(
        self,
        rng: random.Random,
        count: int,
        *,
        up: End = End.NOT,
        down: End = End.NOT,
        secrets: float = 0.0,
        large: float = 0.01,
    ) -> None:
        self.rng = rng
        self.count = count
        self.talk = Conversation(quick=rng.random() < 0.7)
        self.secrets = secrets
        self.large = large
        self.ticks = rng.choice((0.0, 0.1, 0.5))
        self.client = Side(Wild(rng, masked=True, token=TOKEN, large=large), count, up)
        self.controllers = [self._controller(down)]
        self.asked = False
        self.now = 0.0

    @property
    def controller(self) -> Side:
        """The one behind the pipe now."""
        return self.controllers[-1]

    def run(self, *, closed_after: int = -1) -> None:
        """All of it; JIMM closes it after so many steps."""
        client_over = controller_over = False
        step = 0
        while not (client_over and controller_over):
            step += 1
            if step == closed_after:
                self._obey(self.talk.obey(self.talk.pipe.close(1001, "over")))
            if self.rng.random() < self.ticks:
                self._tick()
            if self.asked and self.rng.random() < 0.5:
                controller_over &= not self._answer()
            if self.rng.random() < 0.5:
                client_over = client_over or self._client_step()
            else:
                controller_over = controller_over or self._controller_step()
        if self.asked:
            self._answer()
        if not self.client.gone:
            self.client.got = self.talk.to_client
        if not self.controller.gone:
            self.controller.got = self.talk.to_controller

    def converse(self, count: int) -> None:
        """So many requests; the client waits for each answer, as ``juju`` does."""
        for number in range(1, count + 1):
            asked = self.client.wild.fragmented(plain(self.rng, number, self.rng.randrange(9000)))
            self._feed(self.client, asked, self.talk.client)
            self._answer_one(number)
        self.client.got = self.talk.to_client
        self.controller.got = self.talk.to_controller

    def _answer_one(self, number: int) -> None:
        again = True
        while again and self.talk.pipe.state is not State.CLOSING:
            rng, side = self.rng, self.controller
            make = secret_answer if rng.random() < self.secrets else innocent_answer
            answer = side.wild.fragmented(make(rng, number, rng.randrange(9000)))
            self._feed(side, answer, self.talk.controller)
            again = self.asked and self._answer()

    def _feed(
        self, side: Side, frames: list[Frame], send: Callable[[bytes], list[Command]]
    ) -> None:
        raw = raw_of(frames)
        side.passing += raw
        for chunk in chunks(self.rng, raw):
            if not side.gone:
                side.fed += len(chunk)
                self._obey(send(chunk))

    def _controller(self, end: End = End.NOT) -> Side:
        wild = Wild(self.rng, masked=False, token=TOKEN, large=self.large, secrets=self.secrets)
        return Side(wild, self.count, end)

    def _client_step(self) -> bool:
        side, talk = self.client, self.talk
        chunk = None if side.gone else next(side.chunks, None)
        if chunk is not None:
            side.fed += len(chunk)
            self._obey(talk.client(chunk))
            return False
        if side.is_cut:
            self._client_leaves()
        return True

    def _controller_step(self) -> bool:
        side, talk = self.controller, self.talk
        chunk = None if side.gone else next(side.chunks, None)
        if chunk is not None:
            side.fed += len(chunk)
            self._obey(talk.controller(chunk))
            return False
        if side.is_cut:
            self._controller_leaves()
        return True

    def _tick(self) -> None:
        self.now += PING_EVERY / 2
        # Whether a peer is alive is another test's: here both are excused, and read from again.
        for reads in (False, True):
            ticked = self.talk.pipe.tick(self.now, client_read=reads, controller_read=reads)
            assert self.talk.obey(ticked) == []

    def _answer(self) -> bool:
        """Whether there is a new controller leg."""
        self.asked, talk, pipe = False, self.talk, self.talk.pipe
        if pipe.state is not State.ASKING:
            return False
        if self.rng.random() < 0.6:
            self.controller.got, talk.to_controller = talk.to_controller, b""
            self.controllers.append(self._controller())
            self._obey(talk.obey(pipe.readmitted()))
            return True
        error = self.rng.choice((Unauthorized(), TryAgain("not now")))
        self._obey(talk.obey(pipe.refused(error)))
        return False

    def _obey(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case AskForAccess():
                    self.asked = True
                case CloseClient() | CutClient():
                    self._client_leaves()
                case CloseController() | CutController():
                    self._controller_leaves()
                case _:
                    pass

    def _client_leaves(self) -> None:
        side, talk = self.client, self.talk
        if not side.gone:
            side.gone, side.got = True, talk.to_client  # what is written from now on gets nowhere
            self._obey(talk.obey(talk.pipe.client_lost()))

    def _controller_leaves(self) -> None:
        side, talk = self.controller, self.talk
        if not side.gone:
            side.gone, side.got = True, talk.to_controller
            self._obey(talk.obey(talk.pipe.controller_lost()))

    def judge(self) -> None:
        """Whatever one end sent the other got, but for what the RFC and the codes ask for."""
        over = self.talk.pipe.state is State.CLOSING
        judge_up(self.client, self.controllers, self.talk.calls, over=over)
        judge_down(self.client, self.controllers, over=over)
