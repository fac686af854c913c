"""The checks that wait for one kind of element, run together.

Large worlds repeat themselves: a few templates, many workloads made from them. Most checks of a pod or a container rest
on its spec alone; where an element is spelled like one judged before, those checks are not run again, their answers
still hold.

1. An element says what it is spelled like, once for each set of names that this covers (``Element.likeness``).
2. The checks of the batch are split by the first set that covers the names they use, and the rest.
3. Of each part the answers are taken from a like element, or judged and kept; the rest is judged every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import itemgetter

from bulkhead.core.outcome import Outcome
from bulkhead.posture.bindings import Element
from bulkhead.posture.compiled import Needs, Runnable
from bulkhead.posture.judge import Answer, judge, missing
from bulkhead.posture.world import World

KEPT = 4096
"""Spellings whose answers are kept for one batch; when there are more, they begin anew."""

Told = tuple[int, Runnable, Answer]
"""The check's place in its batch, the check, what it says."""

_place = itemgetter(0)


class _Part:
    """Some checks of a batch with their places in it.

    ``beyond`` has those of their needs that are about the whole resource, each once.
    """

    __slots__ = ("beyond", "checks")

    def __init__(self) -> None:
        self.checks: list[tuple[int, Runnable]] = []
        self.beyond: list[Needs] = []

    def add(self, place: int, runnable: Runnable) -> None:
        self.checks.append((place, runnable))
        needs = runnable.needs
        if needs is not None and (needs.object_fields or needs.known) and needs not in self.beyond:
            self.beyond.append(needs)


class _Kept:
    """What the checks of a part said of one spelling, and of how many elements it holds."""

    __slots__ = ("elements", "outcomes", "part", "told")

    def __init__(self, part: _Part, told: list[Told], outcomes: tuple[Outcome, ...]) -> None:
        self.part = part
        self.told = told
        self.outcomes = outcomes
        self.elements = 1


class Batch:
    """Checks in a fixed order, with the counts of what they said."""

    def __init__(self, runnables: Sequence[Runnable]) -> None:
        self.runnables = runnables
        self._counts: dict[tuple[_Part, tuple[Outcome, ...]], int] = {}
        self._parts: dict[tuple[frozenset[str], ...], list[_Part]] = {}
        self._kept: dict[tuple[int, bytes], _Kept] = {}

    def judge(self, world: World, element: Element, silent: frozenset[Outcome]) -> list[Told]:
        """What the checks say of an element, in their order, less the outcomes that are not told."""
        told: list[Told] = []
        likeness = element.likeness
        parts = self._split(tuple(names for names, _ in likeness))
        for part, (_, spelled) in zip(parts, likeness, strict=False):
            told += self._like(world, element, silent, part, spelled)
        rest, outcomes = _each(world, element, silent, parts[-1])
        self._count(parts[-1], outcomes, 1)
        told += rest
        if likeness:
            told.sort(key=_place)
        return told

    def tally(self) -> Iterable[tuple[Runnable, Outcome, int]]:
        """How often each check said what."""
        self._settle()
        for (part, outcomes), count in self._counts.items():
            for (_, runnable), outcome in zip(part.checks, outcomes, strict=True):
                yield runnable, outcome, count

    def _split(self, covers: tuple[frozenset[str], ...]) -> list[_Part]:
        parts = self._parts.get(covers)
        if parts is None:
            parts = self._parts[covers] = [_Part() for _ in (*covers, None)]
            for place, runnable in enumerate(self.runnables):
                at = next((at for at, names in enumerate(covers) if runnable.used <= names), len(covers))
                parts[at].add(place, runnable)
        return parts

    def _like(
        self, world: World, element: Element, silent: frozenset[Outcome], part: _Part, spelled: bytes
    ) -> list[Told]:
        if not part.checks:
            return []
        if _lacking(element, part):
            told, outcomes = _each(world, element, silent, part)
            self._count(part, outcomes, 1)
            return told
        key = (part.checks[0][0], spelled)
        kept = self._kept.get(key)
        if kept is not None:
            kept.elements += 1
            return kept.told
        if len(self._kept) >= KEPT:
            self._settle()
        kept = self._kept[key] = _Kept(part, *_each(world, element, silent, part))
        return kept.told

    def _settle(self) -> None:
        for kept in self._kept.values():
            self._count(kept.part, kept.outcomes, kept.elements)
        self._kept.clear()

    def _count(self, part: _Part, outcomes: tuple[Outcome, ...], elements: int) -> None:
        # Most elements get the same answers: what they said is taken apart once, when it is told.
        said = (part, outcomes)
        self._counts[said] = self._counts.get(said, 0) + elements


def _each(
    world: World, element: Element, silent: frozenset[Outcome], part: _Part
) -> tuple[list[Told], tuple[Outcome, ...]]:
    told = []
    outcomes = []
    for place, runnable in part.checks:
        answer = judge(world, runnable, element)
        outcome = answer[0]
        outcomes.append(outcome)
        if outcome not in silent:
            told.append((place, runnable, answer))
    return told, tuple(outcomes)


def _lacking(element: Element, part: _Part) -> bool:
    """Whether a check of the part lacks something of the whole resource, which a likeness says nothing about."""
    return any(missing(needs, element) for needs in part.beyond)
