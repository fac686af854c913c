"""The Gatekeeper library: every assertion with every engine, its Rego tests, and its samples of mutation."""

from __future__ import annotations

import pytest

from tests.conformance.suites import gatekeeper_library
from tests.corpora import folder


@pytest.mark.parametrize("part", ["library", "src", "mutation"])
def test_the_library(part: str) -> None:
    result = gatekeeper_library.run(folder("policy", "gatekeeper-library", part))
    assert result.total > 0
    assert (result.failed, result.refused) == ([], [])


def test_gator_s_own_fixtures() -> None:
    """Three mutators are there to be refused; everything else is taken."""
    result = gatekeeper_library.run(folder("policy", "gatekeeper-tests"))
    assert result.failed == []
    assert [line.partition(": ")[0].rpartition("/")[2] for line in result.refused] == [
        "invalid_assign.yaml", "invalid_assignmetadata.yaml", "invalid_assignmetadata.yaml",
    ]  # fmt: skip
    assert result.passed >= 38
