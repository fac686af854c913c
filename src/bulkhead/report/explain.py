"""A control for a person: why it matters, how it is attacked, how it is repaired."""

from __future__ import annotations

import textwrap

from bulkhead.core.control import Control

_WIDTH = 100


def text(control: Control) -> str:
    lines = [f"{control.id} (revision {control.revision})", f"  {control.title}", ""]
    lines += [
        f"severity {control.severity}, repair {control.mode}, practices {', '.join(control.practices) or 'none'}",
        "",
    ]
    for head, body in (
        ("Why it matters", control.rationale),
        ("How it is attacked", control.attack),
        ("How to fix it", control.fix),
        ("What to do", control.instructions),
    ):
        if body:
            lines += [head, *textwrap.wrap(body, _WIDTH, initial_indent="  ", subsequent_indent="  "), ""]
    for check in control.checks:
        kinds = ", ".join(check.applies_to or control.applies_to)
        lines += [f"Judged on {kinds}", f"  passes when: {check.expression.strip()}", ""]
    for mitigation in control.mitigation:
        lines.append(f"Repair {mitigation.id} ({mitigation.mode or control.mode}, risk {mitigation.risk})")
        lines += [
            f"  {item.op} {item.path} {item.value if item.value is not None else item.value_from}".rstrip()
            for item in mitigation.patch
        ]
        lines += textwrap.wrap(mitigation.proposal, _WIDTH, initial_indent="  ", subsequent_indent="  ")
        lines.append("")
    if control.parameters:
        lines += [
            "Parameters",
            *(f"  {name} = {item.default}: {item.description}" for name, item in control.parameters.items()),
            "",
        ]
    lines += ["Maps to", *(f"  {name}: {', '.join(values)}" for name, values in control.maps_to.items()), ""]
    lines += textwrap.wrap("Also called: " + ", ".join(control.aliases), _WIDTH, subsequent_indent="  ")
    lines += [f"See {reference}" for reference in control.references]
    return "\n".join(lines) + "\n"
