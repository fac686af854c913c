"""wgpolicyk8s.io/v1alpha2: a PolicyReport for every namespace and a ClusterPolicyReport for what has none.

``manual`` is no word of that API: it becomes ``warn`` with the property ``outcome``. A waived finding becomes ``skip``
with the waiver in its properties. Gaps are results ``error`` of the cluster's report, so that nobody reads their
absence as health. A report holds at most 500 results, because an object over 1.5 MiB does not fit into etcd.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import Any

import msgspec

from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Gap
from bulkhead.report.model import Report
from bulkhead.report.practices import name
from bulkhead.report.text import clean, cut, place, said

PER_REPORT = 500
_RESULTS = ("pass", "fail", "warn", "error", "skip")
_LABEL = re.compile(r"[^a-z0-9\-]+")
_encode = msgspec.json.Encoder().encode


def render(report: Report) -> str:
    """YAML documents, cluster first, then the namespaces in order."""
    when = _instant(report)
    namespaces: dict[str, list[dict[str, Any]]] = {"": [_gap(gap, when) for gap in report.gaps]}
    for finding in report.findings:
        namespaces.setdefault(finding.resource.namespace, []).append(_result(finding, report, when))
    documents = [
        _document(report, namespace, results[start : start + PER_REPORT], start // PER_REPORT)
        for namespace, results in sorted(namespaces.items())
        for start in range(0, len(results) or 1, PER_REPORT)
    ]
    text = "".join("---\n" + "".join(_yaml(document, "")) for document in documents)
    # YAML 1.1 5.4 takes these for line ends even inside quotes; JSON does not escape them.
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _document(report: Report, namespace: str, results: list[dict[str, Any]], part: int) -> dict[str, Any]:
    counts = Counter(result["result"] for result in results)
    suffix = f"-{part + 1}" if part else ""
    metadata: dict[str, Any] = {
        "name": _label(f"bulkhead-{report.tenant}", 50) + suffix,
        "labels": {"app.kubernetes.io/managed-by": "bulkhead"},
        "annotations": {
            "bulkhead/version": report.tool_version,
            "bulkhead/profile": clean(report.profile),
            "bulkhead/score": f"{report.score:.1f}",
        },
    }
    if namespace:
        metadata["namespace"] = _label(namespace, 63)
    return {
        "apiVersion": "wgpolicyk8s.io/v1alpha2",
        "kind": "PolicyReport" if namespace else "ClusterPolicyReport",
        "metadata": metadata,
        "summary": {word: counts[word] for word in _RESULTS},
        "results": results,
    }


def _label(text: str, limit: int) -> str:
    """A DNS-1123 label."""
    return _LABEL.sub("-", text.lower())[:limit].strip("-") or "default"


def _result(finding: Finding, report: Report, when: dict[str, int]) -> dict[str, Any]:
    control = report.controls.get(finding.control)
    ref = finding.resource
    group = f"{ref.group}/" if ref.group else ""
    properties = {
        "fingerprint": finding.fingerprint,
        "revision": str(finding.revision),
        "outcome": finding.outcome,
        "element": clean(finding.element),
        "where": place(finding),
        "evidence": cut(said(finding.evidence), 1000),
    }
    if finding.waiver:
        waiver = finding.waiver
        properties["waiver"] = said(waiver.reason)
        properties["waiver-owner"] = said(waiver.owner)
        properties["waiver-expires"] = clean(waiver.expires)
    resource = {"apiVersion": f"{group}v1", "kind": clean(ref.kind), "name": clean(ref.name or ref.origin)}
    if ref.namespace:
        resource["namespace"] = clean(ref.namespace)
    return {
        "source": "bulkhead",
        "policy": finding.control,
        "rule": clean(finding.element) or "resource",
        "category": ", ".join(name(practice) for practice in control.practices) if control else "",
        "result": _word(finding),
        "severity": finding.severity,
        "scored": finding.outcome is not Outcome.MANUAL,
        "timestamp": when,
        "message": cut(said(finding.message or finding.title), 2000),
        "resources": [resource],
        "properties": {key: value for key, value in properties.items() if value},
    }


def _word(finding: Finding) -> str:
    if finding.waiver:
        return "skip"
    return "warn" if finding.outcome is Outcome.MANUAL else str(finding.outcome)


def _gap(gap: Gap, when: dict[str, int]) -> dict[str, Any]:
    return {
        "source": "bulkhead",
        "policy": "gap",
        "rule": clean(gap.code) or "gap",
        "category": "Not readable",
        "result": "error",
        "scored": True,
        "timestamp": when,
        "message": cut(said(f"{gap.where}: {gap.reason}"), 2000),
        "properties": {"where": clean(gap.where), "hides": clean(",".join(gap.hides)), "hint": said(gap.hint) or "-"},
    }


def _instant(report: Report) -> dict[str, int]:
    instant = report.finished or report.started
    return {"seconds": int(datetime.fromisoformat(instant).timestamp()) if instant else 0, "nanos": 0}


def _yaml(value: dict[str, Any], indent: str) -> list[str]:
    """Block YAML with JSON scalars, which every YAML reader takes the same way; ten times quicker than a dumper."""
    lines: list[str] = []
    for key, item in value.items():
        head = f"{indent}{key if key.isalpha() else _encode(key).decode()}:"
        if isinstance(item, dict):
            lines += [f"{head}\n", *_yaml(item, indent + "  ")] if item else [f"{head} {{}}\n"]
        elif isinstance(item, list):
            lines.append(f"{head}\n" if item else f"{head} []\n")
            for entry in item:
                block = _yaml(entry, indent + "  ")
                block[0] = f"{indent}- {block[0].lstrip()}"
                lines += block
        else:
            lines.append(f"{head} {_encode(item).decode()}\n")
    return lines
