"""The score says how much of what matters passed, and never more."""

from __future__ import annotations

import pytest

from bulkhead.core.outcome import Severity
from bulkhead.report.score import score

SEVERITIES = {"c": Severity.CRITICAL, "h": Severity.HIGH, "l": Severity.LOW, "i": Severity.INFO}


@pytest.mark.parametrize(
    ("tallies", "gaps", "expected"),
    [
        ({}, 0, 100.0),
        ({}, 1, 0.0),
        ({"c": {"pass": 3}}, 0, 100.0),
        ({"c": {"pass": 3}}, 1, 99.9),
        ({"c": {"pass": 1, "error": 1}}, 0, 50.0),
        ({"c": {"fail": 1}, "l": {"pass": 10000}}, 0, 9.0),
        ({"c": {"pass": 9999, "fail": 1}}, 0, 99.9),
        ({"c": {"skip": 5, "manual": 2}, "h": {"pass": 1}}, 0, 100.0),
        ({"h": {"warn": 1, "pass": 1}}, 0, 50.0),
        ({"i": {"fail": 1}}, 0, 100.0),
        ({"unknown": {"fail": 1, "pass": 2}}, 0, 66.6),
    ],
)
def test_score(tallies: dict[str, dict[str, int]], gaps: int, expected: float) -> None:
    assert expected == score(tallies, SEVERITIES, gaps=gaps)
