"""Markdown (CommonMark with GitHub's tables), for a pull request's comment or a wiki."""

from __future__ import annotations

import re

from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.report.mask import mask_source
from bulkhead.report.model import Fix, Report
from bulkhead.report.order import active, by_outcome, by_severity, diff_owners, waived
from bulkhead.report.text import clean, cut, one_line, place, resource_name

LIMIT = 500
"""Findings told in full; GitHub refuses a comment over 65,536 characters, and a person stops long before."""

# CommonMark 2.4: any ASCII punctuation may be escaped. These are the ones that begin a construct, an HTML tag, a table
# cell, or GitHub's own mentions and references.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#|!~&@$])")
_TICKS = re.compile(r"`+")


def render(report: Report) -> str:
    findings = active(report.findings)
    parts = [*_head(report, findings), *_gaps(report), *_table(findings)]
    told = findings[:LIMIT]
    if told:
        parts += ["", "## Findings", ""]
        owners = diff_owners(told, report.fixes)
        for finding in told:
            parts += _finding(finding, report, owners)
    if len(findings) > len(told):
        parts += ["", f"{len(findings) - len(told)} more findings are not shown here; the JSON report has them all."]
    parts += _waivers(report)
    parts += [f"\n> {escaped(note)}" for note in report.notes]
    return "\n".join(parts).rstrip() + "\n"


def escaped(text: str) -> str:
    """One line of prose in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", one_line(text)).replace("://", "&#58;//").replace("www.", "www&#46;")


def _code(text: str) -> str:
    """A code span that no backtick in the text can end (CommonMark 6.1), safe in a table's cell."""
    text = one_line(text).replace("|", "¦") or " "
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _fenced(text: str, language: str) -> list[str]:
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return [f"{fence}{language}", text.rstrip("\n"), fence]


def _head(report: Report, findings: list[Finding]) -> list[str]:
    counts = ", ".join(f"{count} {severity}" for severity, count in by_severity(findings).items() if count)
    outcomes = by_outcome(findings)
    verdict = (
        f"**Score {report.score:.1f} of 100.** {counts or 'No failures'}"
        f"; {outcomes[Outcome.ERROR]} could not be judged, {outcomes[Outcome.MANUAL]} for a person to check."
    )
    about = (
        f"{report.resources} resources in {_code(report.root)}, profile {_code(report.profile)}, "
        f"tenant {_code(report.tenant)}, finished {escaped(report.finished)}, Bulkhead {escaped(report.tool_version)}."
    )
    lines = ["# Bulkhead report", "", verdict, "", about]
    if report.trend:
        last = report.trend[-1]
        lines += ["", f"Score on {escaped(last.date)}: {last.score:.1f}."]
    return lines


def _gaps(report: Report) -> list[str]:
    if not report.gaps:
        return []
    lines = ["", f"## Not readable: {len(report.gaps)}", "", "What stands here is unknown, not absent.", ""]
    lines += [
        f"- {_code(gap.where)}{f' line {gap.line}' if gap.line else ''}: {escaped(gap.reason)}"
        + (f" ({escaped(gap.hint)})" if gap.hint else "")
        for gap in report.gaps[:LIMIT]
    ]
    if len(report.gaps) > LIMIT:
        lines.append(f"- and {len(report.gaps) - LIMIT} more")
    return lines


def _table(findings: list[Finding]) -> list[str]:
    if not findings:
        return []
    controls: dict[str, list[Finding]] = {}
    for finding in findings:
        controls.setdefault(finding.control, []).append(finding)
    rows = [
        f"| {group[0].severity} | {_code(control)} | {escaped(group[0].title)} | {len(group)} |"
        for control, group in controls.items()
    ]
    return ["", "| Severity | Control | Good condition | Findings |", "|---|---|---|---:|", *rows]


def _finding(finding: Finding, report: Report, owners: dict[str, str]) -> list[str]:
    control = report.controls.get(finding.control)
    lines = [
        f"### {escaped(cut(finding.message or finding.title, 160))}",
        "",
        f"- {finding.outcome}, {finding.severity}, {_code(finding.control)}",
        f"- {_code(resource_name(finding.resource))}"
        + (f" at {_code(finding.element)}" if finding.element else "")
        + (f" in {_code(place(finding))}" if place(finding) else ""),
    ]
    if finding.evidence:
        lines.append(f"- seen: {_code(cut(finding.evidence, 300))}")
    if control:
        lines += ["", escaped(control.rationale), "", f"**Fix.** {escaped(control.fix)}"]
    for fix in report.fixes.get(finding.fingerprint, ()):
        lines += _fix(fix, shown=owners[fix.diff] == finding.fingerprint)
    return [*lines, ""]


def _fix(fix: Fix, *, shown: bool) -> list[str]:
    lines = ["", escaped(fix.description)]
    if fix.diff and not shown:
        return [*lines, "", "The same change as above."]
    return [*lines, "", *_fenced(mask_source(clean(fix.diff)), "diff")] if fix.diff else lines


def _waivers(report: Report) -> list[str]:
    found = waived(report.findings)
    if not found:
        return []
    rows = [
        f"| {_code(finding.control)} | {_code(resource_name(finding.resource))} | {escaped(finding.waiver.reason)} "
        f"| {escaped(finding.waiver.owner)} | {escaped(finding.waiver.expires)} |"
        for finding in found[:LIMIT]
        if finding.waiver
    ]
    head = [
        "",
        f"## Exceptions: {len(found)}",
        "",
        "| Control | Resource | Reason | Owner | Until |",
        "|---|---|---|---|---|",
    ]
    return head + rows
