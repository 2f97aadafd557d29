"""Rows, the goals beside them, and how both are shown. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from bench.arithmetic import Spread, ratio, spread

STRAIGHT: Final = "straight"
HAPROXY: Final = "haproxy"
JIMM: Final = "jimm"
BEFORE: Final = "before"
"""Another JIMM to compare with, from another tree."""

LAST: Final = "statements"
"""The section to which all others add."""

PEERS: Final = (STRAIGHT, HAPROXY, BEFORE, JIMM)


class Sense(Enum):
    """Which side of a bound is good."""

    AT_MOST = "≤"
    AT_LEAST = "≥"


@dataclass(frozen=True, slots=True)
class Goal:
    """What JIMM's median must be: so many times that of a peer, or (without one) so much."""

    sense: Sense
    bound: float
    beside: str = ""

    def holds(self, value: float) -> bool:
        """Whether a value keeps to it."""
        return value <= self.bound if self.sense is Sense.AT_MOST else value >= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of work: what each run of each peer took, in ``unit``, in the runs' order."""

    section: str
    work: str
    unit: str
    runs: Mapping[str, Sequence[float]]
    goal: Goal | None = None
    detail: Mapping[str, float] = field(default_factory=dict)
    """What it is made of, for the file."""

    def spread(self, peer: str) -> Spread | None:
        """A peer's median and extremes; ``None`` where it did not run."""
        values = self.runs.get(peer)
        return spread(values) if values else None

    def ratio(self, beside: str = HAPROXY) -> Spread | None:
        """JIMM's share of a peer's; ``None`` where one of them did not run."""
        ours, theirs = self.runs.get(JIMM), self.runs.get(beside)
        return ratio(ours, theirs) if ours and theirs else None

    @property
    def met(self) -> bool | None:
        """Whether the goal was met; ``None`` where there is none, or it can't be told."""
        if self.goal is None:
            return None
        told = self.ratio(self.goal.beside) if self.goal.beside else self.spread(JIMM)
        return None if told is None else self.goal.holds(told.middle)


@dataclass(slots=True)
class Report:
    """All rows of a run, with remarks on it."""

    rows: list[Row] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Takes a row in."""
        self.rows.append(row)

    def as_json(self) -> dict[str, object]:
        """Everything, each run included."""
        return {"rows": [_row_json(each) for each in self.rows], "remarks": self.remarks}

    def as_markdown(self) -> str:
        """A table for each section, and the goals."""
        found = dict.fromkeys(each.section for each in self.rows)
        sections = sorted(found, key=LAST.__eq__)
        parts = [_section(name, [r for r in self.rows if r.section == name]) for name in sections]
        remarks = "\n".join(f"- {each}" for each in self.remarks)
        return "\n\n".join([*parts, _goals(self.rows), *([remarks] if remarks else [])]) + "\n"


def verdict(row: Row) -> str:
    """``met``, ``not met``, or nothing where there is no goal."""
    if row.goal is None:
        return ""
    return {True: "met", False: "not met", None: "not measured"}[row.met]


def goal_text(goal: Goal) -> str:
    """A goal as it is read: ``≤ 1.5 x haproxy``."""
    beside = f" x {goal.beside}" if goal.beside else ""
    return f"{goal.sense.value} {_number(goal.bound)}{beside}"


def _section(name: str, rows: Sequence[Row]) -> str:
    peers = [peer for peer in PEERS if any(row.runs.get(peer) for row in rows)]
    compared = JIMM in peers and HAPROXY in peers
    older = JIMM in peers and BEFORE in peers
    heads = ["work", "unit", *peers]
    heads += ["jimm / haproxy"] * compared + ["jimm / before"] * older
    lines = []
    for row in rows:
        cells = [row.work, row.unit, *(_cell(row.spread(peer)) for peer in peers)]
        cells += [_cell(row.ratio())] * compared + [_cell(row.ratio(BEFORE))] * older
        lines.append(cells)
    return f"## {name}\n\n{_table(heads, lines)}"


def _goals(rows: Iterable[Row]) -> str:
    lines = []
    for row in rows:
        if row.goal is None:
            continue
        told = row.ratio(row.goal.beside) if row.goal.beside else row.spread(JIMM)
        unit = "" if row.goal.beside else f" {row.unit}"
        reached = _cell(told) + (unit if told else "")
        lines.append(
            [f"{row.section}: {row.work}", goal_text(row.goal) + unit, reached, verdict(row)]
        )
    return f"## Goals\n\n{_table(['what', 'goal', 'here', ''], lines)}"


def _table(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[at]) for line in [heads, *lines]) for at in range(len(heads))]

    def shown(cells: Sequence[str]) -> str:
        return "| " + " | ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([shown(heads), rule, *(shown(line) for line in lines)])


def _cell(told: Spread | None) -> str:
    if told is None:
        return ""
    if told.least == told.most:
        return _number(told.middle)
    return f"{_number(told.middle)} [{_number(told.least)}, {_number(told.most)}]"


def _number(value: float) -> str:
    """Three digits that count, and no exponent."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    for digits, least in ((0, 100), (1, 10), (2, 1), (3, 0)):
        if abs(value) >= least:
            text = f"{value:.{digits}f}"
            return text.rstrip("0").rstrip(".") if digits else text
    return f"{value}"


def _row_json(row: Row) -> dict[str, object]:
    told: dict[str, object] = {
        "section": row.section,
        "work": row.work,
        "unit": row.unit,
        "runs": {peer: list(values) for peer, values in row.runs.items()},
    }
    if row.goal is not None:
        told |= {"goal": goal_text(row.goal), "met": row.met}
    if row.detail:
        told["detail"] = dict(row.detail)
    return told
