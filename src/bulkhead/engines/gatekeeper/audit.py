"""Everything that is there held against every constraint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from bulkhead.core.errors import BulkheadError
from bulkhead.engines.gatekeeper.constraint import Constraint
from bulkhead.engines.gatekeeper.expansion import Expander, expand
from bulkhead.engines.gatekeeper.judge import judge
from bulkhead.engines.gatekeeper.model import AUDIT, Object, Violation, World, metadata_of, name_of, of_object
from bulkhead.engines.gatekeeper.mutation import Mutator

SHOWN: Final = 20
"""Violations of a constraint that are told one by one; Gatekeeper's own number for a status."""
Place = tuple[str, str, str, str]


class Found(msgspec.Struct, frozen=True):
    """A violation and the object that it is of: its version, kind, namespace and name."""

    place: Place
    violation: Violation


class Audited(msgspec.Struct, frozen=True):
    """What an audit found.

    Attributes:
        total: of each constraint, by kind and name: all its violations, also those that are not told.
        told: the first of each constraint in the order of the places, so that two audits of the same tell the same.
        errors: how many of the total could not be told, by kind and name.
    """

    total: Mapping[tuple[str, str], int]
    told: tuple[Found, ...]
    errors: Mapping[tuple[str, str], int]


def audit(
    constraints: Sequence[Constraint], things: Iterable[Object], world: World, *, expanders: Sequence[Expander] = (),
    mutators: Sequence[Mutator] = (), shown: int = SHOWN,
) -> Audited:  # fmt: skip
    """Hold objects against constraints.

    Args:
        constraints: those that are enforced by audits are asked.
        things: the objects.
        world: what constraints may ask of the cluster.
        expanders: make objects that others stand for, which are judged too.
        mutators: applied to those.
        shown: the most violations of a constraint that are told one by one.
    """
    asked = [constraint for constraint in constraints if AUDIT in constraint.actions]
    total: dict[tuple[str, str], int] = {(one.template.kind, one.name): 0 for one in asked}
    errors: dict[tuple[str, str], int] = {}
    told: dict[tuple[str, str], list[Found]] = {}
    for place, violation in _violations(asked, things, world, expanders, mutators):
        key = (violation.kind, violation.name)
        total[key] += 1
        if violation.error:
            errors[key] = errors.get(key, 0) + 1
        held = told.setdefault(key, [])
        held.append(Found(place, violation))
        if len(held) > 2 * shown + 100:
            held.sort(key=_order)
            del held[shown:]
    kept = [item for key in sorted(told) for item in sorted(told[key], key=_order)[:shown]]
    return Audited(total, tuple(kept), errors)


def _order(item: Found) -> tuple[Place, str]:
    return item.place, item.violation.message


def _violations(
    constraints: Sequence[Constraint], things: Iterable[Object], world: World, expanders: Sequence[Expander],
    mutators: Sequence[Mutator],
) -> Iterable[tuple[Place, Violation]]:  # fmt: skip
    for thing in things:
        place = _place(thing)
        try:
            request = of_object(thing)
            made = expand(expanders, thing, world, mutators) if expanders else ()
        except BulkheadError as error:
            for one in constraints:
                yield (
                    place,
                    Violation(
                        kind=one.template.kind, name=one.name, message=str(error), actions=one.actions, error=True
                    ),
                )
            continue
        for one in constraints:
            for violation in judge(one, request, world):
                yield place, violation
            for item in made:
                for violation in judge(one, of_object(item.object, "Generated"), world):
                    actions = dict.fromkeys(violation.actions, (item.action,)) if item.action else violation.actions
                    said = f"{item.prefix} {violation.message}"
                    yield place, msgspec.structs.replace(violation, message=said, actions=actions)


def _place(thing: Object) -> Place:
    space = str(metadata_of(thing).get("namespace") or "")
    return str(thing.get("apiVersion", "")), str(thing.get("kind", "")), space, name_of(thing)
