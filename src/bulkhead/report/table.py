"""Plain text for pipes and narrow places: no colour, no control character, a line per finding."""

from __future__ import annotations

import unicodedata

from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.report.model import Report
from bulkhead.report.order import active, by_outcome, by_severity, waived
from bulkhead.report.text import one_line, place, resource_name

_NARROW = 140
_HEADS: tuple[str, ...] = ("SEVERITY", "OUTCOME", "CONTROL", "RESOURCE", "WHERE", "MESSAGE")
_MOST = (8, 7, 40, 44, 48)


def render(report: Report, *, width: int = 0) -> str:
    """Columns aligned by what they hold; with a width, lines are cut to it with an ellipsis."""
    findings = active(report.findings)
    lines = _table(findings, width) if findings else []
    if report.gaps:
        lines += ["", fitted(f"NOT READABLE ({len(report.gaps)}), unknown and not absent:", width)]
        for gap in report.gaps:
            hint = f" ({gap.hint})" if gap.hint else ""
            line = f":{gap.line}" if gap.line else ""
            lines.append(fitted(f"  {one_line(gap.where)}{line}: {one_line(gap.reason + hint)}", width))
    lines += ["", *(fitted(one_line(note), width) for note in report.notes)] if report.notes else []
    lines += ["", summary(report)] if lines else [summary(report)]
    return "\n".join(lines) + "\n"


def summary(report: Report) -> str:
    """The last line: what there is to do, in one sentence."""
    findings = active(report.findings)
    counts = ", ".join(f"{count} {severity}" for severity, count in by_severity(findings).items() if count)
    outcomes = by_outcome(findings)
    parts = [counts or "no failures"]
    parts += [f"{outcomes[Outcome.ERROR]} not judged"] if outcomes[Outcome.ERROR] else []
    parts += [f"{outcomes[Outcome.MANUAL]} manual"] if outcomes[Outcome.MANUAL] else []
    parts += [f"{len(waived(report.findings))} waived"] if waived(report.findings) else []
    parts += [f"{len(report.gaps)} not readable"] if report.gaps else []
    return f"{report.resources} resources, score {report.score:.1f}: {'; '.join(parts)}"


def _table(findings: list[Finding], width: int) -> list[str]:
    narrow = 0 < width < _NARROW
    rows = [_HEADS, *(_cells(finding) for finding in findings)]
    most: tuple[int, ...] = _MOST
    if narrow:
        # What is wrong and where tells more than the resource's name, which the message mostly repeats.
        rows = [_narrowed(row) for row in rows]
        most = (8, 7, 26, 28)
    widths = [min(max(columns(row[at]) for row in rows), limit) for at, limit in enumerate(most)]
    return [
        fitted("  ".join([*(padded(row[at], widths[at]) for at in range(len(most))), row[-1]]).rstrip(), width)
        for row in rows
    ]


def _narrowed(row: tuple[str, ...]) -> tuple[str, ...]:
    severity, outcome, control, resource, where, message = row
    return severity, outcome, control, where or resource, message


def _cells(finding: Finding) -> tuple[str, ...]:
    return (
        finding.severity,
        finding.outcome,
        finding.control,
        resource_name(finding.resource) + (f" {one_line(finding.element)}" if finding.element else ""),
        place(finding),
        one_line(finding.message or finding.title),
    )


def columns(text: str) -> int:
    """How many columns a terminal gives the text (Unicode TR 11: wide and full-width take two, marks none)."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def fitted(text: str, width: int) -> str:
    """The text cut to so many columns; whole when the width is 0."""
    if not width or columns(text) <= width:
        return text
    used, out = 0, []
    for character in text:
        used += _columns(character)
        if used > width - 1:
            break
        out.append(character)
    return "".join(out) + "…"


def padded(text: str, width: int) -> str:
    """Long cells lose their beginning: the end of a path or a name tells more."""
    if text.isascii():
        return text.ljust(width) if len(text) <= width else "…" + text[len(text) - width + 1 :]
    if columns(text) > width:
        text = "…" + fitted(text[::-1], width)[-2::-1]
    return text + " " * (width - columns(text))
