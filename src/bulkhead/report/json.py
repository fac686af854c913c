"""Our own JSON: one object with everything a program may want to know of a run. Described in docs/report-json.md.

Additions keep ``version``; a change of meaning or a removal raises it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bulkhead.core.control import Control
from bulkhead.core.finding import Finding, Waiver
from bulkhead.core.resource import Gap
from bulkhead.report.mask import mask_source
from bulkhead.report.model import Fix, Report
from bulkhead.report.order import active, by_outcome, by_severity, waived, worst_first
from bulkhead.report.text import clean, said

FORMAT = "bulkhead-report"
VERSION = 1

_encoder = msgspec.json.Encoder(order="sorted")
# Field by field in this order, because a person reads it too.
_line_encoder = msgspec.json.Encoder()


def render(report: Report) -> bytes:
    """The report as UTF-8 JSON, one finding per line, ending with a line end."""
    head = msgspec.json.encode(_summary(report))
    controls = _encoder.encode({name: _control(control) for name, control in sorted(report.controls.items())})
    gaps = b",\n".join(_line_encoder.encode(_gap(gap)) for gap in report.gaps)
    fixes = report.fixes
    findings = b",\n".join([_line_encoder.encode(_finding(finding, fixes)) for finding in worst_first(report.findings)])
    return b"".join(
        (
            head[:-1],
            b',\n"findings":[\n' if findings else b',\n"findings":[',
            findings,
            b'],\n"gaps":[',
            gaps,
            b'],\n"controls":',
            controls,
            b"}\n",
        )
    )


def _summary(report: Report) -> dict[str, Any]:
    open_findings = active(report.findings)
    return {
        "format": FORMAT,
        "version": VERSION,
        "tool": {"name": "bulkhead", "version": report.tool_version},
        "tenant": clean(report.tenant),
        "root": clean(report.root),
        "profile": clean(report.profile),
        "started": report.started,
        "finished": report.finished,
        "score": report.score,
        "resources": report.resources,
        "complete": not report.gaps,
        "summary": {
            "severity": by_severity(open_findings),
            "outcome": by_outcome(open_findings),
            "waived": len(waived(report.findings)),
            "gaps": len(report.gaps),
        },
        "tallies": {name: dict(sorted(counts.items())) for name, counts in sorted(report.tallies.items())},
        "trend": report.trend,
        "notes": [said(note) for note in report.notes],
    }


def _finding(finding: Finding, fixes: Mapping[str, tuple[Fix, ...]]) -> dict[str, Any]:
    ref, where = finding.resource, finding.where
    names = (ref.kind, ref.group, ref.namespace, ref.name, ref.origin, ref.uid, finding.element, where.file, where.path)
    # One look at all nine: nearly every finding has nothing to clean.
    joined = "".join(names)
    if not (joined.isascii() and joined.isprintable()):
        names = tuple(map(clean, names))  # type: ignore[assignment]
    kind, group, namespace, name, origin, uid, element, file, path = names
    out: dict[str, Any] = {
        "fingerprint": finding.fingerprint,
        "control": finding.control,
        "revision": finding.revision,
        "outcome": finding.outcome,
        "severity": finding.severity,
        "title": said(finding.title),
        "message": said(finding.message),
        "resource": {
            "source": ref.source,
            "kind": kind,
            "group": group,
            "namespace": namespace,
            "name": name,
            "origin": origin,
            "uid": uid,
        },
        "element": element,
        "where": {
            "file": file,
            "line": where.line,
            "column": where.column,
            "end_line": where.end_line,
            "path": path,
        },
        "evidence": said(finding.evidence),
        "waiver": _waiver(finding.waiver) if finding.waiver else None,
    }
    if repairs := fixes.get(finding.fingerprint):
        out["fixes"] = [_fix(fix) for fix in repairs]
    return out


def _waiver(waiver: Waiver) -> dict[str, str]:
    return {
        "reason": said(waiver.reason),
        "owner": said(waiver.owner),
        "expires": clean(waiver.expires),
        "origin": clean(waiver.origin),
    }


def _fix(fix: Fix) -> dict[str, Any]:
    # The exact text of a change may hold a secret; the masked diff shows what it does, SARIF carries what is safe.
    return {"description": said(fix.description), "diff": mask_source(clean(fix.diff))}


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "where": clean(gap.where),
        "line": gap.line,
        "code": gap.code,
        "reason": said(gap.reason),
        "hint": said(gap.hint),
        "hides": [clean(kind) for kind in gap.hides],
    }


def _control(control: Control) -> dict[str, Any]:
    return {
        "revision": control.revision,
        "title": control.title,
        "severity": control.severity,
        "class": control.mode,
        "rationale": control.rationale,
        "attack": control.attack,
        "fix": control.fix,
        "practices": control.practices,
        "aliases": control.aliases,
        "maps_to": control.maps_to,
        "references": control.references,
    }
