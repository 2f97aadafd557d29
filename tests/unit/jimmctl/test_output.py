"""The three formats, and what a server's text can't do to a terminal."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from jimmctl import output
from jimmctl.errors import JimmctlError, Usage
from jimmctl.output import Output

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
DOCUMENT = [
    {
        "name": "c1",
        "api-addresses": ["192.0.2.1:17070"],
        "ca-certificate": PEM,
        "agent-version": "3.6",
        "status": {"status": "available"},
    }
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def table() -> str:
    return "Name\nc1"


def test_yaml_is_as_juju_writes_it() -> None:
    assert Output("yaml").render(DOCUMENT, table) == (
        "- name: c1\n"
        "  api-addresses:\n"
        "  - 192.0.2.1:17070\n"
        "  ca-certificate: |\n"
        "    -----BEGIN CERTIFICATE-----\n"
        "    MIIB\n"
        "    -----END CERTIFICATE-----\n"
        "  agent-version: '3.6'\n"
        "  status:\n"
        "    status: available\n"
    )


def test_json_is_one_line() -> None:
    text = Output("json").render(DOCUMENT, table)
    assert text.count("\n") == 1
    assert json.loads(text) == DOCUMENT


@given(st.dictionaries(st.text(), VALUES))
def test_yaml_and_json_hold_the_same(document: dict[str, object]) -> None:
    assert json.loads(output.as_json(document)) == document
    assert yaml.safe_load(output.as_yaml(document)) == document


def test_without_a_terminal_it_is_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    Output().write({"results": []}, table)
    assert capsys.readouterr().out == "results: []\n"


def test_a_file_takes_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "out"
    path.write_text("something longer that was there before")
    Output("tabular", path).write(DOCUMENT, table)
    assert path.read_text() == "Name\nc1\n"
    assert capsys.readouterr().out == ""


def test_what_can_not_be_written_is_said_first(tmp_path: Path) -> None:
    with pytest.raises(Usage, match='unknown format "xml"'):
        Output("xml").check()
    with pytest.raises(Usage, match="can't be written"):
        Output("", tmp_path).check()
    with pytest.raises(Usage, match="can't be written"):
        Output("", tmp_path / "none" / "out").check()


def test_a_file_that_fails_is_an_error() -> None:
    with pytest.raises(JimmctlError, match=r"/dev/full can't be written: No space"):
        Output("json", Path("/dev/full")).write({}, table)


def test_columns_are_aligned_without_boxes() -> None:
    made = output.columns(["Name", "Status"], [["c1", "available"], ["longer", ""]])
    assert made == "Name    Status\nc1      available\nlonger  -"
    assert output.columns(["Name", "Status"], []) == "Name  Status"


def test_facts_leave_out_what_is_unknown() -> None:
    assert output.facts([("Name", "c1"), ("Since", ""), ("Status", "up")]) == (
        "Name    c1\nStatus  up"
    )


def test_text_of_a_server_does_not_steer_the_terminal() -> None:
    assert output.plain("a\x1b[31mb\r\nc\u202e") == "a [31mb  c"
    assert "\n" not in output.columns(["Message"], [["one\ntwo"]]).partition("\n")[2]
