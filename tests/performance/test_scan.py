"""Budgets of the one-shot commands (DESIGN section 9; the numbers of the issue), as medians of five runs."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.corpora import folder
from tests.performance.conftest import Command
from tests.performance.measuring import Cost, settled, spent

_CHECKOV = Path(__file__).resolve().parents[2] / ".peers" / "bin" / "checkov"
_MANIFESTS = ("posture", "bench-manifests", "w1000")
_MEBIBYTE = 1024 * 1024


def test_the_version_imports_nothing_heavy(bulkhead: Command) -> None:
    cost = settled(bulkhead("--version"), 0.10)
    assert cost.code == 0
    assert cost.cpu <= 0.10, str(cost)
    assert cost.peak <= 30 * _MEBIBYTE, str(cost)


def test_an_empty_folder(bulkhead: Command, empty: Path) -> None:
    cost = settled(bulkhead("scan", str(empty), "--format", "json"), 0.15)
    assert cost.code == 0
    assert cost.cpu <= 0.15, str(cost)
    assert cost.peak <= 40 * _MEBIBYTE, str(cost)


def test_a_thousand_manifests(bulkhead: Command) -> None:
    """All controls, findings with their lines included."""
    cost = settled(bulkhead("scan", str(folder(*_MANIFESTS)), "--format", "json"), 2.0)
    assert cost.code == 1
    assert cost.cpu <= 2.0, str(cost)
    assert cost.megabytes <= 100, str(cost)


def test_dockerfiles(bulkhead: Command, tmp_path: Path) -> None:
    """A hundred and sixty-two of them; the issue names no figure, this one keeps what was reached."""
    files = sorted(folder("supply", "dockerfile-hadolint", "dockerfiles").iterdir())[:162]
    for file in files:
        shutil.copy(file, tmp_path)
    cost = settled(bulkhead("scan", str(tmp_path), "--format", "json"), 1.0)
    assert cost.code in (1, 3)
    assert cost.cpu <= 1.0, str(cost)


@pytest.mark.peer
def test_a_tenth_of_checkov(bulkhead: Command, empty: Path) -> None:
    """Beside checkov on the same folder in the same run; what it takes to start is taken off."""
    if not _CHECKOV.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("checkov is absent: make peers")
        pytest.skip("checkov is absent (make peers)")
    manifests = folder(*_MANIFESTS)
    started, theirs = (_checkov(target) for target in (empty, manifests))
    ours = settled(bulkhead("scan", str(manifests), "--format", "json"), (theirs.cpu - started.cpu) / 10)
    assert theirs.code == 1
    assert (theirs.cpu - started.cpu) / ours.cpu >= 10, f"ours {ours}; checkov {theirs}, of which {started} to start"


def _checkov(target: Path) -> Cost:
    words = ["-d", str(target), "-o", "json", "--quiet", "--compact", "--framework", "kubernetes", "--skip-download"]
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return partial(spent, [str(_CHECKOV), *words], env)()
