"""The log, its one run and its invocation. What could not be read is a notification and an unsuccessful execution."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from bulkhead.core.resource import Gap
from bulkhead.report.model import Report
from bulkhead.report.sarif.location import artifact, region
from bulkhead.report.sarif.result import result
from bulkhead.report.sarif.rule import Rules
from bulkhead.report.text import clean, said

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render(report: Report) -> bytes:
    """One SARIF log with one run, as UTF-8 JSON ending with a line end."""
    return msgspec.json.encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]}) + b"\n"


def _run(report: Report) -> dict[str, Any]:
    rules = Rules(report)
    run: dict[str, Any] = {
        "tool": {"driver": rules.driver()},
        "taxonomies": rules.taxonomies(),
        "automationDetails": {"id": f"bulkhead/{clean(report.tenant)}/{clean(report.profile)}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [result(finding, rules, report.fixes.get(finding.fingerprint, ())) for finding in report.findings],
        "properties": {"score": report.score, "resources": report.resources, "tenant": clean(report.tenant)},
    }
    if report.root.startswith("/"):
        # 3.14.14: a base URI shall end with a slash.
        run["originalUriBaseIds"] = {"ROOT": {"uri": "file://" + artifact(report.root.rstrip("/"))["uri"] + "/"}}
    return run


def _invocation(report: Report) -> dict[str, Any]:
    out: dict[str, Any] = {
        "executionSuccessful": not report.gaps,
        "toolExecutionNotifications": [_notification(gap) for gap in report.gaps]
        + [{"level": "note", "message": {"text": said(note) or "-"}} for note in report.notes],
    }
    for key, instant in (("startTimeUtc", report.started), ("endTimeUtc", report.finished)):
        if instant:
            out[key] = _utc(instant)
    return out


def _notification(gap: Gap) -> dict[str, Any]:
    text = said(f"{gap.where}: {gap.reason}" + (f" ({gap.hint})" if gap.hint else ""))
    out: dict[str, Any] = {
        "descriptor": {"id": gap.code or "gap"},
        "level": "error",
        "message": {"text": text or "not readable"},
        "properties": {"hides": [clean(kind) for kind in gap.hides]},
    }
    if gap.where:
        location: dict[str, Any] = {"artifactLocation": artifact(gap.where)}
        if gap.line:
            location["region"] = region(line=gap.line)
        out["locations"] = [{"physicalLocation": location}]
    return out


def _utc(instant: str) -> str:
    # 3.9: UTC, with a Z and no offset.
    return datetime.fromisoformat(instant).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
