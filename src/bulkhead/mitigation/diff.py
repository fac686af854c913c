"""A plan as people and reports read it: unified diffs, and what was left."""

from __future__ import annotations

import difflib
import re
from typing import Any

import msgspec

from bulkhead.core.plan import Plan, Step

_LONE = re.compile("[\ud800-\udfff]")
_NEWLINE = "\\ No newline at end of file\n"


def unified(step: Step) -> str:
    """One step as a unified diff that ``git apply`` and ``patch`` read; a live resource's record is shown as indented JSON."""
    live = step.channel != "file"
    before = lines(_indented(step.before) if live else step.before)
    after = lines(_indented(step.change) if live else step.change)
    old = f"a/{step.target}" if step.before is not None else "/dev/null"
    made = difflib.unified_diff(before, after, old, f"b/{step.target}")
    return "".join(line if line.endswith("\n") else line + "\n" + _NEWLINE for line in made)


def _indented(record: bytes | None) -> bytes | None:
    return None if record is None else msgspec.json.format(record, indent=2) + b"\n"


def lines(data: bytes | None) -> list[str]:
    """Split at line feeds only: a form feed or a lone carriage return is a character like any other."""
    text = (data or b"").decode("utf-8", "surrogateescape")
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def text(plan: Plan) -> str:
    """All steps, each under a comment that says what it is for."""
    out = []
    for step in plan.steps:
        out += [
            f"# {repair.control} ({repair.mode}): {' '.join(repair.note.split())}\n" for repair in step.repairs[:40]
        ]
        if len(step.repairs) > 40:
            out.append(f"# and {len(step.repairs) - 40} more\n")
        if step.channel != "file":
            out.append(f"# {step.target}: {step.method}, risk: {step.risk}; undo: {step.undo}\n")
        out.append(unified(step))
    return _LONE.sub("\ufffd", "".join(out))


def unfixed(plan: Plan) -> str:
    """What the plan leaves, by reason."""
    reasons: dict[str, list[str]] = {}
    for item in plan.unfixed:
        reasons.setdefault(f"{item.control}: {item.reason}", []).append(item.where or item.resource)
    lines = []
    for reason, places in sorted(reasons.items()):
        shown = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
        lines.append(f"  left: {reason} [{shown}]")
    return "\n".join(lines)


def summary(plan: Plan) -> dict[str, Any]:
    """JSON-shaped, without the files' bytes."""
    return {
        "plan": plan.id,
        "root": plan.root,
        "steps": [
            {
                "target": step.target, "channel": step.channel, "method": step.method, "risk": step.risk, "wave": step.wave, "created": step.before is None, "diff": unified(step), "undo": step.undo,
                "repairs": [{"control": item.control, "mitigation": item.mitigation, "class": item.mode, "fingerprint": item.fingerprint, "message": item.note} for item in step.repairs],
            }
            for step in plan.steps
        ],
        "unfixed": [{"control": item.control, "resource": item.resource, "where": item.where, "reason": item.reason, "proposal": item.proposal, "fingerprint": item.fingerprint} for item in plan.unfixed],
    }  # fmt: skip
