"""The verdict of a control on a resource, in PolicyReport's words, plus manual."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    PASS = "pass"  # noqa: S105 (a verdict, not a password)
    FAIL = "fail"
    WARN = "warn"
    ERROR = "error"
    SKIP = "skip"
    MANUAL = "manual"


class Severity(StrEnum):
    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 4 for critical."""
        return _RANK[self]


_RANK = {severity: rank for rank, severity in enumerate(Severity)}

# The worst news wins. Error stands above pass, warn and skip so that nothing turns an unread input into good news;
# a failure that was seen stays a failure whatever else could not be read.
_ORDER = (Outcome.FAIL, Outcome.ERROR, Outcome.WARN, Outcome.MANUAL, Outcome.PASS, Outcome.SKIP)
_WEIGHT = {outcome: weight for weight, outcome in enumerate(_ORDER)}


def join(*outcomes: Outcome) -> Outcome:
    """The outcome of several together: a semilattice with fail at the top and skip at the bottom."""
    return min(outcomes, key=_WEIGHT.__getitem__, default=Outcome.SKIP)
