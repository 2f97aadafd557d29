import json

import pytest

from bench.table import HAPROXY, JIMM, STRAIGHT, Goal, Report, Row, Sense, goal_text, verdict

AT_MOST_TWICE = Goal(Sense.AT_MOST, 2, HAPROXY)


def row(ours: list[float], theirs: list[float] | None, goal: Goal | None) -> Row:
    runs = {JIMM: ours} | ({} if theirs is None else {HAPROXY: theirs})
    return Row("pipe", "a call", "µs", runs, goal)


@pytest.mark.parametrize(
    ("ours", "theirs", "goal", "met"),
    [
        ([3.0, 4.0, 90.0], [2.0, 2.0, 2.0], AT_MOST_TWICE, True),
        ([4.1, 4.1, 4.1], [2.0, 2.0, 2.0], AT_MOST_TWICE, False),
        ([1.0], None, AT_MOST_TWICE, None),
        ([1.0], [0.0], AT_MOST_TWICE, None),
        ([8.0, 8.0], [10.0, 10.0], Goal(Sense.AT_LEAST, 0.8, HAPROXY), True),
        ([7.0, 7.0], [10.0, 10.0], Goal(Sense.AT_LEAST, 0.8, HAPROXY), False),
        ([10.0], None, Goal(Sense.AT_MOST, 10), True),
        ([11.0], None, Goal(Sense.AT_MOST, 10), False),
        ([1.0], [1.0], None, None),
    ],
)
def test_a_goal_is_held_against_the_median(
    ours: list[float], theirs: list[float] | None, goal: Goal | None, met: bool | None
) -> None:
    assert row(ours, theirs, goal).met is met


def test_a_verdict_is_a_word() -> None:
    assert verdict(row([1.0], [1.0], AT_MOST_TWICE)) == "met"
    assert verdict(row([3.0], [1.0], AT_MOST_TWICE)) == "not met"
    assert verdict(row([3.0], None, AT_MOST_TWICE)) == "not measured"
    assert verdict(row([3.0], None, None)) == ""


def test_a_goal_is_read_with_what_it_is_beside() -> None:
    assert goal_text(AT_MOST_TWICE) == "≤ 2 x haproxy"
    assert goal_text(Goal(Sense.AT_LEAST, 0.7, HAPROXY)) == "≥ 0.7 x haproxy"
    assert goal_text(Goal(Sense.AT_MOST, 1.5)) == "≤ 1.5"


def test_the_table_shows_medians_spread_ratios_and_goals() -> None:
    report = Report(remarks=["HAProxy is not installed."])
    report.add(
        Row(
            "pipe",
            "a call",
            "µs",
            {JIMM: [30.0, 40.0, 50.0], HAPROXY: [20.0, 20.0, 25.0], STRAIGHT: [1.0, 1.0, 1.0]},
            AT_MOST_TWICE,
        )
    )
    report.add(Row("start", "first login", "s", {JIMM: [1.25]}, Goal(Sense.AT_MOST, 1.5)))
    assert report.as_markdown() == (
        "## pipe\n\n"
        "| work   | unit | straight | haproxy     | jimm        | jimm / haproxy |\n"
        "|--------|------|----------|-------------|-------------|----------------|\n"
        "| a call | µs   | 1        | 20 [20, 25] | 40 [30, 50] | 2 [1.5, 2]     |\n"
        "\n"
        "## start\n\n"
        "| work        | unit | jimm |\n"
        "|-------------|------|------|\n"
        "| first login | s    | 1.25 |\n"
        "\n"
        "## Goals\n\n"
        "| what               | goal          | here       |     |\n"
        "|--------------------|---------------|------------|-----|\n"
        "| pipe: a call       | ≤ 2 x haproxy | 2 [1.5, 2] | met |\n"
        "| start: first login | ≤ 1.5 s       | 1.25 s     | met |\n"
        "\n"
        "- HAProxy is not installed.\n"
    )


def test_statements_come_last() -> None:
    report = Report()
    report.add(Row("statements", "a login", "statements", {JIMM: [2.0]}))
    report.add(Row("start", "first login", "s", {JIMM: [1.25]}))
    text = report.as_markdown()
    assert text.index("## start") < text.index("## statements") < text.index("## Goals")


def test_the_file_holds_every_run() -> None:
    report = Report()
    report.add(row([1.0, 2.0], [1.0, 1.0], AT_MOST_TWICE))
    told = json.loads(json.dumps(report.as_json()))
    assert told["rows"] == [
        {
            "section": "pipe",
            "work": "a call",
            "unit": "µs",
            "runs": {"jimm": [1.0, 2.0], "haproxy": [1.0, 1.0]},
            "goal": "≤ 2 x haproxy",
            "met": True,
        }
    ]
