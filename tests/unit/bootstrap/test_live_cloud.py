"""Clouds by their targets: what reads them, what changes them, and what a file of an inventory is called."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bulkhead.bootstrap import live, root, targets
from bulkhead.core.errors import SourceError

NOTHING: Any = None


def test_an_account_has_a_world_and_hands(tmp_path: Path) -> None:
    assert targets.is_live("aws://eu-west-1")
    with root.open_root(tmp_path) as opened:
        assert live.world("aws://eu-west-1", opened).root == "aws://eu-west-1"
    assert set(live.hands("aws://eu-west-1", NOTHING)) == {"aws"}


@pytest.mark.parametrize(
    ("scheme", "record", "kind"),
    [
        ("gcp-inventory:", {"selfLink": "https://x/v1/projects/p/zones/z/clusters/c"}, "GkeCluster"),
        ("azure-inventory:", {"id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/r"}, "AzureRegistry"),
    ],
)  # fmt: skip
def test_an_inventory_is_read_and_never_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, record: dict[str, str], kind: str
) -> None:
    (tmp_path / "x.json").write_text(json.dumps([record]))
    monkeypatch.chdir(tmp_path)
    world = live.world(f"{scheme}x.json", NOTHING)
    assert world.root == f"{scheme}{tmp_path}/x.json"
    assert kind in {item.ref.kind for item in asyncio.run(world.read()).resources}
    assert live.hands(world.root, NOTHING) == {}
    with pytest.raises(SourceError):
        asyncio.run(live.world(f"{scheme}missing.json", NOTHING).read())
