"""JUnit XML, as CI servers read it: a suite per control, a case per resource element.

A failure is ``failure``, an error outcome and a gap are ``error``, a waived finding or a manual answer is ``skipped``.
What passed is counted from the tallies: one passing case per control says how many.
"""

from __future__ import annotations

from datetime import datetime
from html import escape

from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.report.model import Report
from bulkhead.report.text import clean, one_line, place, resource_name, said

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def render(report: Report) -> str:
    suites: dict[str, list[Finding]] = {control: [] for control in sorted(report.tallies)}
    for finding in report.findings:
        suites.setdefault(finding.control, []).append(finding)
    blocks = [_suite(report, control, findings) for control, findings in suites.items()]
    if report.gaps:
        blocks.append(_gaps(report))
    totals = [sum(numbers) for numbers in zip(*(counts for counts, _ in blocks), strict=True)] or [0, 0, 0, 0]
    attributes = _counts(totals[0], totals[1], totals[2], totals[3])
    seconds = _seconds(report)
    body = "".join(text for _, text in blocks)
    return f'{_HEAD}<testsuites name="bulkhead" {attributes} time="{seconds:.3f}">\n{body}</testsuites>\n'


def _counts(tests: int, failures: int, errors: int, skipped: int) -> str:
    return f'tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}"'


def _suite(report: Report, control: str, findings: list[Finding]) -> tuple[tuple[int, int, int, int], str]:
    cases, failures, errors, skipped = [], 0, 0, 0
    for finding in findings:
        element, kind = _verdict(finding)
        failures += kind == "failure"
        errors += kind == "error"
        skipped += kind == "skipped"
        name = resource_name(finding.resource) + (f" {one_line(finding.element)}" if finding.element else "")
        file = f' file="{_attribute(finding.where.file)}"' if finding.where.file else ""
        line = f' line="{finding.where.line}"' if file and finding.where.line else ""
        case = f'classname="{_attribute(control)}" name="{_attribute(name)}"{file}{line}'
        cases.append(f"  <testcase {case}>{element}</testcase>\n" if element else f"  <testcase {case}/>\n")
    shown = sum(1 for finding in findings if finding.outcome is Outcome.PASS)
    if passed := report.tallies.get(control, {}).get(Outcome.PASS, 0) - shown:
        cases.append(f'  <testcase classname="{_attribute(control)}" name="{passed} passed"/>\n')
    counts = (len(cases), failures, errors, skipped)
    head = f'name="{_attribute(control)}" {_counts(*counts)}'
    return counts, f" <testsuite {head}>\n{''.join(cases)} </testsuite>\n" if cases else f" <testsuite {head}/>\n"


def _verdict(finding: Finding) -> tuple[str, str]:
    message = _attribute(one_line(finding.message or finding.title))
    detail = _text(_detail(finding))
    if finding.waiver:
        reason = _attribute(one_line(f"waived: {finding.waiver.reason}"))
        return f'<skipped message="{reason}"/>', "skipped"
    if finding.outcome in {Outcome.FAIL, Outcome.WARN}:
        return f'<failure type="{finding.severity}" message="{message}">{detail}</failure>', "failure"
    if finding.outcome is Outcome.ERROR:
        return f'<error type="error" message="{message}">{detail}</error>', "error"
    if finding.outcome in {Outcome.MANUAL, Outcome.SKIP}:
        return f'<skipped message="{finding.outcome}: {message}"/>', "skipped"
    return "", ""


def _detail(finding: Finding) -> str:
    lines = [f"{finding.title} ({finding.severity})", place(finding)]
    if finding.evidence:
        lines.append(f"seen: {finding.evidence}")
    lines.append(f"fingerprint: {finding.fingerprint}")
    return "\n".join(said(line) for line in lines if line)


def _gaps(report: Report) -> tuple[tuple[int, int, int, int], str]:
    cases = "".join(
        f'  <testcase classname="gaps" name="{_attribute(one_line(gap.where) or "-")}">'
        f'<error type="{_attribute(gap.code)}" message="{_attribute(one_line(gap.reason))}">'
        f"{_text(said(gap.hint))}</error></testcase>\n"
        for gap in report.gaps
    )
    counts = (len(report.gaps), 0, len(report.gaps), 0)
    return counts, f' <testsuite name="gaps" {_counts(*counts)}>\n{cases} </testsuite>\n'


def _seconds(report: Report) -> float:
    if not report.started or not report.finished:
        return 0.0
    span = datetime.fromisoformat(report.finished) - datetime.fromisoformat(report.started)
    return max(span.total_seconds(), 0.0)


def _attribute(text: str) -> str:
    # XML 1.0 3.3.3 turns a bare line end in an attribute into a space; one_line has done so already for prose.
    return escape(clean(text), quote=True).replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")


def _text(text: str) -> str:
    return escape(text, quote=False).replace("\r", "&#13;")
