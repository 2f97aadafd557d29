"""Every text of Juju's has a code of its own, a sentence that names what is at fault, and a
remedy; nothing of a credential is told."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.migration.explanations import JUJU_REFUSED, READINGS, Explanation, explain
from jimm.migration.explanations.rule import Listing, Place, Reading, Rule
from jimm.migration.reasons import redact_reason
from tests.migration_texts import ABORTED, DEBRIS, INITIATE, OWN, REASONS, SECRET, Said


def _rules(reading: Reading) -> list[Rule]:
    match reading:
        case Rule():
            return [reading]
        case Place() | Listing():
            return [rule for each in reading.readings for rule in _rules(each)]
        case _:
            raise AssertionError(reading)


EVERYTHING = (*INITIATE, *REASONS, *DEBRIS, *OWN)
RULES = [rule for reading in READINGS for rule in _rules(reading)]
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@pytest.mark.parametrize("said", EVERYTHING, ids=lambda said: f"{said.code}: {said.text[:60]}")
def test_each_text_has_its_code_its_names_and_a_remedy(said: Said) -> None:
    told = explain(said.text)
    assert told.code == said.code
    for name in said.names:
        assert name in f"{told.sentence}\n{told.remedy}"
    _is_presentable(told)


@pytest.mark.parametrize("said", EVERYTHING, ids=lambda said: f"{said.code}: {said.text[:60]}")
def test_a_reason_means_the_same_within_the_text_of_an_abort(said: Said) -> None:
    assert explain(ABORTED + said.text) == explain(said.text)
    assert explain("migrating: " + ABORTED + said.text) == explain(said.text)


def test_no_two_causes_share_a_code() -> None:
    sentences: dict[str, set[str]] = {}
    for rule in RULES:
        sentences.setdefault(rule.code, set()).add(rule.sentence)
    assert {code for code, each in sentences.items() if len(each) > 1} == SAME_CAUSE


SAME_CAUSE = {
    "machine-agent-down",  # 4.0 doesn't say in which state
    "machine-not-running",
    "machine-version",  # 4.0 says it of all at once
    "unit-not-idle",
    "unit-version",
    "model-dying",  # the prechecks say how far it is
    "name-taken",  # Import says whose it is
}
"""Codes whose cause is one although the texts tell more or less of it."""


def test_every_rule_is_there_for_a_text() -> None:
    known = {said.code for said in EVERYTHING}
    assert {rule.code for rule in RULES} - known == {"import-{step}", *UNHEARD}


UNHEARD = {"transfer-failed", "target-addresses-missing"}
"""For what Juju could say, were it asked otherwise."""


def test_a_text_that_nobody_knows_is_told_as_it_is_but_for_secrets() -> None:
    told = explain(f"the moon is full: map[phase:{SECRET}]")
    assert told.code == JUJU_REFUSED
    assert told.sentence == "the moon is full: map[<redacted>]"
    assert told.remedy


HOW_TO = Path(__file__).parents[3] / "docs/how-to/when-a-migration-fails.md"


def test_the_how_to_knows_every_code() -> None:
    told = set(re.findall(r"`([a-z0-9-]+(?:-…)?)`", HOW_TO.read_text()))
    families = tuple(each.removesuffix("…") for each in told if each.endswith("…"))
    codes = {said.code for said in EVERYTHING} | {JUJU_REFUSED, "reason-lost"}
    assert [each for each in codes if each not in told and not each.startswith(families)] == []


@pytest.mark.parametrize("text", [ABORTED, ABORTED.strip(), "migrating: " + ABORTED])
def test_a_reason_that_a_restart_has_lost_is_no_unknown_one(text: str) -> None:
    assert explain(text).code == "reason-lost"
    _is_presentable(explain(text))


def test_no_text_at_all_is_not_shown_as_nothing() -> None:
    assert explain("").code == JUJU_REFUSED
    assert explain("").sentence


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("owner-missing", "jimmctl migrate TARGET MODEL --prepare"),
        ("owner-missing", "juju add-user bob"),
        ("credential-missing", "jimmctl migrate TARGET MODEL --prepare"),
        ("machine-sanity-check", "juju debug-log -m controller"),
        ("machine-sanity-check", "juju remove-machine -m MODEL MACHINE --force"),
    ],
)
def test_the_failures_of_the_manual_come_with_what_to_do(code: str, advice: str) -> None:
    said = next(each for each in EVERYTHING if each.code == code)
    assert advice in explain(said.text).remedy


def test_a_long_list_is_told_shortly() -> None:
    listed = "".join(f'\n- machine "{number}" status is not started' for number in range(100))
    told = explain(
        f"source prechecks failed: model machines(s) are not ready for migration:{listed}"
    )
    assert told.code == "machine-agent-down"
    assert "machine 0 " in told.sentence
    assert told.sentence.endswith("and 90 more")
    assert told.remedy.count("restart the agents") == 1


VALUE = "zzzVALUEzzz"
ANYWHERE = st.sampled_from([said.text for said in EVERYTHING])


@given(ANYWHERE, st.text(max_size=40), st.text(max_size=40))
def test_a_map_behind_any_text_is_never_told(text: str, before: str, after: str) -> None:
    inside = f"{before}{VALUE}{after}"
    told = explain(f"{text}: map[key:{inside}] != map[key:{inside}]")
    assert VALUE not in _all(told)


@given(ANYWHERE, st.integers(min_value=0, max_value=200))
def test_a_map_within_any_text_is_never_told(text: str, at: int) -> None:
    told = explain(f"{text[:at]}map[password:{VALUE}]{text[at:]}")
    assert VALUE not in _all(told)


@given(st.text())
def test_anything_at_all_is_explained(text: str) -> None:
    told = explain(text)
    assert CODE.fullmatch(told.code)
    assert told.remedy


def _is_presentable(told: Explanation) -> None:
    assert CODE.fullmatch(told.code)
    assert told.remedy
    assert SECRET not in _all(told)
    assert "{" not in _all(told)
    assert "\n" not in _all(told)
    for text in (told.sentence, told.remedy):
        assert text == redact_reason(text)
        assert not text.endswith((".", ":", " "))


def _all(told: Explanation) -> str:
    return f"{told.code}\n{told.sentence}\n{told.remedy}".replace("\n", " ")
