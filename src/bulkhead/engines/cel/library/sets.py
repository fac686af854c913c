"""sets.* (cel-go ext.Sets): lists taken as sets, with CEL's equality."""

from __future__ import annotations

from typing import Any

from bulkhead.engines.cel.errors import CostExceeded
from bulkhead.engines.cel.library.signature import known, takes
from bulkhead.engines.cel.runtime import contained

_MAX_PAIRS = 4_000_000


def _names(values: list[Any], others: list[Any]) -> bool:
    known("sets", values)
    known("sets", others)
    if all(type(value) is str for value in values) and all(type(value) is str for value in others):
        return True
    if len(values) * len(others) > _MAX_PAIRS:
        raise CostExceeded("the sets are too large to compare")
    return False


@takes("sets.contains", list, list)
def contains(values: list[Any], others: list[Any]) -> bool:
    if _names(values, others):
        return set(others) <= set(values)
    return all(contained(other, values) for other in others)


@takes("sets.intersects", list, list)
def intersects(values: list[Any], others: list[Any]) -> bool:
    if _names(values, others):
        return not set(values).isdisjoint(others)
    return any(contained(value, others) for value in values)


@takes("sets.equivalent", list, list)
def equivalent(values: list[Any], others: list[Any]) -> bool:
    return contains(values, others) and contains(others, values)
