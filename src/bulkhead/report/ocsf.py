"""OCSF 1.3.0 Compliance Finding events (class 2003), one JSON object per line.

Gaps are told too, as events of unknown status: a lake that only knows what was read would take silence for health.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.core.resource import Gap, Ref
from bulkhead.report.model import Report
from bulkhead.report.text import clean, said

VERSION = "1.3.0"
_SEVERITY = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
# compliance.status_id: 0 unknown, 1 pass, 2 warning, 3 fail, 99 other.
_COMPLIANCE = {
    Outcome.PASS: (1, "Pass"),
    Outcome.WARN: (2, "Warning"),
    Outcome.FAIL: (3, "Fail"),
    Outcome.ERROR: (0, "Unknown"),
    Outcome.SKIP: (99, "Other"),
    Outcome.MANUAL: (99, "Other"),
}
_encoder = msgspec.json.Encoder()


def render(report: Report) -> bytes:
    """JSON lines; empty when there is nothing to tell."""
    base = _base(report)
    lines = [_encoder.encode(_event(base, finding, report)) for finding in report.findings]
    lines += [_encoder.encode(_gap(base, gap, report)) for gap in report.gaps]
    return b"".join(line + b"\n" for line in lines)


def _base(report: Report) -> dict[str, Any]:
    instant = report.finished or report.started
    return {
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200301,
        "time": int(datetime.fromisoformat(instant).timestamp() * 1000) if instant else 0,
        "metadata": {
            "version": VERSION,
            "tenant_uid": clean(report.tenant),
            "product": {"name": "Bulkhead", "vendor_name": "Bulkhead", "version": report.tool_version},
        },
    }


def _event(base: dict[str, Any], finding: Finding, report: Report) -> dict[str, Any]:
    control = report.controls.get(finding.control)
    severity_id, severity = _SEVERITY[finding.severity]
    status_id, status = _COMPLIANCE[finding.outcome]
    maps_to = control.maps_to if control else {}
    event = base | {
        "severity_id": severity_id,
        "severity": severity,
        "message": said(finding.message or finding.title),
        # 1 new, 3 suppressed
        "status_id": 3 if finding.waiver else 1,
        "status": "Suppressed" if finding.waiver else "New",
        "finding_info": {
            "uid": finding.fingerprint,
            "title": said(finding.title) or finding.control,
            "desc": said(finding.message),
            "types": [finding.control],
        },
        "compliance": {
            "control": finding.control,
            "requirements": [f"{standard} {item}" for standard, items in sorted(maps_to.items()) for item in items],
            "standards": sorted(maps_to),
            "status_id": status_id,
            "status": status,
            "status_detail": finding.outcome,
        },
        "resources": [_resource(finding.resource)],
        "unmapped": _unmapped(finding),
    }
    if control:
        event["remediation"] = {"desc": control.fix, "references": list(control.references)}
    return event


def _resource(ref: Ref) -> dict[str, Any]:
    parts = (ref.source, ref.origin, ref.group, ref.kind, ref.namespace, ref.name, ref.uid)
    out: dict[str, Any] = {
        "uid": "/".join(clean(part) for part in parts if part),
        "name": clean(ref.name or ref.origin),
        "type": clean(ref.kind),
    }
    if ref.namespace:
        out["namespace"] = clean(ref.namespace)
    return out


def _unmapped(finding: Finding) -> dict[str, Any]:
    where = finding.where
    out: dict[str, Any] = {
        "revision": finding.revision,
        "element": clean(finding.element),
        "file": clean(where.file),
        "line": where.line,
        "evidence": said(finding.evidence),
    }
    if finding.waiver:
        out["waiver"] = {
            "reason": said(finding.waiver.reason),
            "owner": said(finding.waiver.owner),
            "expires": clean(finding.waiver.expires),
        }
    return {key: value for key, value in out.items() if value}


def _gap(base: dict[str, Any], gap: Gap, report: Report) -> dict[str, Any]:
    return base | {
        "severity_id": 0,
        "severity": "Unknown",
        "message": said(gap.reason),
        "status_id": 1,
        "status": "New",
        "finding_info": {
            "uid": clean(f"gap:{report.tenant}:{gap.where}:{gap.code}"),
            "title": "Not readable",
            "desc": said(gap.hint),
            "types": ["gap"],
        },
        "compliance": {
            "control": "gap",
            "requirements": [],
            "standards": [],
            "status_id": 0,
            "status": "Unknown",
            "status_detail": clean(gap.code),
        },
        "resources": [{"uid": clean(gap.where), "name": clean(gap.where), "type": clean(",".join(gap.hides))}],
    }
