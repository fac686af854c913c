"""Where the public test suites lie: ``BULKHEAD_CORPORA`` or ``../shared/corpora``; absent in a user's clone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("BULKHEAD_CORPORA", Path(__file__).resolve().parents[2] / "shared" / "corpora"))


def folder(*parts: str) -> Path:
    """A folder of the corpora; the test is skipped, saying so, where the corpora are absent."""
    path = ROOT.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"corpora absent: {'/'.join(parts)} (set BULKHEAD_CORPORA)")
    return path
