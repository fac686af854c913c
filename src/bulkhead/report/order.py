"""The order in which findings are told: worst first, and the same in every format and every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import product

from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.report.model import Fix

OPEN = (Outcome.FAIL, Outcome.ERROR, Outcome.WARN, Outcome.MANUAL)
"""Outcomes that ask something of the reader."""
_COUNTED = (Outcome.FAIL, Outcome.WARN)

_URGENCY = {
    verdict: rank for rank, verdict in enumerate(product((*OPEN, Outcome.PASS, Outcome.SKIP), reversed(Severity)))
}


def _key(finding: Finding) -> tuple[int, str, str, int, str, str, str]:
    ref, where = finding.resource, finding.where
    return (
        _URGENCY[finding.outcome, finding.severity] + (0 if finding.waiver is None else len(_URGENCY)),
        finding.control,
        where.file or ref.origin,
        where.line,
        ref.namespace,
        ref.name,
        finding.fingerprint,
    )


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Waived ones last, then by outcome, severity, control and place."""
    return sorted(findings, key=_key)


def active(findings: Iterable[Finding]) -> list[Finding]:
    """Findings that ask something of the reader and that nobody has waived."""
    return [finding for finding in findings if finding.waiver is None and finding.outcome in OPEN]


def waived(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.waiver is not None]


def diff_owners(findings: Iterable[Finding], fixes: Mapping[str, tuple[Fix, ...]]) -> dict[str, str]:
    """Diff to the first finding that it repairs: a change that repairs forty findings of a file is shown once."""
    owners: dict[str, str] = {}
    for finding in findings:
        for fix in fixes.get(finding.fingerprint, ()):
            owners.setdefault(fix.diff, finding.fingerprint)
    return owners


def by_severity(findings: Iterable[Finding]) -> dict[Severity, int]:
    """Counts of failures and warnings, worst first; every severity has its entry."""
    counts = Counter([finding.severity for finding in findings if finding.outcome in _COUNTED])
    return {severity: counts[severity] for severity in reversed(Severity)}


def by_outcome(findings: Iterable[Finding]) -> dict[Outcome, int]:
    counts = Counter([finding.outcome for finding in findings])
    return {outcome: counts[outcome] for outcome in OPEN}
