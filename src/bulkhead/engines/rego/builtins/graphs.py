"""What can be reached in a graph."""

from __future__ import annotations

from typing import Any

from bulkhead.engines.rego.builtins.operands import MAX_ITEMS, object_, too_large, wrong_type
from bulkhead.engines.rego.values import Set, U, form, get


def _start(a: Any) -> list[Any]:
    if type(a) is not list and type(a) is not Set:
        raise wrong_type(2, a, "{array, set}")
    return list(a)


def _edges(graph: dict[Any, Any], node: Any) -> list[Any] | None:
    """The neighbours of a node; None where it is not in the graph."""
    found = get(graph, node)
    if found is U:
        return None
    return list(found) if type(found) is list or type(found) is Set else []


def reachable(graph: Any, initial: Any) -> Set:
    object_(graph, 1)
    queue = _start(initial)
    seen = {form(node) for node in queue}
    reached = Set()
    while queue:
        node = queue.pop()
        edges = _edges(graph, node)
        if edges is None:
            continue
        reached.add(node)
        for neighbour in edges:
            key = form(neighbour)
            if key not in seen:
                seen.add(key)
                queue.append(neighbour)
    return reached


def paths(graph: Any, initial: Any) -> Set:
    """The longest paths: each ends at a node without edges, outside of the graph, or before one it has seen."""
    object_(graph, 1)
    found = Set()
    for root in _start(initial):
        edges = _edges(graph, root)
        if edges is None:
            continue
        if not edges:
            found.add([root])
        stack = [(neighbour, [root]) for neighbour in reversed(edges)]
        steps = 0
        while stack:
            node, path = stack.pop()
            steps += len(path)
            if steps > MAX_ITEMS:
                raise too_large()
            inner = _edges(graph, node)
            if inner is None:
                found.add(path)
                continue
            path = [*path, node]
            if not inner:
                found.add(path)
                continue
            seen = {form(part) for part in path}
            for neighbour in reversed(inner):
                if form(neighbour) in seen:
                    found.add(path)
                else:
                    stack.append((neighbour, path))
    return found
