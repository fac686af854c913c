"""The smallest set that meets every one of some sets.

1. A set that contains another is met when that one is; it is dropped.
2. What is left falls apart into components that share no member; each is solved alone.
3. In a component the greedy answer is improved by branch and bound. As many pairwise disjoint sets as there are is a
   lower bound, which in most components already proves the greedy answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bulkhead.posture.attack.model import Fix

Sets = list[frozenset[Fix]]

_BRANCHES = 20_000


def smallest(sets: Iterable[frozenset[Fix]]) -> tuple[frozenset[Fix], bool]:
    """A smallest hitting set; False beside it when the search met its bound before it could prove it."""
    chosen: set[Fix] = set()
    exact = True
    for component in _components(_minimal(sets)):
        found, complete = _search(component)
        chosen |= found
        exact = exact and complete
    return frozenset(chosen), exact


def _minimal(sets: Iterable[frozenset[Fix]]) -> Sets:
    ordered = sorted(sets, key=lambda found: (len(found), sorted(found)))
    counts = Counter(fix for item in ordered for fix in item)
    kept: Sets = []
    # Each set stands under its rarest member: whatever contains the set contains that too.
    by_rarest: dict[Fix, Sets] = {}
    for item in ordered:
        if any(other <= item for fix in item for other in by_rarest.get(fix, ())):
            continue
        kept.append(item)
        by_rarest.setdefault(min(item, key=lambda fix: (counts[fix], fix)), []).append(item)
    return kept


def _components(sets: Sets) -> list[Sets]:
    by_member: dict[Fix, list[int]] = {}
    for number, item in enumerate(sets):
        for fix in item:
            by_member.setdefault(fix, []).append(number)
    seen: set[int] = set()
    out = []
    for first in range(len(sets)):
        if first in seen:
            continue
        seen.add(first)
        component, waiting = [], [first]
        while waiting:
            number = waiting.pop()
            component.append(sets[number])
            for fix in sets[number]:
                fresh = [other for other in by_member.pop(fix, ()) if other not in seen]
                seen.update(fresh)
                waiting += fresh
        out.append(component)
    return out


def _search(sets: Sets) -> tuple[frozenset[Fix], bool]:
    best = _greedy(sets)
    waiting: list[tuple[frozenset[Fix], Sets]] = [(frozenset(), sets)]
    for _ in range(_BRANCHES):
        if not waiting:
            return best, True
        chosen, left = waiting.pop()
        if not left:
            best = min(best, chosen, key=_size)
        elif len(chosen) + _disjoint(left) < len(best):
            fewest: frozenset[Fix] = min(left, key=_size)
            branches = [(chosen | {fix}, [item for item in left if fix not in item]) for fix in sorted(fewest)]
            waiting += reversed(branches)
    return best, False


def _size(item: frozenset[Fix]) -> int:
    return len(item)


def _greedy(sets: Sets) -> frozenset[Fix]:
    chosen: set[Fix] = set()
    left = list(sets)
    while left:
        counts: dict[Fix, int] = {}
        for item in left:
            for fix in item:
                counts[fix] = counts.get(fix, 0) + 1
        best = min(counts, key=lambda fix: (-counts[fix], fix))
        chosen.add(best)
        left = [item for item in left if best not in item]
    return frozenset(chosen)


def _disjoint(sets: Sets) -> int:
    """How many of the sets are disjoint, counted greedily: no hitting set is smaller."""
    used: set[Fix] = set()
    count = 0
    for item in sorted(sets, key=_size):
        if used.isdisjoint(item):
            used |= item
            count += 1
    return count
