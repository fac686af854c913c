"""Shortest paths and the smallest set of fixes that cuts them.

The cut is a hitting set: every path must lose at least one edge. Paths are found one at a time in the graph that the
fixes so far leave, and the smallest set for the paths known is searched anew, until no path is left. The last set is
then the smallest for all of them, because no smaller one cuts even those that were found.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from bulkhead.posture.attack.model import ADMIN, INTERNET, NODE, Analysis, Edge, Fix, Vertex

Graph = dict[Vertex, list[Edge]]

_ROUNDS = 500
_BRANCHES = 20_000


def analyse(graph: Graph, entries: Iterable[Vertex] = (INTERNET,)) -> Analysis:
    """Paths from the entries to some node and to cluster admin."""
    entries = tuple(entries)
    paths = tuple(path for entry in entries for goal in (NODE, ADMIN) for path in _first_hops(graph, entry, goal))
    cut, uncut, exact = _cut(graph, entries)
    return Analysis(paths, cut, uncut, exact)


def _first_hops(graph: Graph, entry: Vertex, goal: Vertex) -> list[tuple[Edge, ...]]:
    """The shortest path through each way in: what a reader wants to see per exposed workload."""
    out = []
    seen: set[Vertex] = set()
    for edge in graph.get(entry, ()):
        if edge.target in seen:
            continue
        seen.add(edge.target)
        rest = shortest(graph, edge.target, goal, frozenset())
        if rest is not None:
            out.append((edge, *rest))
    return out


def shortest(graph: Graph, start: Vertex, goal: Vertex, fixed: frozenset[Fix]) -> tuple[Edge, ...] | None:
    """The fewest steps that the fixes leave; None when there is no way."""
    if start == goal:
        return ()
    came: dict[Vertex, Edge] = {}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for edge in graph.get(here, ()):
            if edge.target in came or edge.target == start or (edge.fixes and not fixed.isdisjoint(edge.fixes)):
                continue
            came[edge.target] = edge
            if edge.target == goal:
                return _back(came, start, goal)
            queue.append(edge.target)
    return None


def _back(came: dict[Vertex, Edge], start: Vertex, goal: Vertex) -> tuple[Edge, ...]:
    path: list[Edge] = []
    here = goal
    while here != start:
        path.append(came[here])
        here = came[here].source
    return tuple(reversed(path))


def _cut(graph: Graph, entries: tuple[Vertex, ...]) -> tuple[tuple[Fix, ...], tuple[tuple[Edge, ...], ...], bool]:
    wanted: list[frozenset[Fix]] = []
    uncut: list[tuple[Edge, ...]] = []
    graph = {vertex: list(edges) for vertex, edges in graph.items()}
    chosen: frozenset[Fix] = frozenset()
    exact = True
    for _ in range(_ROUNDS):
        path = next(
            (found for entry in entries for goal in (NODE, ADMIN) if (found := shortest(graph, entry, goal, chosen))),
            None,
        )
        if path is None:
            return tuple(sorted(chosen)), tuple(uncut), exact
        fixes = frozenset(fix for edge in path for fix in edge.fixes)
        if fixes:
            wanted.append(fixes)
            chosen, complete = _hitting(wanted)
            exact = exact and complete
        else:
            uncut.append(path)
            graph[path[-1].source].remove(path[-1])
    return tuple(sorted(chosen)), tuple(uncut), False


def _hitting(sets: list[frozenset[Fix]]) -> tuple[frozenset[Fix], bool]:
    """The smallest set that meets every one of ``sets``; False when the search met its bound first."""
    best = _greedy(sets)
    budget = [_BRANCHES]

    def search(chosen: frozenset[Fix]) -> None:
        nonlocal best
        if budget[0] <= 0:
            return
        budget[0] -= 1
        left = [item for item in sets if chosen.isdisjoint(item)]
        if not left:
            best = min(best, chosen, key=lambda found: (len(found), sorted(found)))
        elif len(chosen) + _packing(left) <= len(best):
            if len(chosen) + 1 > len(best):
                return
            for fix in sorted(sorted(left, key=len)[0]):
                search(chosen | {fix})

    search(frozenset())
    return best, budget[0] > 0


def _greedy(sets: list[frozenset[Fix]]) -> frozenset[Fix]:
    chosen: set[Fix] = set()
    left = list(sets)
    while left:
        counts: dict[Fix, int] = {}
        for item in left:
            for fix in item:
                counts[fix] = counts.get(fix, 0) + 1
        chosen.add(min(counts, key=lambda fix: (-counts[fix], fix)))
        left = [item for item in left if chosen.isdisjoint(item)]
    return frozenset(chosen)


def _packing(sets: list[frozenset[Fix]]) -> int:
    """How many of the sets are disjoint, counted greedily: no hitting set is smaller."""
    used: set[Fix] = set()
    count = 0
    for item in sorted(sets, key=len):
        if used.isdisjoint(item):
            used |= item
            count += 1
    return count
