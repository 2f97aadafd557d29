"""What is known of a migration that is watched, as its events tell it. Pure.

Times are the server's, carried on by the reader's own clock since they were heard: what the
reader's calendar says does not matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from jimmctl import progress, rows
from jimmctl.rows import Row

WAITING: Final = "requested"
STUCK: Final = "stuck"

_STAGES: Final[Mapping[str, float]] = {
    "checking": 0.02,
    "starting": 0.04,
    "QUIESCE": 0.08,
    "IMPORT": 0.25,
    "PROCESSRELATIONS": 0.55,
    "VALIDATION": 0.6,
    "SUCCESS": 0.8,
    "LOGTRANSFER": 0.88,
    "REAP": 0.95,
    "confirming": 0.98,
}
"""How much is done when a stage begins, where there is nothing to compare with."""

_NEARLY: Final = 0.99


@dataclass(slots=True)
class Track:
    """One migration; ``name`` stands for its model. ``now`` in the methods is any clock of the
    reader's that only goes forward, in seconds."""

    name: str
    state: str = WAITING
    phase: str = ""
    message: str = ""
    slow: bool = False
    _at: float = 0.0
    _heard: float = 0.0
    _began: float | None = None
    _since: float | None = None
    _rest: tuple[float, float] | None = None
    _share: float = 0.0

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in progress.ENDS

    @property
    def stage(self) -> str:
        """Juju's phase while it runs, else JIMM's state."""
        return self.phase if self.state == "running" and self.phase else self.state

    def take(self, kind: str, told: Row, now: float) -> None:
        """Takes in an event: ``progress``, ``outlook`` or ``end``; others are nothing to it."""
        if kind not in ("progress", "outlook", "end"):
            return
        at = _seconds(told, "at")
        if at is not None and at > self._server(now):
            self._at, self._heard = at, now
        before = (self.state, self.phase)
        self.state, self.phase = rows.text(told, "state") or self.state, rows.text(told, "phase")
        self.message = rows.text(told, "message") or self.message
        if (self.state, self.phase) != before:
            self._since, self._rest, self.slow = at, None, False
        if self._began is None and self.state != WAITING:
            self._began = at
        if kind == "outlook":
            self._look_out(told)

    def in_phase(self, now: float) -> float | None:
        """Seconds since state or phase changed; ``None`` when it is over."""
        if self.over or self._since is None:
            return None
        return max(0.0, self._server(now) - self._since)

    def rest(self, now: float) -> float | None:
        """Seconds that it should still take; ``None`` where nobody can tell."""
        if self.over or self._rest is None:
            return None
        seconds, at = self._rest
        return max(0.0, seconds - (self._server(now) - at))

    def share(self, now: float) -> float:
        """How much is done, from 0 to 1; it never goes back."""
        if self.state == progress.MOVED:
            return 1.0
        self._share = max(self._share, min(_NEARLY, self._estimate(now)))
        return self._share

    def _estimate(self, now: float) -> float:
        rest = self.rest(now)
        if rest is None or self._began is None:
            return _STAGES.get(self.stage, 0.0)
        gone = max(0.0, self._server(now) - self._began)
        return gone / (gone + rest) if gone + rest else 0.0

    def _look_out(self, told: Row) -> None:
        rest, at = _number(told, "expected-rest"), _seconds(told, "at")
        self._rest = None if rest is None or at is None else (rest, at)
        self.slow = told.get("slow") is True
        since = _seconds(told, "phase-since")
        self._since = self._since if since is None else since

    def _server(self, now: float) -> float:
        return self._at + max(0.0, now - self._heard)


def clock(seconds: float) -> str:
    """A span as ``0:05`` or ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def outlook(track: Track, now: float) -> str:
    """What is to be expected, in a few words."""
    if track.over:
        return ""
    if track.state == WAITING:
        return "waits for its turn"
    rest = track.rest(now)
    if track.slow or rest is None:
        return "slow" if track.slow else ""
    return f"about {clock(rest)} left" if rest >= 1 else "any moment"


def chosen(tracks: list[Track], room: int) -> tuple[list[Track], list[Track]]:
    """Those to show one by one where there is room for so many lines, in their order, and those
    to be summed up: whatever is under way is shown before what waits or is over."""
    if len(tracks) <= room:
        return tracks, []
    ranked = sorted(tracks, key=lambda one: (one.over, one.state == WAITING))
    shown = {id(one) for one in ranked[: max(0, room - 1)]}
    return (
        [one for one in tracks if id(one) in shown],
        [one for one in tracks if id(one) not in shown],
    )


def summary(tracks: list[Track]) -> str:
    """Several in one line: ``and 12 more: 3 under way, 8 waiting, 1 done``."""
    counts: dict[str, int] = {}
    for one in tracks:
        word = one.state if one.over or one.state == STUCK else "under way"
        word = "waiting" if one.state == WAITING else word
        counts[word] = counts.get(word, 0) + 1
    order = (STUCK, "under way", "waiting", *progress.ENDS)
    return f"and {len(tracks)} more: " + ", ".join(
        f"{counts[word]} {word}" for word in order if word in counts
    )


def _number(told: Row, key: str) -> float | None:
    value = told.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _seconds(told: Row, key: str) -> float | None:
    try:
        return datetime.fromisoformat(rows.text(told, key)).timestamp()
    except ValueError:
        return None
