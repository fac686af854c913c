"""An analysis for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bulkhead.catalogue.index import Catalogue
from bulkhead.core.resource import Gap
from bulkhead.posture.attack.model import Analysis, Edge, Fix


def _control(fix: Fix, catalogue: Catalogue) -> str:
    """The catalogue's id of the control that asks for the fix."""
    found = catalogue.by_alias.get(fix.control, ())
    return found[0].id if found else fix.control


def text(analysis: Analysis, catalogue: Catalogue, gaps: Sequence[Gap]) -> str:
    lines = []
    for number, path in enumerate(analysis.paths, 1):
        lines.append(f"path {number}: to {path[-1].target.kind} {path[-1].target.name}")
        lines += [f"  {step}" for step in map(_step, path)]
    if not analysis.paths:
        lines.append("no path from the entry to a node or to cluster admin was found")
    if analysis.cut:
        least = "the fewest fixes that cut" if analysis.exact else "fixes that cut"
        lines += ["", f"{least} every path that can be cut ({len(analysis.cut)}):"]
        lines += [f"  {_control(fix, catalogue)} on {fix.resource}" for fix in analysis.cut]
    for path in analysis.uncut:
        lines.append(
            f"cannot be cut by a control: {' '.join(edge.technique for edge in path)} to {path[-1].target.kind}"
        )
    if gaps:
        lines += ["", f"{len(gaps)} things could not be read, so there may be more paths:"]
        lines += [f"  {gap.where}: {gap.reason}" for gap in gaps[:20]]
    return "\n".join(lines) + "\n"


def _step(edge: Edge) -> str:
    return f"{edge.technique:<22} {edge.source.kind} {edge.source.name} → {edge.target.kind} {edge.target.name}: {edge.because}"


def summary(analysis: Analysis, catalogue: Catalogue, gaps: Sequence[Gap]) -> dict[str, Any]:
    def edge(item: Edge) -> dict[str, Any]:
        fixes = [{"control": _control(fix, catalogue), "resource": fix.resource} for fix in item.fixes]
        return {
            "technique": item.technique,
            "from": list(item.source),
            "to": list(item.target),
            "because": item.because,
            "fixes": fixes,
        }

    return {
        "paths": [[edge(item) for item in path] for path in analysis.paths],
        "cut": [{"control": _control(fix, catalogue), "resource": fix.resource} for fix in analysis.cut],
        "exact": analysis.exact,
        "uncut": [[edge(item) for item in path] for path in analysis.uncut],
        "gaps": [{"where": gap.where, "reason": gap.reason} for gap in gaps],
    }
