"""Mutators whose locations contradict each other: a list for one and an object for the other, or items with another key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bulkhead.engines.gatekeeper.mutation.mutators import Mutator, Value
from bulkhead.engines.gatekeeper.mutation.paths import Field, Items

_Kind = tuple[str, str, str]


def conflicts(mutators: Iterable[Mutator]) -> dict[tuple[str, str], tuple[str, ...]]:
    """For each mutator that cannot be applied, by kind and name, with whom it is at odds."""
    shapes: dict[tuple[_Kind, tuple[str, ...]], dict[str, list[Mutator]]] = {}
    for mutator in mutators:
        for kind in _kinds(mutator):
            for place, shape in _shapes(mutator):
                shapes.setdefault((kind, place), {}).setdefault(shape, []).append(mutator)
    found: dict[tuple[str, str], set[str]] = {}
    for told in shapes.values():
        # What ends at a place may be anything there, unless what a provider gives ends there: that is a text.
        kinds = {shape: users for shape, users in told.items() if shape != "end"}
        if len(kinds) > 1:
            _add(found, [mutator for users in kinds.values() for mutator in users if users])
    return {key: tuple(sorted(others)) for key, others in found.items()}


def _add(found: dict[tuple[str, str], set[str]], users: list[Mutator]) -> None:
    for mutator in users:
        others = {f"{other.kind}/{other.name}" for other in users if other.order != mutator.order}
        if others:
            found.setdefault(mutator.order, set()).update(others)


def _kinds(mutator: Mutator) -> Iterator[_Kind]:
    for item in mutator.applies_to or ():
        for group in item.groups:
            for version in item.versions:
                for kind in item.kinds:
                    yield group, version, kind


def _shapes(mutator: Mutator) -> Iterator[tuple[tuple[str, ...], str]]:
    """What stands at each place of a path: an object, a list with its key, a text, or the end."""
    names: list[str] = []
    path = mutator.path
    for number, step in enumerate(path):
        if isinstance(step, Items):
            names.append(f"[{step.field}]")
            continue
        names.append(step.name)
        following = path[number + 1] if number + 1 < len(path) else None
        if isinstance(following, Field):
            yield tuple(names), "object"
        elif isinstance(following, Items):
            yield tuple(names), f"list by {following.field}"
        elif isinstance(mutator.change, Value) and mutator.change.external is not None:
            yield tuple(names), "text"
        else:
            yield tuple(names), "end"
