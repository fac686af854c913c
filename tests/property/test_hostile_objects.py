"""Objects of any shape: judging, planning and waiving never raise anything, and never call what they cannot read good."""

from __future__ import annotations

import random
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bulkhead.app import scan as scanning
from bulkhead.app.scan import Context, Selection
from bulkhead.core.control import MitigationClass
from bulkhead.core.resource import UNKNOWN, Resource, Snapshot
from bulkhead.mitigation import plan as planning
from bulkhead.mitigation.plan import Consent
from bulkhead.posture import examples
from bulkhead.posture.attack import analyse, graph
from bulkhead.posture.world import World
from bulkhead.sources import files
from tests.catalogue_check import catalogue
from tests.fakes.junk import mutated

SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop"
CONTEXT = Context(catalogue(), lambda: "2026-01-01T00:00:00+00:00")
JUNK: list[Any] = [
    None,
    "",
    "x",
    0,
    -1,
    2**70,
    1.5,
    True,
    False,
    [],
    {},
    [None],
    [[]],
    [{}],
    {"": None},
    {"name": {}},
    UNKNOWN,
    "\ud800",
    ["a", 1],
]


@lru_cache(maxsize=1)
def seeds() -> tuple[Resource, ...]:
    """The example application, and an example of every control."""
    found = list(files.read(SHOP, helm=files.Renderer.OFF).resources)
    for control in catalogue().controls:
        for failing in catalogue().examples[control.id].fail[:1]:
            found.extend(examples.snapshot(failing, control).resources)
    return tuple(found)


def run(seed: int, count: int) -> None:
    rng = random.Random(seed)
    chosen = [rng.choice(seeds()) for _ in range(count)]
    resources = tuple(
        Resource(item.ref, mutated(item.data, rng, JUNK), item.text, item.document, item.path) for item in chosen
    )
    scan = scanning.judge(Snapshot(resources), "/", CONTEXT, Selection(catalogue().controls))
    world = World(scan.snapshot)
    planning.make(world, scan.assessment, Consent(MitigationClass.PROPOSE), tenant="default", root="/")
    analyse.analyse(graph.build(world))


@settings(max_examples=60, deadline=None)
@example(1433077)  # a new object was to hold an unknown value
@given(st.integers(0, 2**32))
def test_nothing_raises_on_objects_of_any_shape(seed: int) -> None:
    run(seed, 12)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(40))
def test_nothing_raises_on_many_objects_of_any_shape(seed: int) -> None:
    run(seed, 400)
