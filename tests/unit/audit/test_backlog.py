"""What waits to be written: its bound, and what is left out."""

import itertools
from collections.abc import Callable

import pytest

from jimm.audit.backlog import BRISK, FEW, LONG_PARAMS, PENDING, Backlog, Conversation
from jimm.audit.call import Call
from jimm.audit.lines import GUESSED, WITHHELD


class Trail:
    """A backlog, and what was heard from it."""

    def __init__(
        self, *, drop: bool = False, skip: tuple[str, ...] = (), batch: int = 10, batches: int = 4
    ) -> None:
        self.heard: list[bool] = []
        self.busy = False
        self.put_off: list[Callable[[], None]] = []
        self.time = 1e9
        self.backlog = Backlog(
            batch=batch,
            batches=batches,
            drop=drop,
            skip=skip,
            now=lambda: self.time,
            stirred=lambda: self.heard.append(self.backlog.full),
            soon=self._soon,
        )
        self.conversation = Conversation(self.backlog, str.upper, "0123456789abcdef")
        self.conversation.is_of(identity="alice@jimm", door="model")

    def call(
        self,
        method: str = "FullStatus",
        params: bytes = b"",
        *,
        facade: str = "Client",
        number: int = 1,
        sure: bool = True,
    ) -> None:
        self.conversation.called(Call(number, facade, 8, method, "", params, sure))
        self.backlog.settle()

    def _soon(self, work: Callable[[], None]) -> None:
        if self.busy:
            self.put_off.append(work)
        else:
            work()

    def written(self) -> list[str]:
        """All lines there are, in the order in which they are written."""
        self.backlog.cut()
        found: list[str] = []
        while (batch := self.backlog.take()) is not None:
            found += batch.lines
            found += [detail.head + detail.ending() for detail in batch.details]
        return found


Cause = Callable[[Trail], None]


@pytest.mark.parametrize(
    "cause",
    [
        lambda trail: trail.call(),
        lambda trail: trail.call("Deploy", b'{"applications":[]}', facade="Application"),
        lambda trail: trail.conversation.failed(1, "no", ""),
    ],
    ids=["calls", "kept", "failures"],
)
def test_it_is_full_at_its_bound_and_no_more_at_half_of_it(cause: Cause) -> None:
    trail = Trail()
    for _ in range(39):
        cause(trail)
    assert not trail.backlog.full
    assert trail.heard == [False] * 4  # the first one, and three whole batches
    cause(trail)
    assert trail.backlog.full
    assert len(trail.backlog) == 40
    trail.backlog.take()
    assert trail.backlog.full
    trail.backlog.take()
    assert not trail.backlog.full
    assert trail.heard[4:] == [True, False]


def test_bytes_count_too() -> None:
    trail = Trail()
    long = b'{"config":"%s"}' % (b"x" * 4000)
    for number in itertools.count():
        trail.call("CreateModel", long, facade="ModelManager", number=number)
        trail.conversation.failed(number, "x" * 100_000, "")
        if trail.backlog.full:
            break
    assert len(trail.backlog) <= 40


def test_nothing_waits_longer_than_for_the_first_one() -> None:
    trail = Trail()
    trail.call()
    assert trail.heard == [False]
    trail.call()
    assert trail.heard == [False]
    assert len(trail.written()) == 2
    assert trail.backlog.rest()
    trail.call()
    assert trail.heard == [False] * 2


def test_what_does_not_fit_is_dropped_and_counted_where_nobody_is_to_wait() -> None:
    trail = Trail(drop=True)
    for _ in range(75):
        trail.call()
    assert not trail.backlog.full
    assert len(trail.backlog) == 45
    assert trail.backlog.dropped() == 30
    assert trail.backlog.dropped() == 0


def test_what_says_nothing_leaves_no_record_unless_its_name_is_a_guess() -> None:
    trail = Trail(skip=("Pinger.Ping", "*.Next"))
    trail.call("Ping", facade="Pinger")
    trail.call("Next", facade="NotifyWatcher")
    trail.conversation.called(Call(3, "NotifyWatcher", 1, "Next", "7", b"", True))
    assert trail.heard == []
    trail.conversation.called(Call(4, "Client", 8, "FullStatus"))
    assert trail.heard == [False]
    assert len(trail.written()) == 1
    assert trail.backlog.rest()
    trail.heard.clear()
    assert len(trail.backlog) == 0
    assert trail.heard == []
    trail.call("Ping", facade="Pinger", sure=False)
    trail.call("Ping", facade="Client")
    first, second = trail.written()
    assert {"Ping", "Client"} <= set(first.split("\t"))
    assert GUESSED in second


def test_parameters_are_told_to_have_been_there() -> None:
    trail = Trail()
    for params in (b"", b"{}", b"null"):
        trail.call(params=params)
    assert all("\t{}\n" in line for line in trail.written())
    trail.call(params=b'{"patterns":["secret"]}')
    (line,) = trail.written()
    assert WITHHELD in line
    assert "secret" not in line


def test_long_parameters_are_not_kept() -> None:
    trail = Trail()
    trail.call("Deploy", b" " * 5000 + b'{"applications":[]}', facade="Application")
    assert WITHHELD in trail.written()[0]


def test_errors_are_hidden_when_they_are_written() -> None:
    trail = Trail()
    trail.conversation.failed(7, "permission denied", "unauthorized access")
    (line,) = trail.written()
    assert "\tPERMISSION DENIED\tunauthorized access\n" in line
    assert "\tfailed\tt\t" in line


def test_a_number_that_does_not_fit_is_no_number() -> None:
    trail = Trail()
    for number in (-1, 2**63, 10**4000):
        trail.call(number=number)
    assert all("\t-1\t" in line for line in trail.written())


def test_the_clock_may_go_back() -> None:
    trail = Trail()
    trail.call()
    trail.time -= 3600
    trail.call()
    first, second = trail.written()
    assert "2001-09-09 01:46:40.000000+00" in first
    assert "2001-09-09 00:46:40.000000+00" in second


@pytest.mark.parametrize("batch", [PENDING, 4 * PENDING])
@pytest.mark.parametrize(("pause", "together"), [(0.0, PENDING), (BRISK, FEW)])
def test_calls_are_put_down_together_and_none_is_forgotten(
    batch: int, pause: float, together: int
) -> None:
    """Many where they come fast, few where they come slowly."""
    trail = Trail(batch=batch, batches=10)
    asked = range(1, 8 * PENDING)
    most = [0]
    for number in asked:
        trail.time += pause
        trail.conversation.called(Call(number, "Client", 8, "FullStatus"))
        assert len(trail.backlog) == number
        most.append(len(trail.backlog.pending))
    assert trail.heard[0] is False  # somebody knows of it from the first one on
    assert max(most) == together - 1  # the next one has them put down
    assert not trail.backlog.rest()
    assert [int(line.split("\t")[10]) for line in trail.written()] == list(asked)
    assert trail.backlog.rest()


def test_nothing_is_put_down_while_calls_are_passed_on() -> None:
    trail = Trail()
    trail.busy = True
    for number in range(1, 100):
        trail.conversation.called(Call(number, "Client", 8, "FullStatus"))
    assert len(trail.backlog.pending) == 99
    (work,) = trail.put_off  # asked for once
    work()
    assert not trail.backlog.pending
    trail.conversation.called(Call(100, "Client", 8, "FullStatus"))
    assert len(trail.put_off) == 1
    assert len(trail.written()) == 100


def test_no_more_are_pending_than_a_batch_holds() -> None:
    trail = Trail(batch=10)
    for _ in range(100):
        trail.conversation.called(Call(1, "Client", 8, "FullStatus"))
        assert len(trail.backlog.pending) < 10


def test_long_parameters_are_not_kept_waiting() -> None:
    trail = Trail()
    trail.call()
    trail.conversation.called(Call(2, "Client", 8, "FullStatus", "", b"x" * (LONG_PARAMS + 1)))
    assert not trail.backlog.pending


def test_who_somebody_was_at_a_call_counts_for_its_record() -> None:
    trail = Trail()
    trail.call()
    trail.conversation.called(Call(2))
    trail.conversation.is_of(identity="bob@jimm", door="model")
    trail.conversation.called(Call(3))
    assert [line.split("\t")[0] for line in trail.written()[1:]] == ["alice@jimm", "bob@jimm"]


def test_names_that_nobody_has_take_no_room() -> None:
    trail = Trail()
    for number in range(10_000):
        trail.call(f"Method{number}")
        trail.backlog.take()
    assert len(trail.backlog.known) <= 4096
    trail.call("x" * 100_000)
    trail.backlog.settle()
    assert all(len(key[2]) < 1000 for key in trail.backlog.known)
