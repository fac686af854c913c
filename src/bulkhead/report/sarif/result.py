"""A finding as a result (3.27), with its suppression (3.35) and its fixes (3.55)."""

from __future__ import annotations

from typing import Any

from bulkhead.core.finding import Finding, Waiver
from bulkhead.core.outcome import Outcome
from bulkhead.report.mask import mask_source
from bulkhead.report.model import Fix
from bulkhead.report.sarif.location import artifact, region, replaced
from bulkhead.report.sarif.rule import LEVEL, Rules
from bulkhead.report.text import clean, resource_name, said

# 3.27.9: open is "cannot be determined with what is known", review is "a person must look".
_KIND = {
    Outcome.PASS: "pass",
    Outcome.FAIL: "fail",
    Outcome.WARN: "fail",
    Outcome.ERROR: "open",
    Outcome.SKIP: "notApplicable",
    Outcome.MANUAL: "review",
}


def result(finding: Finding, rules: Rules, fixes: tuple[Fix, ...]) -> dict[str, Any]:
    kind = _KIND[finding.outcome]
    out: dict[str, Any] = {
        "ruleId": finding.control,
        "ruleIndex": rules.index[finding.control],
        "kind": kind,
        # 3.27.10: a level other than none belongs to kind fail only.
        "level": _level(finding) if kind == "fail" else "none",
        "message": {"text": _message(finding)},
        "partialFingerprints": {"bulkheadFingerprint/v1": finding.fingerprint},
        "properties": {
            "outcome": finding.outcome,
            "severity": finding.severity,
            "revision": finding.revision,
        },
    }
    if finding.evidence:
        out["properties"]["evidence"] = said(finding.evidence)
    if locations := _locations(finding):
        out["locations"] = locations
    if finding.waiver:
        out["suppressions"] = [_suppression(finding, finding.waiver)]
    if repairs := [done for fix in fixes if (done := _fix(fix))]:
        out["fixes"] = repairs
    return out


def _level(finding: Finding) -> str:
    return "warning" if finding.outcome is Outcome.WARN else LEVEL[finding.severity]


def _message(finding: Finding) -> str:
    text = said(finding.message or finding.title)
    return f"{resource_name(finding.resource)}: {text}"


def _locations(finding: Finding) -> list[dict[str, Any]]:
    ref, where = finding.resource, finding.where
    out: dict[str, Any] = {}
    if path := where.file or (ref.origin if ref.source == "file" else ""):
        physical: dict[str, Any] = {"artifactLocation": artifact(path)}
        if where.line:
            physical["region"] = region(line=where.line, column=where.column, end_line=where.end_line)
        out["physicalLocation"] = physical
    element = where.path or finding.element
    name = resource_name(ref) + (f" {clean(element)}" if element else "")
    out["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "object"}]
    return [out]


def _suppression(finding: Finding, waiver: Waiver) -> dict[str, Any]:
    parts = [said(waiver.reason) or "no reason given"]
    parts += [f"owner: {said(waiver.owner)}"] if waiver.owner else []
    parts += [f"until: {clean(waiver.expires)}"] if waiver.expires else []
    in_source = bool(finding.where.file) and waiver.origin.startswith(finding.where.file)
    words = waiver.origin.lower()
    in_source = in_source or "comment" in words or "annotation" in words
    return {
        "kind": "inSource" if in_source else "external",
        "status": "accepted",
        "justification": "; ".join(parts),
        "properties": {"origin": clean(waiver.origin)},
    }


def _fix(fix: Fix) -> dict[str, Any] | None:
    """The fix as replacements; nothing where it has none or its text would carry a secret."""
    if not fix.changes or any(mask_source(change.inserted_text) != change.inserted_text for change in fix.changes):
        return None
    by_path: dict[str, list[dict[str, Any]]] = {}
    for change in fix.changes:
        replacement: dict[str, Any] = {"deletedRegion": replaced(change)}
        if change.inserted_text:
            replacement["insertedContent"] = {"text": change.inserted_text}
        by_path.setdefault(change.path, []).append(replacement)
    return {
        "description": {"text": said(fix.description) or "repair"},
        "artifactChanges": [
            {"artifactLocation": artifact(path), "replacements": replacements} for path, replacements in by_path.items()
        ],
    }
