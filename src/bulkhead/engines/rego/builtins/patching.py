"""JSON Patch (RFC 6902) on values, sets included."""

from __future__ import annotations

from typing import Any

from bulkhead.engines.rego.builtins.objects import lookup, path
from bulkhead.engines.rego.builtins.operands import array
from bulkhead.engines.rego.builtins.shown import shown
from bulkhead.engines.rego.errors import BuiltinError
from bulkhead.engines.rego.values import Set, U, get, key_of, make_object, same, type_name, value_of

_MAX_DIGITS = 10


def patch(a: Any, operations: Any) -> Any:
    for operation in array(operations, 2):
        if not isinstance(operation, dict):
            raise BuiltinError("must be an array of JSON-Patch objects, but at least one element is not an object")
        a = _apply(a, operation)
    return a


def _apply(a: Any, operation: dict[Any, Any]) -> Any:
    if "path" not in operation:
        raise BuiltinError("missing required attribute 'path'")
    if "op" not in operation:
        raise BuiltinError("missing required attribute 'op'")
    verb = operation["op"]
    if type(verb) is not str:
        raise BuiltinError(f"attribute 'op' must be a string but found: {type_name(verb)}")
    at = path(operation["path"])
    if verb == "remove":
        return _remove(a, at)
    if verb == "add":
        return _insert(a, at, _needed(operation, "value"))
    if verb == "replace":
        return _insert(_remove(a, at), at, _needed(operation, "value")) if at else _needed(operation, "value")
    if verb == "test":
        wanted, found = _needed(operation, "value"), _find(a, at)
        if not same(found, wanted):
            raise BuiltinError(
                f"value from EditTree != patch value.\n\nExpected: {shown(wanted)}\n\nFound: {shown(found)}"
            )
        return a
    if verb in {"move", "copy"}:
        origin = path(_needed(operation, "from"))
        value = _find(a, origin)
        return _insert(_remove(a, origin) if verb == "move" else a, at, value)
    raise BuiltinError(f"unrecognized op: '{verb[:100]}'")


def _needed(operation: dict[Any, Any], name: str) -> Any:
    if name not in operation:
        raise BuiltinError(f"missing required attribute '{name}'")
    return operation[name]


def _index(value: list[Any], key: Any, *, end: bool) -> int:
    """A place in an array; with ``end``, the one behind the last as well."""
    if type(key) is str:
        if key == "-" and end:
            return len(value)
        if not key.isascii() or not key.isdigit() or len(key) > _MAX_DIGITS or (key[0] == "0" and key != "0"):
            raise BuiltinError(f"invalid array index {key[:100]!r}")
        key = int(key)
    if type(key) is not int or not 0 <= key < len(value) + end:
        raise BuiltinError(f"index for array is out of bounds: {shown(key)[:100]}")
    return int(key)


def _find(a: Any, at: list[Any]) -> Any:
    for key in at:
        a = a[_index(a, key, end=False)] if type(a) is list else lookup(a, key)
        if a is U:
            raise BuiltinError(f"path {shown(key)[:100]} does not exist in object")
    return a


def _insert(a: Any, at: list[Any], value: Any) -> Any:
    if not at:
        return value
    key, rest = at[0], at[1:]
    if type(a) is list:
        if not rest:
            place = _index(a, key, end=True)
            return [*a[:place], value, *a[place:]]
        place = _index(a, key, end=False)
        return [*a[:place], _insert(a[place], rest, value), *a[place + 1 :]]
    if isinstance(a, dict):
        held = get(a, key)
        if rest and held is U:
            raise BuiltinError(f"path {shown(key)[:100]} does not exist in object")
        new = _insert(held, rest, value) if rest else value
        return make_object([*((value_of(name), item) for name, item in a.items()), (key, new)])
    if type(a) is Set:
        if not rest:
            if not same(key, value):
                raise BuiltinError("set key must be the value that is added")
            return Set([*a.forms.values(), value])
        if key not in a:
            raise BuiltinError(f"path {shown(key)[:100]} does not exist in set")
        return Set([*(item for item in a if not same(item, key)), _insert(key, rest, value)])
    raise BuiltinError(f"expected composite type, found value: {shown(a)[:100]} (type: {type_name(a)})")


def _remove(a: Any, at: list[Any]) -> Any:
    if not at:
        return U
    key, rest = at[0], at[1:]
    if type(a) is list:
        place = _index(a, key, end=False)
        return [*a[:place], *([_remove(a[place], rest)] if rest else []), *a[place + 1 :]]
    if isinstance(a, dict):
        held = get(a, key)
        if held is U:
            raise BuiltinError(f"path {shown(key)[:100]} does not exist in object")
        new = _remove(held, rest) if rest else U
        taken = key_of(key)
        pairs = ((value_of(name), new if name == taken else item) for name, item in a.items())
        return make_object((name, item) for name, item in pairs if item is not U)
    if type(a) is Set:
        if key not in a:
            raise BuiltinError(f"path {shown(key)[:100]} does not exist in set")
        kept = [item for item in a if not same(item, key)]
        return Set([*kept, *([_remove(key, rest)] if rest else [])])
    raise BuiltinError(f"expected composite type, found value: {shown(a)[:100]} (type: {type_name(a)})")
