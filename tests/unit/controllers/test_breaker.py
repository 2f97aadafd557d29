"""The circuit breaker against a model of it."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from jimm.controllers.breaker import Breaker, State


def test_opens_at_the_third_failure_in_a_row_and_tries_again_after_five_seconds() -> None:
    breaker = Breaker()
    breaker.failed(0.0)
    breaker.failed(1.0)
    assert breaker.allows(1.5)
    breaker.failed(2.0)
    assert not breaker.allows(2.0)
    assert not breaker.allows(6.9)
    assert breaker.allows(7.0)
    assert breaker.state is State.HALF_OPEN


def test_a_success_between_failures_starts_the_count_anew() -> None:
    breaker = Breaker()
    for _ in range(3):
        breaker.failed(0.0)
        breaker.failed(0.0)
        breaker.succeeded()
    assert breaker.allows(0.0)


def test_half_open_lets_one_attempt_pass_and_its_outcome_decides() -> None:
    breaker = Breaker(failures=1, retry_after=5.0)
    breaker.failed(0.0)
    assert breaker.allows(5.0)
    assert not breaker.allows(5.1)
    breaker.failed(6.0)
    assert not breaker.allows(10.9)
    assert breaker.allows(11.0)
    breaker.succeeded()
    assert breaker.allows(11.0)
    assert breaker.allows(11.0)


def test_an_attempt_that_never_reports_does_not_block_for_ever() -> None:
    breaker = Breaker(failures=1, retry_after=5.0)
    breaker.failed(0.0)
    assert breaker.allows(5.0)
    assert not breaker.allows(9.9)
    assert breaker.allows(10.0)


class BreakerMachine(RuleBasedStateMachine):
    """Whatever happens: fewer failures in a row than the limit never block, and while it is
    not closed at most one attempt begins in any ``retry_after`` seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker = Breaker(failures=3, retry_after=5.0)
        self.now = 0.0
        self.in_a_row = 0
        self.blocked_until = 0.0
        self.tripped = False

    @rule(seconds=st.integers(min_value=0, max_value=12))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule()
    def attempt(self) -> None:
        expected = not self.tripped or self.now >= self.blocked_until
        assert self.breaker.allows(self.now) is expected
        if self.tripped and expected:
            self.blocked_until = self.now + 5.0

    @rule()
    def failure(self) -> None:
        self.breaker.failed(self.now)
        self.in_a_row += 1
        if self.tripped or self.in_a_row >= 3:
            self.tripped, self.blocked_until = True, self.now + 5.0

    @rule()
    def success(self) -> None:
        self.breaker.succeeded()
        self.in_a_row, self.tripped = 0, False

    @invariant()
    def closed_unless_tripped(self) -> None:
        assert (self.breaker.state is State.CLOSED) is not self.tripped


TestBreakerMachine = BreakerMachine.TestCase
