"""Functions on lists (cel-go ext.Lists and Kubernetes' lists library)."""

from __future__ import annotations

from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from bulkhead.engines.cel.arithmetic import add
from bulkhead.engines.cel.comparison import compare, equals
from bulkhead.engines.cel.errors import CelError, CostExceeded, refusal
from bulkhead.engines.cel.library.signature import known, takes
from bulkhead.engines.cel.runtime import box
from bulkhead.engines.cel.values import ABSENT, Duration, Optional

_MAX_RANGE = 1_000_000
_MAX_PAIRS = 2_000


@takes("min", list)
def smallest(values: list[Any]) -> Any:
    return _extreme("min", values, -1)


@takes("max", list)
def largest(values: list[Any]) -> Any:
    return _extreme("max", values, 1)


def _extreme(name: str, values: list[Any], sign: int) -> Any:
    if not values:
        raise CelError(f"{name} called on empty list")
    best = values[0]
    if len(values) == 1:
        compare(best, best, name)
    for value in values[1:]:
        if compare(value, best, name) == sign:
            best = value
    return best


@takes("sum", list)
def total(values: list[Any]) -> Any:
    if not values:
        return 0
    out = values[0]
    if isinstance(out, bool) or not isinstance(out, (int, float, Duration)):
        raise refusal("sum", values)
    for value in values[1:]:
        out = add(out, value)
    return out


@takes("isSorted", list)
def is_sorted(values: list[Any]) -> bool:
    return all(compare(left, right, "isSorted") in {-1, 0} for left, right in pairwise(values))


@takes("sort", list)
def in_order(values: list[Any]) -> list[Any]:
    return by_keys(values, values)


@takes("sortBy", list, list)
def by_keys(values: list[Any], keys: list[Any]) -> list[Any]:
    """The values in the order of their keys, which must be of one ordered type."""
    for key in known("sort", keys):
        if type(key) is not type(keys[0]):
            raise CelError("list elements must have the same type")
    compared = cmp_to_key(lambda left, right: compare(left, right, "sort"))
    order = sorted(range(len(values)), key=lambda position: compared(keys[position]))
    return [values[position] for position in order]


def position_of(values: list[Any], element: Any) -> int:
    for position, value in enumerate(values):
        if equals(value, element):
            return position
    return -1


def last_position_of(values: list[Any], element: Any) -> int:
    for position in range(len(values) - 1, -1, -1):
        if equals(values[position], element):
            return position
    return -1


@takes("includes", list)
def includes(values: list[Any], element: Any) -> bool:
    return position_of(values, element) >= 0


@takes("distinct", list)
def distinct(values: list[Any]) -> list[Any]:
    if all(type(value) is str for value in known("distinct", values)):
        return list(dict.fromkeys(values))
    out: list[Any] = []
    for value in values:
        if len(out) > _MAX_PAIRS:
            raise CostExceeded("distinct() has too many elements to compare")
        if not any(equals(value, other) for other in out):
            out.append(value)
    return out


@takes("flatten", list, int)
def flatten(values: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise CelError("level must be non-negative")
    out = values
    for _ in range(min(depth, 100)):
        if not any(isinstance(value, list) for value in known("flatten", out)):
            break
        inner = [value if isinstance(value, list) else [value] for value in out]
        if sum(map(len, inner)) > _MAX_RANGE:
            raise CostExceeded("the result of flatten() is too large")
        out = [value for part in inner for value in part]
    return list(out)


@takes("slice", list, int, int)
def part(values: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise CelError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise CelError(f"cannot slice({start}, {end}), start index must be less than or equal to end index")
    if end > len(values):
        raise CelError(f"cannot slice({start}, {end}), list is length {len(values)}")
    return values[start:end]


@takes("first", list)
def first(values: list[Any]) -> Optional:
    return box(values[0] if values else ABSENT)


@takes("last", list)
def last(values: list[Any]) -> Optional:
    return box(values[-1] if values else ABSENT)


@takes("lists.range", int)
def numbers(end: int) -> list[int]:
    if end > _MAX_RANGE:
        raise CostExceeded(f"lists.range({end}) is too large")
    return list(range(end))
