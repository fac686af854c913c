"""Controls as rules (3.49) and what they map to as taxonomies (3.19.3), with the indexes that join them."""

from __future__ import annotations

from typing import Any

from bulkhead.core.control import Control
from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Severity
from bulkhead.report.model import Report
from bulkhead.report.practices import PRACTICES, name
from bulkhead.report.text import said

# GitHub's code scanning reads this property: over 9.0 is critical, 7.0 high, 4.0 medium, above 0 low.
_SCORE = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}
LEVEL = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_PRACTICES = "bulkhead-practices"


class Rules:
    """The rules of one run: every control that a finding names or the report carries."""

    def __init__(self, report: Report) -> None:
        first: dict[str, Finding] = {}
        for finding in report.findings:
            first.setdefault(finding.control, finding)
        self._report = report
        self._first = first
        self._ids = sorted({*first, *report.controls})
        self.index = {control: at for at, control in enumerate(self._ids)}
        taxa: dict[str, set[str]] = {}
        for control in report.controls.values():
            for standard, items in _mapped(control).items():
                taxa.setdefault(standard, set()).update(items)
        self._taxa = {standard: sorted(items) for standard, items in sorted(taxa.items())}
        self._standards = {standard: at for at, standard in enumerate(self._taxa)}
        self._items = {(standard, item): at for standard, items in self._taxa.items() for at, item in enumerate(items)}

    def driver(self) -> dict[str, Any]:
        return {
            "name": "Bulkhead",
            "version": self._report.tool_version,
            "language": "en-US",
            "rules": [self._rule(control) for control in self._ids],
            "supportedTaxonomies": [{"name": name, "index": at} for name, at in self._standards.items()],
        }

    def taxonomies(self) -> list[dict[str, Any]]:
        return [
            {"name": standard, "isComprehensive": False, "taxa": [_taxon(standard, item) for item in items]}
            for standard, items in self._taxa.items()
        ]

    def _rule(self, control_id: str) -> dict[str, Any]:
        control = self._report.controls.get(control_id)
        if control is None:
            finding = self._first[control_id]
            return {"id": control_id, "shortDescription": {"text": said(finding.title) or control_id}}
        out: dict[str, Any] = {
            "id": control.id,
            "shortDescription": {"text": control.title},
            "fullDescription": {"text": control.rationale or control.title},
            "help": {"text": _help(control), "markdown": _help_markdown(control)},
            "defaultConfiguration": {"level": LEVEL[control.severity]},
            "properties": {
                "tags": ["security", *control.practices],
                "security-severity": _SCORE[control.severity],
                "problem.severity": LEVEL[control.severity].replace("note", "recommendation"),
                "precision": "high",
                "revision": control.revision,
                "mitigationClass": control.mode,
            },
        }
        if control.aliases:
            out["properties"]["aliases"] = list(control.aliases)
        if control.references and control.references[0].startswith("https://"):
            out["helpUri"] = control.references[0]
        if relationships := self._relationships(control):
            out["relationships"] = relationships
        return out

    def _relationships(self, control: Control) -> list[dict[str, Any]]:
        return [
            {
                "target": {
                    "id": item,
                    "index": self._items[standard, item],
                    "toolComponent": {"name": standard, "index": self._standards[standard]},
                },
                "kinds": ["relevant"],
            }
            for standard, items in sorted(_mapped(control).items())
            for item in sorted(set(items))
        ]


def _mapped(control: Control) -> dict[str, tuple[str, ...]]:
    return control.maps_to | ({_PRACTICES: control.practices} if control.practices else {})


def _taxon(standard: str, item: str) -> dict[str, Any]:
    out: dict[str, Any] = {"id": item}
    if standard == _PRACTICES and item in PRACTICES:
        out["shortDescription"] = {"text": name(item)}
    return out


def _parts(control: Control) -> list[tuple[str, str]]:
    parts = [
        ("Why it matters", control.rationale),
        ("How it is attacked", control.attack),
        ("How to fix it", control.fix),
        ("What to do", control.instructions),
    ]
    return [(title, text.strip()) for title, text in parts if text.strip()]


def _help(control: Control) -> str:
    return "\n\n".join(f"{title}: {text}" for title, text in _parts(control)) or control.title


def _help_markdown(control: Control) -> str:
    blocks = [f"**{title}.** {text}" for title, text in _parts(control)]
    if control.references:
        blocks.append("\n".join(f"- <{reference}>" for reference in control.references))
    return "\n\n".join(blocks) or control.title
