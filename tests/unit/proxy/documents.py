"""Messages as a client might write them, from plain to as odd as Go's decoder will take."""

import json
import random
from typing import Final

FACADES: Final = ("Client", "Application", "Admin", "Bundle", "")
METHODS: Final = ("FullStatus", "Destroy", "Deploy", "WatchAll", "Next", "")
CODES: Final = ("access required", "redirection required", "unknown model", "model not found")
"""What a controller may say that only JIMM may see; anybody may write such words too."""

_ENVELOPE: Final = ("request-id", "type", "version", "id", "request", "params")
_OTHERS: Final = ("error", "error-code", "response", "trace-id", "span-id", "trace-flags", "x")
_FOLDED: Final = {"s": "\u017f", "S": "\u017f", "k": "\u212a", "K": "\u212a"}
_ODD_TEXTS: Final = (
    b'"\\ud83d\\ude00"',
    b'"\\ud83d"',
    b'"\\ude00\\ud83d"',
    b'"\\ud800\\ud83d\\ude00"',
    b'"\\u0041\\/\\b\\f\\n\\r\\t\\"\\\\"',
    b'"\xff"',
    b'"\xe2\x82"',
    b'"\xed\xa0\x80"',
    b'"\\ud800\x80"',
    b'"\xf0\x9f\x98\x80"',
    b'"\\u0000"',
    b'"\x7f"',
    b'"\x01"',
    b'"\\x"',
    b'"\\u12"',
)
_ODD_NUMBERS: Final = (
    b"0",
    b"-0",
    b"1",
    b"-1",
    b"7.0",
    b"7e0",
    b"1e999",
    b"01",
    b"+1",
    b".5",
    b"1.",
    b"18446744073709551615",
    b"18446744073709551616",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"-9223372036854775809",
    b"1" * 40,
    b"NaN",
    b"Infinity",
    b"-",
)
_SPACES: Final = (b"", b" ", b"\n", b"\t \r")


def plain(rng: random.Random, number: int | None = None, size: int = 20) -> bytes:
    """A request as clients write it; ``size`` is about how long its params are."""
    body = {
        "request-id": rng.randrange(1, 1 << 20) if number is None else number,
        "type": rng.choice(FACADES[:-1]),
        "version": rng.randrange(1, 20),
        "request": rng.choice(METHODS[:-1]),
        "params": {"text": rng.choice((*CODES, "")) + "x" * size},
    }
    if rng.random() < 0.2:
        body["id"] = str(rng.randrange(9))
    return json.dumps(body).encode()


def document(rng: random.Random) -> bytes:
    """An envelope in any order, case and spelling, with duplicates, odd values and, now and
    then, bytes that make it no JSON at all."""
    keys = [*_ENVELOPE, *rng.choices(_ENVELOPE + _OTHERS, k=rng.choice((0, 0, 1, 2, 5)))]
    rng.shuffle(keys)
    if rng.random() < 0.3:
        keys = keys[: rng.randrange(len(keys) + 1)]
    members = [
        _quoted(rng, key) + _space(rng) + b":" + _space(rng) + _value(rng, key) for key in keys
    ]
    made = b"{" + _space(rng) + (b"," + _space(rng)).join(members) + _space(rng) + b"}"
    made = rng.choice(_SPACES) + made + rng.choice((b"", b"", b" ", b"{}", b"} and more", b"\xff"))
    return mutated(rng, made) if rng.random() < 0.15 else made


def ordinary(rng: random.Random) -> bytes:
    """An envelope whose keys are spelled as clients do, in any order, with anything in its
    parameters, of which some are long; now and then a key is there twice."""
    keys = [*_ENVELOPE, *rng.choices(_ENVELOPE, k=rng.choice((0, 0, 1)))]
    rng.shuffle(keys)
    values = (_long(rng) if key == "params" else _value(rng, key) for key in keys)
    members = (
        json.dumps(key).encode() + b":" + _space(rng) + value
        for key, value in zip(keys, values, strict=True)
    )
    return b"{" + b",".join(members) + b"}" + _space(rng)


def mutated(rng: random.Random, made: bytes) -> bytes:
    """The same with a few bytes changed, dropped, doubled or put in."""
    changed = bytearray(made)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(4):
            case 0:
                changed[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del changed[at : at + rng.randrange(1, 4)]
            case 2:
                changed[at:at] = changed[at : at + rng.randrange(1, 20)]
            case _:
                changed[at:at] = rng.choice((b'"', b"\\", b",", b":", b"{", b"}", b"null", b"\\u"))
    return bytes(changed)


def _space(rng: random.Random) -> bytes:
    return rng.choice(_SPACES) if rng.random() < 0.2 else b""


def _quoted(rng: random.Random, key: str) -> bytes:
    odd = rng.random()
    if odd < 0.55:
        return json.dumps(key).encode()
    if odd < 0.65:
        key = "".join(word.capitalize() for word in key.split("-"))  # the old spelling
    elif odd < 0.8:
        key = "".join(rng.choice((each.upper(), each.lower())) for each in key)
    elif odd < 0.9:
        key = "".join(_FOLDED.get(each, each) if rng.random() < 0.5 else each for each in key)
    else:
        key = key.replace("-", "") if rng.random() < 0.5 else key + rng.choice("-s\u0130")
    if rng.random() < 0.3:
        letters = (f"\\u{ord(c):04x}" if rng.random() < 0.5 else c for c in key)
        return b'"' + "".join(letters).encode() + b'"'
    return json.dumps(key, ensure_ascii=rng.random() < 0.5).encode()


def _value(rng: random.Random, key: str) -> bytes:
    odd = rng.random()
    if odd < 0.06:
        return b"null"
    if odd < 0.12:
        return rng.choice((*_ODD_TEXTS, *_ODD_NUMBERS, b"true", b"false", b"{}", b"[]", b"nul"))
    if key in ("request-id", "version", "trace-flags"):
        return rng.choice(_ODD_NUMBERS) if odd < 0.2 else str(rng.randrange(1, 1000)).encode()
    if key in ("params", "response", "x"):
        return _any(rng, 0)
    if odd < 0.2:
        return rng.choice(_ODD_TEXTS)
    return json.dumps(rng.choice(METHODS if key == "request" else FACADES)).encode()


def _long(rng: random.Random) -> bytes:
    values = [_any(rng, 0) for _ in range(rng.randrange(4))]
    values.insert(
        rng.randrange(len(values) + 1), json.dumps('x"\\' * rng.choice((1, 5, 5000))).encode()
    )
    values.append(b'"' + b"y" * rng.choice((0, 5000, 6000)) + b'"')
    rng.shuffle(values)
    return b"[" + b", ".join(values) + b"]" if rng.random() < 0.8 else values[0]


def _any(rng: random.Random, depth: int) -> bytes:
    kind = rng.randrange(6 if depth < 4 else 3)
    if kind == 0:
        return (
            rng.choice(_ODD_TEXTS) if rng.random() < 0.1 else json.dumps(rng.choice(CODES)).encode()
        )
    if kind == 1:
        return rng.choice(_ODD_NUMBERS) if rng.random() < 0.1 else str(rng.randrange(99)).encode()
    if kind == 2:
        return rng.choice((b"null", b"true", b"false", b"{}", b"[ ]"))
    inside = [_any(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 3:
        return b"[" + b",".join(inside) + b"]"
    keys = rng.choices(_ENVELOPE + _OTHERS, k=len(inside))
    pairs = (_quoted(rng, key) + b":" + each for key, each in zip(keys, inside, strict=True))
    return b"{" + b",".join(pairs) + b"}"
