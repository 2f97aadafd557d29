"""The guard passes what Juju would let through, as Juju would read it, and nothing else."""

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jimm.proxy.guard import LIMIT, Decision, Ended, Guard, Passed, Refused, Restriction
from jimm.wire import frames
from tests.unit.proxy.conversation import MASK

ALLOWED = [
    ("Client", "FullStatus"),
    ("Pinger", "Ping"),
    ("Storage", "ListFilesystems"),
    ("Storage", "ListVolumes"),
    ("Storage", "ListStorageDetails"),
    ("SSHClient", "PublicAddress"),
    ("SSHClient", "PrivateAddress"),
    ("SSHClient", "BestAPIVersion"),
    ("SSHClient", "AllAddresses"),
    ("SSHClient", "PublicKeys"),
    ("SSHClient", "Proxy"),
]
"""Juju 3.6's own list."""

FACADES = sorted({facade for facade, _ in ALLOWED} | {"client", "Application", "Client ", ""})
METHODS = sorted({method for _, method in ALLOWED} | {"Deploy", "fullStatus", "WatchAll", ""})

FOLDED = {"s": "\u017f", "k": "\u212a"}
"""Letters that Go takes for others in the keys of objects."""


@dataclass
class Written:
    """A message as somebody might write it, and what Go would read in it."""

    text: str
    read: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> tuple[str, str]:
        """Facade and method."""
        return self.read.get("type", ""), self.read.get("request", "")

    @property
    def is_call(self) -> bool:
        """Whether there is anything to call, and somebody to answer."""
        return all(self.name) and self.read.get("request-id", 0) > 0


@st.composite
def keys(draw: st.DrawFn, name: str) -> str:
    """A key in some case, with some letters that fold onto its own."""
    spelled = draw(st.integers(0, 3 ** len(name) - 1))
    letters = []
    for letter in name:
        spelled, choice = divmod(spelled, 3)
        letters.append((letter, letter.upper(), FOLDED.get(letter, letter))[choice])
    return "".join(letters)


@st.composite
def quoted(draw: st.DrawFn, text: str) -> str:
    """A JSON string with some characters escaped that need not be."""
    escaped = draw(st.integers(0, 2 ** len(text) - 1))
    parts = [
        f"\\u{ord(character):04X}" if escaped >> place & 1 else json.dumps(character)[1:-1]
        for place, character in enumerate(text)
    ]
    return f'"{"".join(parts)}"'


@st.composite
def messages(draw: st.DrawFn) -> Written:
    """An envelope: keys in any order, case and number, what follows it, and white space."""
    values: dict[str, st.SearchStrategy[Any]] = {
        "type": st.sampled_from(FACADES),
        "request": st.sampled_from(METHODS),
        "request-id": st.integers(0, 9),
        "version": st.integers(0, 9),
        "id": st.sampled_from(["", "1"]),
        "params": st.sampled_from([{}, {"type": "Client", "request": "FullStatus"}, [{"a": 1}]]),
        "more": st.sampled_from(["type", 1, None]),
    }
    names = [*values, *draw(st.lists(st.sampled_from(sorted(values)), max_size=6))]
    if draw(st.booleans()):
        facade, method = draw(st.sampled_from(ALLOWED))
        values |= {"type": st.just(facade), "request": st.just(method)}
    written = Written("")
    pairs = []
    for name in draw(st.permutations(names)):
        value = draw(st.one_of(values[name], st.none()))
        key = draw(quoted(draw(keys(name))))
        shown = draw(quoted(value)) if isinstance(value, str) else json.dumps(value)
        pairs.append(f"{key}{draw(gaps)}:{draw(gaps)}{shown}")
        if value is not None:  # Go leaves a field as it is at a null
            written.read[name] = value
    written.text = f"{draw(gaps)}{{{','.join(pairs)}}}{draw(st.sampled_from(['', ' ', '}{', '1']))}"
    return written


gaps = st.sampled_from(["", " ", "\n\t"])


def in_frames(payload: bytes, cuts: list[int], opcode: int, *, pings: bool = False) -> list[bytes]:
    """A message in frames, cut at these places."""
    places = [0, *sorted({cut % (len(payload) + 1) for cut in cuts}), len(payload)]
    found = []
    for number, (start, end) in enumerate(itertools.pairwise(places)):
        kind = frames.CONTINUATION if number else opcode
        fin = number == len(places) - 2
        found.append(frames.encode(kind, payload[start:end], mask=MASK, fin=fin))
        if pings and not fin:
            found.append(frames.encode(frames.PING, b"?", mask=MASK))
    return found


def decided(guard: Guard, stream: bytes, size: int = 1 << 30) -> list[Decision]:
    """What a guard says to a stream that comes in parts of ``size`` bytes."""
    parts = [stream[at : at + size] for at in range(0, len(stream), size)]
    found = [decision for part in parts for decision in guard.receive(part)]
    return [Refused(each.reply) if isinstance(each, Refused) else each for each in found]


def call(facade: str, method: str, number: int = 7) -> bytes:
    body = {"request-id": number, "type": facade, "version": 1, "request": method, "params": {}}
    return frames.encode(frames.TEXT, json.dumps(body).encode(), mask=MASK)


def refusal(number: int, text: str, **more: str) -> Refused:
    body = {"request-id": number, "error": text, **more, "response": {}}
    return Refused(json.dumps(body, separators=(",", ":")).encode())


@settings(max_examples=100)
@given(
    messages(),
    st.lists(st.integers(0, 400), max_size=4),
    st.sampled_from([frames.TEXT, frames.BINARY]),
    st.integers(1, 60),
)
def test_it_decides_by_what_go_would_read(
    written: Written, cuts: list[int], opcode: int, size: int
) -> None:
    parts = in_frames(written.text.encode(), cuts, opcode)
    (decision,) = decided(Guard(Restriction.EXPORTING), b"".join(parts), size)
    if written.name in ALLOWED:
        assert decision == Passed(b"".join(parts))
    elif written.is_call:
        assert decision == refusal(written.read["request-id"], "model migration in progress")
    else:
        assert not isinstance(decision, Passed)


@settings(max_examples=40)
@given(messages())
def test_nothing_passes_to_a_model_that_is_not_all_there(written: Written) -> None:
    stream = b"".join(in_frames(written.text.encode(), [], frames.TEXT))
    (decision,) = decided(Guard(Restriction.IMPORTING), stream)
    assert not isinstance(decision, Passed)
    if written.is_call:
        text = "migration in progress, model is importing"
        assert decision == refusal(written.read["request-id"], text)


@settings(max_examples=70)
@given(messages(), st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_what_go_can_not_read_or_reads_otherwise_does_not_pass(
    written: Written, place: int, noise: bytes
) -> None:
    """Where a message was damaged, it passes only if it still is one of the allowed calls."""
    text = bytearray(written.text.encode())
    text[place % len(text) : place % len(text) + len(noise)] = noise
    for decision in decided(
        Guard(Restriction.EXPORTING), in_frames(bytes(text), [], frames.TEXT)[0]
    ):
        if isinstance(decision, Passed):
            assert named_by_python(bytes(text)) in ALLOWED


def named_by_python(message: bytes) -> tuple[str, str]:
    """Facade and method, by plain means."""
    text = message.decode(errors="replace").lstrip(" \t\r\n")
    pairs, _ = json.JSONDecoder(object_pairs_hook=list).raw_decode(text)
    read: dict[str, Any] = {}
    for key, value in pairs:
        folded = key.casefold() if key.isascii() else key.replace("\u017f", "s").lower()
        read[folded] = read.get(folded) if value is None else value
    return read.get("type", ""), read.get("request", "")


@pytest.mark.parametrize(("facade", "method"), ALLOWED)
def test_what_juju_allows_passes(facade: str, method: str) -> None:
    sent = call(facade, method)
    assert decided(Guard(Restriction.EXPORTING), sent) == [Passed(sent)]


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"nonsense", id="no JSON"),
        pytest.param(b"[1]", id="no object"),
        pytest.param(b"{}", id="no call"),
        pytest.param(b'{"a":' * 2000, id="too deep"),
        pytest.param(b'{"type":"Client","request":"FullStatus"', id="cut short"),
        pytest.param('{"type":"Client","request":"FullStatus"}'.encode("utf-16"), id="UTF-16"),
    ],
)
def test_what_can_not_be_named_or_answered_ends_it(payload: bytes) -> None:
    (decision,) = decided(Guard(Restriction.EXPORTING), in_frames(payload, [], frames.TEXT)[0])
    assert isinstance(decision, Ended)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(
            b'{"request-id":7,"type":"Client","request":"FullStatus","params":{]', id="no JSON"
        ),
        pytest.param(b'{"request-id":7,"type":["Client"],"request":"FullStatus"}', id="a list"),
        pytest.param(b'{"request-id":7,"type":"Client","type":1,"request":"FullStatus"}', id="one"),
    ],
)
def test_what_can_not_be_named_is_refused_in_clear_words(payload: bytes) -> None:
    (decision,) = decided(Guard(Restriction.EXPORTING), in_frames(payload, [], frames.TEXT)[0])
    text = "this can't be read, and only what can be passes while the model is moved"
    assert decision == refusal(7, text, **{"error-code": "bad request"})


@pytest.mark.parametrize("pieces", [1, 5])
@pytest.mark.parametrize("size", [700, 1 << 30])
def test_a_message_too_long_to_be_kept_is_refused_and_the_next_one_decided(
    pieces: int, size: int
) -> None:
    body = {"request-id": 3, "type": "Client", "request": "FullStatus", "params": "x" * LIMIT}
    payload = json.dumps(body).encode()
    cuts = [len(payload) * number // pieces for number in range(1, pieces)]
    after = call("Pinger", "Ping")
    stream = b"".join(in_frames(payload, cuts, frames.TEXT)) + after
    first, second = decided(Guard(Restriction.EXPORTING), stream, size)
    assert isinstance(first, Refused)
    assert json.loads(first.reply)["request-id"] == 3
    assert json.loads(first.reply)["error-code"] == "bad request"
    assert second == Passed(after)


def test_endless_empty_fragments_take_no_room() -> None:
    guard = Guard(Restriction.EXPORTING, limit=200)
    first = frames.encode(frames.TEXT, b'{"request-id":4,', mask=MASK, fin=False)
    empty = frames.encode(frames.CONTINUATION, b"", mask=MASK, fin=False)
    last = frames.encode(frames.CONTINUATION, b'"type":"Client"}', mask=MASK)
    (decision,) = decided(guard, first + empty * 1000 + last)
    assert isinstance(decision, Refused)
    assert json.loads(decision.reply)["request-id"] == 4


def test_control_frames_do_not_wait_for_a_message_to_be_whole() -> None:
    guard = Guard(Restriction.EXPORTING)
    payload = b'{"request-id":4,"type":"Pinger","request":"Ping"}'
    first, ping, last = in_frames(payload, [9], frames.TEXT, pings=True)
    assert decided(guard, first + ping) == [Passed(ping)]
    assert decided(guard, last) == [Passed(first + last)]
