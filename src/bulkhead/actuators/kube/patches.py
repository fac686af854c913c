"""The difference of two records as a JSON patch (RFC 6902) of the object as the server has it."""

from __future__ import annotations

from typing import Any

from bulkhead.core.resource import DocumentPath
from bulkhead.mitigation.records import differences

Operation = dict[str, Any]


def operations(live: dict[str, Any], before: dict[str, Any], after: dict[str, Any]) -> list[Operation]:
    """What makes the live object differ from itself as ``after`` differs from ``before``; guarded by its version.

    Parents that the live object has and the records leave out (annotations of the server's own) stay.
    """
    guard: Operation = {"op": "test", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]}
    return [guard, *(_operation(live, path, _at(after, path)) for path in differences(before, after))]


def _operation(live: dict[str, Any], path: DocumentPath, wanted: Any) -> Operation:
    here: Any = live
    for depth, part in enumerate(path[:-1]):
        inner = here.get(part) if isinstance(here, dict) else None
        if not isinstance(inner, dict):
            # A parent is missing: it is made with what belongs below it.
            value = wanted
            for name in reversed(path[depth + 1 :]):
                value = {name: value}
            return {"op": "add", "path": pointer(path[: depth + 1]), "value": value}
        here = inner
    there = isinstance(here, dict) and path[-1] in here
    if wanted is ...:
        return {"op": "remove", "path": pointer(path)}
    return {"op": "replace" if there else "add", "path": pointer(path), "value": wanted}


def pointer(path: DocumentPath) -> str:
    """RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _at(value: Any, path: DocumentPath) -> Any:
    """The value at a path; ``...`` where there is none."""
    for part in path:
        if not isinstance(value, dict) or part not in value:
            return ...
        value = value[part]
    return value
