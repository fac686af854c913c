"""The table for a person at a terminal, with colour, through rich, which is imported only here."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.report.model import Report
from bulkhead.report.order import active
from bulkhead.report.table import summary
from bulkhead.report.text import one_line, place, resource_name

if TYPE_CHECKING:
    from rich.console import Console

_STYLE = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "dim",
}


def render(report: Report, *, width: int = 100, colour: bool = True, limit: int = 200) -> str:
    """The worst findings, control by control, as text with escape sequences.

    Args:
        report: what to tell.
        width: columns of the terminal.
        colour: without it the text has no escape sequence at all.
        limit: findings told one by one; how many are left out is said.
    """
    from rich.console import Console
    from rich.text import Text

    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, 40),
        force_terminal=colour,
        color_system="256" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    findings = active(report.findings)
    groups: dict[tuple[str, Outcome], list[Finding]] = {}
    for finding in findings[:limit]:
        groups.setdefault((finding.control, finding.outcome), []).append(finding)
    for group in groups.values():
        _group(console, report, group)
    if len(findings) > limit:
        console.print(Text(f"{len(findings) - limit} more findings are not shown; --format json has them all", "dim"))
        console.print()
    for gap in report.gaps:
        hint = f" ({one_line(gap.hint)})" if gap.hint else ""
        line = f":{gap.line}" if gap.line else ""
        text = Text.assemble(("NOT READABLE ", "bold magenta"), f"{one_line(gap.where)}{line}: ", one_line(gap.reason))
        console.print(text.append(hint, "dim"))
    for note in report.notes:
        console.print(Text(one_line(note), "dim"))
    console.print(Text(summary(report), "bold"))
    return out.getvalue()


def _group(console: Console, report: Report, group: list[Finding]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    first = group[0]
    verdict = "" if first.outcome is Outcome.FAIL else f" {first.outcome}"
    console.print(
        Text.assemble(
            (f" {first.severity}{verdict} ", _STYLE[first.severity]),
            (f" {one_line(first.title)} ", "bold"),
            (first.control, "dim"),
        )
    )
    for finding in group:
        head = Text.assemble((place(finding) or resource_name(finding.resource), "underline"), " ")
        head.append(one_line(finding.message or finding.title))
        if finding.evidence:
            head.append(f"  seen: {one_line(finding.evidence)}", "dim")
        if report.fixes.get(finding.fingerprint):
            head.append("  fix ready", "green")
        console.print(Padding(head, (0, 0, 0, 2)))
    console.print()
