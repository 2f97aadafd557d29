"""What passes is named as Juju would execute it, judged by an independent reader of Go's JSON.

The reference itself was compared once with Go 1.26's ``encoding/json`` and Juju's two structs, on
600,000 documents of :mod:`tests.unit.proxy.documents`, whole and with bytes changed, and on values
nested 9,998 to 10,001 deep: it agreed on every one.
"""

import random
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jimm.audit.call import LONGEST_PARAMS
from jimm.proxy.skim import value_end
from jimm.proxy.tap import ABSENT, Plain, Tap, read_long, read_plain
from jimm.wire.frames import Splitter
from tests import go_json
from tests.go_json import Executed, executed
from tests.unit.proxy.conversation import Conversation
from tests.unit.proxy.documents import document, mutated, ordinary
from tests.unit.proxy.judge import named
from tests.unit.proxy.wild import TEXT, Wild, chunks, framed, heard, odd

seeds = st.integers(0, 2**32 - 1)
TWICE = b'"version":null,"request":"Other","request":"FullStatus"'
SMILE = "\U0001f600\ufffd\ufffd"
STATUS = Executed(7, "Client", 6, "FullStatus", "", b"")


@pytest.mark.parametrize(
    ("message", "call"),
    [
        (b'{"REQUEST-ID":7,"Type":"Client","version":6,"reque\xc5\xbft":"FullStatus"}', STATUS),
        (b'{"RequestId":7,"type":"Client","version":6,"request":"FullStatus"}]', STATUS),
        (b'{"type":"Other","typ\\u0065":"Client","request-id":7,"version":6,%s}' % TWICE, STATUS),
        (b'{"type":"\\ud83d\\ude00\\ud83d\xff"}', Executed(0, SMILE, 0, "", "", b"")),
        (b'{"type":"A","type":5}', None),
        (b'{"type":"A","request-id":-1}', None),
        (b'{"type":"A","request-id":1.0}', None),
        (b'{"type":"A","version":-0,"params":null}', Executed(0, "A", 0, "", "", b"null")),
        (b'{"type":"A","response":01}', None),
        (b'[{"type":"A"}]', None),
        (b'{"request-id":7,"response":{}}', None),
        (b"null", None),
        (b"", None),
    ],
)
def test_the_reference_reads_as_go_does(message: bytes, call: Executed | None) -> None:
    assert executed(message) == call


@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_the_reference_goes_as_deep_as_go_does(opens: bytes, closes: bytes) -> None:
    for depth in (go_json.DEEPEST - 1, go_json.DEEPEST):
        message = b'{"type":"A","x":' + opens * depth + b"1" + closes * depth + b"}"
        assert (executed(message) is not None) is (depth < go_json.DEEPEST)


@settings(deadline=None, max_examples=300)
@given(seed=seeds, changed=st.booleans())
def test_what_passes_is_named_as_juju_would_execute_it(seed: int, changed: bool) -> None:
    rng = random.Random(seed)
    message = document(rng)
    message = mutated(rng, message) if changed else message
    talk = sent(message, rng)
    call = executed(message)
    (noted,) = talk.calls
    if call is not None:
        assert noted.sure
        assert named(noted) == call[:5]


@settings(deadline=None, max_examples=500)
@given(seed=seeds, changed=st.booleans())
def test_to_skip_parameters_is_to_read_them(seed: int, changed: bool) -> None:
    rng = random.Random(seed)
    message = ordinary(rng)
    message = mutated(rng, message) if changed else message
    skipped, whole = read(read_long, message), read(read_plain, message)
    assert whole is None or skipped == whole
    call = executed(message)
    if call is not None and skipped is not None:
        assert skipped == call._replace(params=cut(call.params))


def cut(params: bytes) -> bytes:
    """Parameters, or that they are too long for a record."""
    return params if len(params) <= LONGEST_PARAMS else b"too long"


def read(reader: Callable[[bytes], Plain], message: bytes) -> Executed | None:
    """What a reader finds in a message, if it can read it."""
    try:
        plain = reader(message)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    given = plain.params
    params = b"" if given is ABSENT else cut(bytes(memoryview(given)))
    names = (plain.request_id, plain.type, plain.version, plain.request, plain.id)
    return Executed(*names, params)


@pytest.mark.parametrize(
    "params",
    [
        rb'{"a":"x\\"}',
        rb'{"a":"x\""}',
        rb'{"a":"x\\\"]"}',
        b'["]", {"b": [1, 2]}, "}"]',
        b'"' + b"x" * 100_000 + b'"',
        b"[" + (b'{"a":"%s"},' % (b"x" * 2000)) * 20 + b"[]]",
    ],
)
def test_where_a_value_ends(params: bytes) -> None:
    assert value_end(params + b',"id":"1"}', 0) == len(params)
    assert value_end(b"--" + params + b'"}', 2) == 2 + len(params)


@pytest.mark.parametrize(
    "params",
    [
        b"[" + b'"x",' * 10_000 + b"1]",
        b'"' + rb"\"" * 10_000 + b'"',
        b"[" + (b'"%s",' % (b"x" * 2000)) * 300 + b"1]",
        b"17",
        b'{"a":"never ends}',
        b"",
    ],
)
def test_where_it_is_dear_to_see_where_a_value_ends(params: bytes) -> None:
    assert value_end(params + b"}", 0) == -1


@settings(deadline=None, max_examples=120)
@given(seed=seeds, limit=st.sampled_from((0, 1, 20, 60)))
def test_a_long_one_is_named_without_being_kept(seed: int, limit: int) -> None:
    rng = random.Random(seed)
    message = odd(rng)
    call = executed(message)
    looking, splitter = Tap(limit), Splitter(masked=True)
    for chunk in chunks(rng, framed(TEXT, message, b"mask").raw):
        data, spans = splitter.split(chunk)
        noted = [looking.see(data, span) for span in spans][-1] if spans else None
    assert noted is not None
    if call is not None and noted.sure:
        assert named(noted) == call[:5]
    assert noted.sure or call is None or len(message) > 4096


def sent(message: bytes, rng: random.Random) -> Conversation:
    """A pipe after this message, in any fragments and pieces, passed it on."""
    talk = Conversation()
    frames = Wild(rng, masked=True).fragmented(message)
    for chunk in chunks(rng, b"".join(frame.raw for frame in frames)):
        talk.client(chunk)
    return talk


def deep(depth: int) -> bytes:
    return b'{"type":"Client","request":"FullStatus","x":' + b"[" * depth + b"]" * depth + b"}"


HARD = {
    "deep": deep(900),
    "deeper": deep(2000),
    "as deep as may be": deep(9990),
    "too deep for Juju": deep(10_001),
    "a number": b'{"type":"Client","request":"FullStatus","n":' + b"1" * 9000 + b"}",
    "long": b'{"type":"Client","request":"FullStatus","n":"' + b"x" * 1_200_000 + b'"}',
}


@pytest.mark.parametrize("params", HARD.values(), ids=HARD.keys())
@pytest.mark.parametrize("key", [b"params", b"PARAMS"])
@pytest.mark.parametrize("first", [b'"type":"Admin","request":"RedirectInfo"', b'"x":1'])
def test_nothing_hides_behind_what_is_hard_to_read(params: bytes, key: bytes, first: bytes) -> None:
    """Such a message is named all the same, or never reaches the controller whole."""
    message = (
        b'{"request-id":7,%s,"%s":' % (first, key)
        + params
        + b',"type":"Application","version":1,"request":"Destroy"}'
    )
    talk = sent(message, random.Random(1))
    passed = [each.payload for each in heard(talk.to_controller, masked=True).messages]
    assert passed in ([], [message])
    (noted,) = talk.calls
    if passed and executed(message) is not None:
        assert noted.sure
        assert named(noted) == (7, "Application", 1, "Destroy", "")
    if noted.sure:
        assert noted.request != "FullStatus"
