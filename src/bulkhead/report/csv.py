"""Comma-separated values (RFC 4180) for spreadsheets, with cells that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io

from bulkhead.core.finding import Finding
from bulkhead.report.model import Report
from bulkhead.report.text import clean, said

COLUMNS = (
    "fingerprint",
    "control",
    "severity",
    "outcome",
    "title",
    "message",
    "evidence",
    "source",
    "kind",
    "namespace",
    "name",
    "element",
    "file",
    "line",
    "waiver",
    "waiver_owner",
    "waiver_expires",
    "practices",
)
# OWASP, "CSV Injection"; the wide forms are what some locales' input methods write.
_FORMULA = tuple("=+-@\t\r\n|%＝＋－＠")


def render(report: Report) -> str:
    """A header line, then a line per finding; gaps follow as lines whose control is ``gap``."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for finding in report.findings:
        writer.writerow([guarded(cell) for cell in _row(finding, report)])
    for gap in report.gaps:
        cells = dict.fromkeys(COLUMNS, "") | {
            "control": "gap",
            "outcome": "error",
            "title": gap.code,
            "message": said(gap.reason),
            "evidence": said(gap.hint),
            "kind": " ".join(gap.hides),
            "file": gap.where,
            "line": str(gap.line or ""),
        }
        writer.writerow([guarded(cell) for cell in cells.values()])
    return out.getvalue()


def _row(finding: Finding, report: Report) -> tuple[str, ...]:
    ref, where, waiver = finding.resource, finding.where, finding.waiver
    control = report.controls.get(finding.control)
    return (
        finding.fingerprint,
        finding.control,
        finding.severity,
        finding.outcome,
        said(finding.title),
        said(finding.message),
        said(finding.evidence),
        ref.source,
        ref.kind,
        ref.namespace,
        ref.name,
        finding.element,
        where.file or ref.origin,
        str(where.line or ""),
        said(waiver.reason) if waiver else "",
        said(waiver.owner) if waiver else "",
        waiver.expires if waiver else "",
        " ".join(control.practices) if control else "",
    )


def guarded(cell: str) -> str:
    """The cell with an apostrophe in front where a spreadsheet would calculate it."""
    cell = clean(cell)
    return f"'{cell}" if cell.lstrip(" \u00a0\u3000").startswith(_FORMULA) or cell.startswith("\ufffd") else cell
