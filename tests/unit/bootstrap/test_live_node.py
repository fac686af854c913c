"""A machine by its target: what reads it and what changes it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bulkhead.bootstrap import live, targets
from bulkhead.core.errors import SourceError, UsageError
from tests.fakes.node import kubeadm

NOTHING: Any = None


def test_a_machine_below_a_folder_has_a_world_and_hands(tmp_path: Path) -> None:
    world = live.world(f"node://{kubeadm(tmp_path)}/", NOTHING)
    assert targets.is_live(world.root)
    assert world.root == f"node://{tmp_path}"
    assert {item.ref.origin for item in asyncio.run(world.read()).resources} == {world.root}
    assert set(live.hands(world.root, NOTHING)) == {"node"}


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        asyncio.run(live.world(f"node://{tmp_path}/nothing", NOTHING).read())
    with pytest.raises(UsageError, match="folder of its files"):
        live.world("node://relative", NOTHING)


def test_this_machine_is_named(tmp_path: Path) -> None:
    world = live.world("node://", NOTHING)
    assert world.root == "node://"
    assert all(gap.where.startswith("node://") for gap in asyncio.run(world.read()).gaps)
