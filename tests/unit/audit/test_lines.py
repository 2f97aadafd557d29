"""Records as lines, read back as Postgres reads them."""

from hypothesis import given
from hypothesis import strategies as st

from jimm.audit import lines

NASTY = st.text(alphabet=st.sampled_from("\\\t\n\r\0\v\b.N{}\"'é\ud800\udc00😀a")) | st.text()

_NAMED = {"t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


def unescape(field: str) -> str:
    """A field of COPY's text form (PostgreSQL, COPY, "Text Format")."""
    found, rest = "", iter(field)
    for letter in rest:
        found += _NAMED[next(rest)] if letter == "\\" else letter
    return found


@given(NASTY)
def test_a_text_survives_but_for_what_postgres_can_t_hold(text: str) -> None:
    escaped = lines.escape(text)
    assert not set("\t\n\r\0") & set(escaped)
    escaped.encode()  # no half of a surrogate pair is left
    kept = text[: lines.LONGEST_NAME].replace("\0", "\ufffd")
    whole = kept.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert unescape(escaped) == whole


@given(NASTY, NASTY, NASTY, st.integers(), st.integers(), NASTY)
def test_a_line_has_one_field_for_each_column(
    identity: str, facade: str, method: str, version: int, number: int, rest: str
) -> None:
    head = lines.prefix(
        identity=identity,
        door="model",
        model_uuid=rest,
        controller=rest,
        conversation="0123456789abcdef",
        client=rest,
    )
    head += lines.names(facade, version, method) + lines.time_text(1e9)
    head += f"\t{lines.number(number)}"
    for end, columns in (
        (lines.end("{}"), lines.PLAIN),
        (lines.called_end(rest, lines.WITHHELD), lines.DETAILED),
        (lines.failed_end(rest, method), lines.DETAILED),
        (lines.noted_end("drop-audit-records", '{"records": 1}'), lines.DETAILED),
    ):
        line = head + end
        assert line.endswith("\n")
        fields = line[:-1].split("\t")
        assert len(fields) == len(columns)
        assert int(fields[columns.index("facade_version")]) < 2**31
        assert -1 <= int(fields[columns.index("message_id")]) < 2**63


def test_a_name_is_cut_off_where_it_is_too_long() -> None:
    assert lines.escape("x" * 10_000) == "x" * lines.LONGEST_NAME
    assert len(lines.failed_end("é" * 10_000, "")) < 2 * lines.LONGEST_ERROR


def test_what_is_no_model_s_uuid_is_none() -> None:
    fields = lines.prefix(
        identity="", door="", model_uuid="nothing", controller="", conversation="", client=""
    ).split("\t")
    assert fields[2] == r"\N"
