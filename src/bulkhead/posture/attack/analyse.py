"""Shortest paths and the smallest set of fixes that cuts them.

The cut is a hitting set: every path must lose at least one edge. The shortest path through each way in is found in the graph that the
fixes so far leave, and the smallest set for the paths known is searched anew, until no path is left. The last set is
then the smallest for all of them, because no smaller one cuts even those that were found. A path that no fix cuts is
listed, and its last step is taken out so that the search can go on behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from bulkhead.posture.attack import hitting
from bulkhead.posture.attack.model import ADMIN, INTERNET, NODE, Analysis, Edge, Fix, Vertex

Graph = dict[Vertex, list[Edge]]

_ROUNDS = 500


def analyse(graph: Graph, entries: Iterable[Vertex] = (INTERNET,)) -> Analysis:
    """Paths from the entries to some node and to cluster admin."""
    entries = tuple(entries)
    into = _reversed(graph)
    paths = tuple(path for goal in (NODE, ADMIN) for path in _first_hops(graph, into, entries, goal, frozenset()))
    cut, uncut, exact = _cut(graph, into, entries)
    return Analysis(paths, cut, uncut, exact)


def _reversed(graph: Graph) -> Graph:
    into: Graph = {}
    for edges in graph.values():
        for edge in edges:
            into.setdefault(edge.target, []).append(edge)
    return into


def _open(edge: Edge, fixed: frozenset[Fix]) -> bool:
    return not edge.fixes or fixed.isdisjoint(edge.fixes)


def _towards(into: Graph, goal: Vertex, fixed: frozenset[Fix], closed: frozenset[Edge]) -> dict[Vertex, Edge]:
    """The next step of a shortest way to the goal, for every vertex that has one."""
    step: dict[Vertex, Edge] = {}
    queue = deque([goal])
    while queue:
        here = queue.popleft()
        for edge in into.get(here, ()):
            if edge.source != goal and edge.source not in step and _open(edge, fixed) and edge not in closed:
                step[edge.source] = edge
                queue.append(edge.source)
    return step


def reaching(graph: Graph, goal: Vertex) -> set[Vertex]:
    """Every vertex that has a way to the goal."""
    return set(_towards(_reversed(graph), goal, frozenset(), frozenset()))


def _first_hops(
    graph: Graph,
    into: Graph,
    entries: tuple[Vertex, ...],
    goal: Vertex,
    fixed: frozenset[Fix],
    closed: frozenset[Edge] = frozenset(),
) -> list[tuple[Edge, ...]]:
    """The shortest path through each way in: what a reader wants to see per exposed workload."""
    step = _towards(into, goal, fixed, closed)
    out = []
    for entry in entries:
        seen: set[Vertex] = set()
        for edge in graph.get(entry, ()):
            if edge.target in seen or not _open(edge, fixed) or edge in closed:
                continue
            if edge.target != goal and edge.target not in step:
                continue
            seen.add(edge.target)
            path = [edge]
            while path[-1].target != goal:
                path.append(step[path[-1].target])
            if all(later.target != entry for later in path):
                out.append(tuple(path))
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
            if edge.target in came or edge.target == start or not _open(edge, fixed):
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


def _cut(
    graph: Graph, into: Graph, entries: tuple[Vertex, ...]
) -> tuple[tuple[Fix, ...], tuple[tuple[Edge, ...], ...], bool]:
    wanted: set[frozenset[Fix]] = set()
    uncut: list[tuple[Edge, ...]] = []
    closed: frozenset[Edge] = frozenset()
    chosen: frozenset[Fix] = frozenset()
    exact = True
    for _ in range(_ROUNDS):
        paths = [path for goal in (NODE, ADMIN) for path in _first_hops(graph, into, entries, goal, chosen, closed)]
        if not paths:
            return tuple(sorted(chosen)), tuple(uncut), exact
        for path in paths:
            fixes = frozenset(fix for edge in path for fix in edge.fixes)
            if fixes:
                wanted.add(fixes)
            elif path[-1] not in closed:
                uncut.append(path)
                closed |= {path[-1]}
        chosen, complete = hitting.smallest(wanted)
        exact = exact and complete
    return tuple(sorted(chosen)), tuple(uncut), False
