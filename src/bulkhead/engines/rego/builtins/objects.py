"""Objects, walks, and the part of JSON that is about paths."""

from __future__ import annotations

from typing import Any

from bulkhead.engines.rego.builtins.operands import MAX_ITEMS, array, object_, too_large, wrong_element, wrong_type
from bulkhead.engines.rego.errors import OperandError
from bulkhead.engines.rego.values import (
    Keyed,
    Set,
    U,
    get,
    integer,
    items,
    key_of,
    make_object,
    same,
    type_name,
    value_of,
)


def lookup(source: Any, key: Any) -> Any:
    """What a value holds at a key, or ``U``."""
    if isinstance(source, dict):
        return get(source, key)
    if type(source) is list:
        at = integer(key)
        return source[at] if at is not None and 0 <= at < len(source) else U
    if type(source) is Set:
        return key if key in source else U
    return U


def at_path(a: Any, path: Any, default: Any) -> Any:
    object_(a, 1)
    if type(path) is not list:
        found = get(a, path)
        return default if found is U else found
    for key in path:
        a = lookup(a, key)
        if a is U:
            return default
    return a


def keys(a: Any) -> Set:
    return Set(map(value_of, object_(a, 1)))


def _kind(*objects: dict[Any, Any]) -> type[dict[Any, Any]]:
    return Keyed if any(type(item) is Keyed for item in objects) else dict


def union(a: Any, b: Any) -> dict[Any, Any]:
    return _union(object_(a, 1), object_(b, 2))


def _union(a: dict[Any, Any], b: dict[Any, Any]) -> dict[Any, Any]:
    made = _kind(a, b)(a)
    for key, value in b.items():
        held = made.get(key, U)
        made[key] = _union(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return made


def union_n(a: Any) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    for item in array(a, 1):
        if not isinstance(item, dict):
            raise wrong_element(1, a, item, "object")
        made = _union(made, item)
    if len(made) > MAX_ITEMS:
        raise too_large()
    return made


def _chosen(b: Any) -> set[Any]:
    if type(b) is not list and type(b) is not Set and not isinstance(b, dict):
        raise wrong_type(2, b, "object", "set", "array")
    return set(b) if isinstance(b, dict) else {key_of(item) for item in b}


def remove(a: Any, b: Any) -> dict[Any, Any]:
    found, chosen = object_(a, 1), _chosen(b)
    return make_object((value_of(key), value) for key, value in found.items() if key not in chosen)


def choose(a: Any, b: Any) -> dict[Any, Any]:
    found, chosen = object_(a, 1), _chosen(b)
    return make_object((value_of(key), value) for key, value in found.items() if key in chosen)


# Subsets


def subset(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return _within(a, b)
    if type(a) is Set and type(b) is Set:
        return all(key in a.forms for key in b.forms)
    if type(a) is list and type(b) is list:
        return _sequence_within(a, b)
    if type(a) is list and type(b) is Set:
        return _has_members(a, b)
    raise OperandError("both arguments object.subset must be of the same type or array and set")


def _has_members(a: list[Any], b: Set) -> bool:
    """As OPA counts: an element that stands twice in the array counts twice."""
    missing = len(b)
    for item in a:
        missing -= item in b
        if not missing:
            return True
    return False


def _within(a: dict[Any, Any], b: dict[Any, Any]) -> bool:
    for key, value in b.items():
        held = a.get(key, U)
        if held is U:
            return False
        if same(held, value):
            continue
        if isinstance(held, dict) and isinstance(value, dict):
            if not _within(held, value):
                return False
        elif type(held) is type(value) and type(held) in {list, Set}:
            if not subset(held, value):
                return False
        else:
            return False
    return True


def _sequence_within(a: list[Any], b: list[Any]) -> bool:
    """As OPA searches: after a difference it goes on one further, and begins anew."""
    return any(
        all(same(one, two) for one, two in zip(a[start : start + len(b)], b, strict=True))
        for start in range(len(a) - len(b) + 1)
    )


# Walking


def walk(w: Any, a: Any) -> list[list[Any]]:
    """Every value in a value with its path: OPA's relation as an array of answers."""
    made: list[list[Any]] = []
    stack: list[tuple[list[Any], Any]] = [([], a)]
    while stack:
        path, value = stack.pop()
        made.append([path, value])
        if len(made) > MAX_ITEMS:
            raise too_large()
        w.left -= 1 + len(path) // 8
        if w.left < 0:
            w.refill()
        kind = type(value)
        if kind is list:
            inner = [([*path, number], item) for number, item in enumerate(value)]
        elif isinstance(value, dict):
            inner = [([*path, key], item) for key, item in items(value)]
        elif kind is Set:
            inner = [([*path, item], item) for item in value]
        else:
            continue
        inner.reverse()
        stack += inner
    return made


# Paths


def paths(value: Any, position: int = 2) -> list[list[Any]]:
    if type(value) is not list and type(value) is not Set:
        raise wrong_type(position, value, "set", "array")
    return [path(item) for item in value]


def path(value: Any) -> list[Any]:
    """A path as JSON Pointer has it, or its parts."""
    if type(value) is str:
        if not value:
            return []
        return [part.replace("~1", "/").replace("~0", "~") for part in value.lstrip("/").split("/")]
    if type(value) is list:
        return value
    raise OperandError(
        f"operand 2 must be one of {{set, array}} containing string paths or array of path segments but got {type_name(value)}"
    )


def _tree(found: list[list[Any]]) -> dict[Any, Any]:
    """Paths as an object; what ends at a key holds null."""
    root: dict[Any, Any] = {}
    for parts in found:
        node = root
        for part in parts[:-1]:
            child = node.setdefault(key_of(part), {})
            if child is None:
                break
            node = child
        else:
            if parts:
                node[key_of(parts[-1])] = None
    return root


def json_remove(a: Any, b: Any) -> Any:
    object_(a, 1)
    return _removed(a, _tree(paths(b)))


def _removed(a: Any, b: Any) -> Any:
    if b is None:
        return U
    if b is U:
        return a
    if isinstance(a, dict):
        pairs = ((value_of(key), _removed(value, b.get(key, U))) for key, value in a.items())
        return make_object((key, value) for key, value in pairs if value is not U)
    if type(a) is Set:
        return Set(value for value in (_removed(item, b.get(key_of(item), U)) for item in a) if value is not U)
    if type(a) is list:
        found = (_removed(item, b.get(str(number), U)) for number, item in enumerate(a))
        return [value for value in found if value is not U]
    return a


def json_filter(a: Any, b: Any) -> Any:
    return _filtered(object_(a, 1), _tree(paths(b)))


def _filtered(a: Any, b: Any) -> Any:
    """The part of a value that paths point at."""
    if b is None:
        return a
    if isinstance(a, dict):
        pairs = ((value_of(key), _filtered(value, b[key])) for key, value in a.items() if key in b)
        return make_object((key, value) for key, value in pairs if value is not U)
    if type(a) is list:
        found = (_filtered(item, b[str(number)]) for number, item in enumerate(a) if str(number) in b)
        return [value for value in found if value is not U]
    if type(a) is Set:
        return Set(
            value for value in (_filtered(item, b[key_of(item)]) for item in a if key_of(item) in b) if value is not U
        )
    return a
