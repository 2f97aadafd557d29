"""Parameters that no client should send, generated from the shape of those that it should."""

from collections.abc import Iterator
from typing import Any, get_origin

from msgspec import inspect

from tests.juju_schema import Signature

NOBODY = "00000000-0000-4000-8000-000000000000"

DEEPEST = 5
"""Levels of objects and lists below the parameters that are gone into."""


def nested(levels: int) -> Any:
    """A list in a list in a list."""
    found: Any = []
    for _ in range(levels):
        found = [found]
    return found


WHOLE: tuple[Any, ...] = (
    {},
    [],
    3,
    "text",
    True,
    {"": None, "\u0000": "\u0000", "no-such-key": nested(60)},
)
"""Instead of the parameters as a whole."""

WRONG: dict[str, tuple[Any, ...]] = {
    "string": (7, [], {}, "", "\u0000", "x" * 3000, "nonsense", "\u202eé/..//%00"),
    "integer": ("1", 1.5, -1, 2**63, -(2**70), [], True),
    "number": ("1", 2**70, [], {}),
    "boolean": ("yes", 1, [], {}),
    "time": ("yesterday", 5, "", [], "0001-01-01T00:00:00Z"),
    "version": ("", "x.y", 4, "99999999999.1.1", "3.6.9\u0000"),
    "any": (nested(60), "\u0000", 2**70),
}
"""Instead of a value of each kind."""

TAGS = (
    f"model-{NOBODY}",
    "model-",
    "model-x",
    "user-",
    "user-a b",
    "user-nobody-here@nowhere",
    "cloud-\u0000",
    "cloud-nowhere",
    "cloudcred-metro",
    "cloudcred-metro_a%b_c+d",
    "application-x",
    "machine-0/lxd/1",
)
"""Instead of a tag, of one kind or another."""


def of(signature: Signature) -> list[Any]:
    """All the parameters to try on one method."""
    found = list(WHOLE)
    if signature.params is None:
        return found
    shape = signature.params
    whole = sample(signature, shape)
    found += [whole, {**whole, "no-such-key": 1}] if isinstance(whole, dict) else [whole]
    found += _mutations(signature, shape, "", DEEPEST)
    return found


def sample(signature: Signature, shape: Any, key: str = "", depth: int = DEEPEST) -> Any:
    """A value of the right shape that names nothing there is."""
    shape = signature.resolved(shape)
    if isinstance(shape, list):
        return [sample(signature, shape[0], key, depth - 1)] if depth > 0 else []
    if isinstance(shape, dict):
        if depth <= 0:
            return {}
        if "*" in shape:
            return {"nothing": sample(signature, shape["*"], key, depth - 1)}
        return {
            each.removesuffix("?"): sample(signature, inner, each.removesuffix("?"), depth - 1)
            for each, inner in shape.items()
        }
    if shape == "string":
        return f"model-{NOBODY}" if key.endswith("tag") else "nonsense"
    given = {"integer": 1, "number": 1.5, "boolean": False, "version": "3.6.9"}
    return given.get(shape, "2026-01-01T00:00:00Z" if shape == "time" else "anything")


def declared(params: type[Any] | None) -> Signature:
    """The shape that a Struct of ours declares, for methods that Juju's schema does not have."""
    return Signature(None if params is None else _shape(inspect.type_info(params)), None, {})


def _mutations(signature: Signature, shape: Any, key: str, depth: int) -> Iterator[Any]:
    """The sample of a shape with one thing wrong in it, each thing in its turn."""
    shape = signature.resolved(shape)
    if isinstance(shape, list):
        yield from (None, {}, "text", [None], [[]], [7, "x"])
        if depth > 0:
            one = sample(signature, shape[0], key, depth - 1)
            yield from ([], [one] * 20)
            for each in _mutations(signature, shape[0], key, depth - 1):
                yield [each]
    elif isinstance(shape, dict):
        yield from (None, [], "text")
        if depth > 0:
            yield from _object_mutations(signature, shape, depth - 1)
    else:
        yield None
        yield from WRONG[shape]
        if shape == "string" and key.endswith("tag"):
            yield from TAGS


def _object_mutations(signature: Signature, shape: dict[str, Any], depth: int) -> Iterator[Any]:
    if "*" in shape:
        yield from ({"": None}, {"\u0000": 1}, {"x" * 300: nested(60)})
        for each in _mutations(signature, shape["*"], "", depth):
            yield {"nothing": each}
        return
    whole = sample(signature, shape, depth=depth + 1)
    for key, inner in shape.items():
        name = key.removesuffix("?")
        yield {each: value for each, value in whole.items() if each != name}
        for value in _mutations(signature, inner, name, depth):
            yield {**whole, name: value}


def _shape(info: inspect.Type) -> Any:
    match info:
        case inspect.StructType(fields=fields):
            return {
                each.encode_name if each.required else f"{each.encode_name}?": _shape(each.type)
                for each in fields
            }
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return [_shape(item)]
        case inspect.DictType(value_type=value):
            return {"*": _shape(value)}
        case inspect.StrType():
            return "string"
        case inspect.IntType():
            return "integer"
        case inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "boolean"
        case inspect.DateTimeType():
            return "time"
        case inspect.UnionType(types=types):
            real = [each for each in types if not isinstance(each, inspect.NoneType)]
            return _shape(real[0]) if len(real) == 1 else "any"
        case inspect.CustomType(cls=cls) if get_origin(cls) is None:
            return "string"  # a secret
    return "any"
