"""One page of HTML that a manager can read: no script, nothing loaded from outside, good on paper and in the dark.

The template escapes everything it is given, and a Content-Security-Policy in the page forbids what escaping might miss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from bulkhead.core.control import Control
from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.report import practices
from bulkhead.report.mask import mask_source
from bulkhead.report.model import Fix, Report, TrendPoint
from bulkhead.report.order import active, by_outcome, by_severity, diff_owners, waived
from bulkhead.report.text import clean, one_line, place, resource_name, said

if TYPE_CHECKING:
    from jinja2 import Template

LIMIT = 5000
"""Findings told one by one; a browser shows no page of a hundred megabytes. The page says how many it leaves out."""


class _Group(msgspec.Struct, frozen=True):
    control: str
    title: str
    severity: Severity
    detail: Control | None
    findings: list[Finding]


def render(report: Report) -> str:
    """The whole page."""
    return _template().render(_context(report))


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("bulkhead.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "place": place,
        "resource": resource_name,
        "said": said,
        "line": one_line,
        "clean": clean,
        "practice": practices.name,
    }
    return environment.get_template("report.html.j2")


def _context(report: Report) -> dict[str, Any]:
    findings = active(report.findings)
    told = findings[:LIMIT]
    groups = _groups(report, told)
    return {
        "report": report,
        "grade": _grade(report.score),
        "severities": by_severity(findings),
        "outcomes": by_outcome(findings),
        "n_findings": len(findings),
        "n_left_out": len(findings) - len(told),
        "namespaces": _by_namespace(findings),
        "practices": _by_practice(report, findings),
        "groups": groups,
        "diff_owners": diff_owners((finding for group in groups for finding in group.findings), report.fixes),
        "waived": waived(report.findings),
        "diff_lines": diff_lines,
        "trend": _trend((*report.trend, _now(report, findings))) if report.trend else None,
        "Outcome": Outcome,
    }


def _grade(score: float) -> str:
    return "good" if score >= 90 else "fair" if score >= 70 else "poor"


def _by_namespace(findings: Iterable[Finding]) -> list[tuple[str, dict[Severity, int], int]]:
    spaces: dict[str, list[Finding]] = {}
    for finding in findings:
        spaces.setdefault(finding.resource.namespace, []).append(finding)
    rows = [(space, by_severity(group), len(group)) for space, group in spaces.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def _by_practice(report: Report, findings: Iterable[Finding]) -> list[tuple[str, int, int, int]]:
    """Practice, findings, passes and judged, in the practices' order."""
    counts = Counter(
        practice
        for finding in findings
        if (control := report.controls.get(finding.control))
        for practice in control.practices
    )
    passed: Counter[str] = Counter()
    judged: Counter[str] = Counter()
    for control_id, tally in report.tallies.items():
        control = report.controls.get(control_id)
        for practice in control.practices if control else ():
            passed[practice] += tally.get(Outcome.PASS, 0)
            judged[practice] += sum(tally.get(outcome, 0) for outcome in ("pass", "fail", "warn", "error"))
    names = sorted({*counts, *judged}, key=practices.rank)
    return [(practice, counts[practice], passed[practice], judged[practice]) for practice in names]


def _groups(report: Report, findings: Iterable[Finding]) -> list[_Group]:
    groups: dict[tuple[str, Severity], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.control, finding.severity), []).append(finding)
    out = [
        _Group(control, said(group[0].title), severity, report.controls.get(control), group)
        for (control, severity), group in groups.items()
    ]
    return sorted(out, key=lambda group: (-group.severity.rank, group.control))


def diff_lines(fix: Fix) -> list[tuple[str, str]]:
    """Each line of the diff with its class: added, removed, hunk or context."""
    out = []
    for line in mask_source(clean(fix.diff)).splitlines():
        kind = {"+": "added", "-": "removed", "@": "hunk"}.get(line[:1], "context")
        out.append(("context" if line.startswith(("+++", "---")) else kind, line))
    return out


def _now(report: Report, findings: Iterable[Finding]) -> TrendPoint:
    counts = {str(severity): count for severity, count in by_severity(findings).items() if count}
    return TrendPoint(date=report.finished, score=report.score, open=counts)


def _trend(points: tuple[TrendPoint, ...]) -> dict[str, Any]:
    """A polyline in a box of 300 by 60, oldest left."""
    points = points[-60:]
    step = 300 / max(len(points) - 1, 1)
    coordinates = [(round(at * step, 1), round(58 - point.score * 0.56, 1)) for at, point in enumerate(points)]
    return {
        "points": points,
        "line": " ".join(f"{x},{y}" for x, y in coordinates),
        "last": coordinates[-1],
        "change": points[-1].score - points[-2].score,
    }
