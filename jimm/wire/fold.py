"""Plain JSON values read into declared types as Go's ``encoding/json`` would read them.

A struct's keys match without regard to case, ``null`` counts as absent, an absent key is the
zero value, unknown keys are dropped; the keys of maps (config, attributes, endpoints) keep
their spelling. Types are strict after that: a number is no string.
"""

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from msgspec import inspect as types

from jimm.errors import ProtocolError

T = TypeVar("T")

type_info = types.type_info
Folder = Callable[[Any], Any]


def convert(value: object, declared: type[T]) -> T:
    """``value`` as the declared type.

    Raises:
        ProtocolError: a key holds the wrong type, or the value is nested too deep.
    """
    try:
        folder = _folder(cast("Hashable", declared))
        return msgspec.convert(folder(value), declared)
    except msgspec.ValidationError as error:
        raise ProtocolError(str(error)) from error
    except RecursionError as error:
        raise ProtocolError("nested too deep") from error


@cache
def _folder(declared: Hashable) -> Folder:
    return _fold_type(type_info(declared), {})


def _fold_type(info: types.Type, seen: dict[type, list[Folder]]) -> Folder:
    match info:
        case types.StructType():
            return _fold_struct(info, seen)
        case types.ListType():
            return _fold_list(_fold_type(info.item_type, seen))
        case types.DictType():
            return _fold_map(_fold_type(info.value_type, seen))
        case types.UnionType():
            present = [each for each in info.types if not isinstance(each, types.NoneType)]
            return _fold_type(present[0], seen) if len(present) == 1 else _as_it_is
        case _:
            return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _fold_list(item: Folder) -> Folder:
    def fold(value: Any) -> Any:
        return [item(each) for each in value] if isinstance(value, list) else value

    return fold


def _fold_map(item: Folder) -> Folder:
    def fold(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {key: item(each) for key, each in value.items()}

    return fold


def _fold_struct(info: types.StructType, seen: dict[type, list[Folder]]) -> Folder:
    if info.cls in seen:  # a type that holds itself: its folder is finished when this runs
        later = seen[info.cls]
        return lambda value: later[0](value)
    cell: list[Folder] = []
    seen[info.cls] = cell
    fields = {
        field.encode_name.casefold(): (field.encode_name, _fold_type(field.type, seen))
        for field in info.fields
    }
    zeros = {field.encode_name: _zero(field.type) for field in info.fields if field.required}

    def fold(value: Any) -> Any:
        if value is None:
            value = {}
        if not isinstance(value, dict):
            return value
        folded: dict[str, Any] = {}
        for key, each in value.items():
            known = fields.get(key) or fields.get(key.casefold())
            if known is not None and each is not None:
                folded[known[0]] = known[1](each)
        for name, zero in zeros.items():
            if name not in folded:
                folded[name] = zero()
        return folded

    cell.append(fold)
    return fold


def _zero(info: types.Type) -> Callable[[], object]:
    match info:
        case types.StrType() | types.BytesType():
            return str
        case types.BoolType():
            return bool
        case types.IntType() | types.FloatType():
            return int
        case types.ListType():
            return list
        case types.DictType():
            return dict
        case types.StructType():
            folder = _folder(info.cls)
            return lambda: folder({})
        case _:
            return lambda: None
