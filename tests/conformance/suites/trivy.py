"""trivy-checks: each check's file of good and bad examples. A verdict is one example of one check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bulkhead.core.outcome import Outcome
from tests.conformance.model import Result
from tests.conformance.suites import scanners

SUITE = "posture-trivy"
_NAMES = {
    "kubernetes": "example.yaml",
    "dockerfile": "Dockerfile",
    "terraform": "main.tf",
    "cloudformation": "template.yaml",
}


def run(folder: Path) -> Result:
    result = Result(SUITE)
    for entry in json.loads((folder / "index.json").read_text()):
        path = folder / entry["examples"] if entry["examples"] else None
        controls = [control for alias in _aliases(entry["id"]) for control in scanners.mapped(alias)]
        if path is None or not path.exists() or not controls:
            continue
        for name, wanted, file, text in _examples(path):
            scan = scanners.judged(scanners.texts({file: text.encode()}), controls)
            failed = bool(scanners.failing(scan))
            unread = bool(scan.snapshot.gaps) or any(
                finding.outcome is Outcome.ERROR for finding in scan.assessment.findings
            )
            result.total += 1
            case = f"{entry['id']} {path.name} {name}"
            if unread and not failed:
                result.refused.append(case)
            elif failed is wanted:
                result.passed += 1
            else:
                result.failed.append(case)
    return result


def _aliases(check: str) -> tuple[str, ...]:
    return (check, f"AVD-{check}")


def _examples(path: Path) -> Iterator[tuple[str, bool, str, str]]:
    found: dict[str, Any] = yaml.safe_load(path.read_text())
    for form, groups in found.items():
        if form not in _NAMES or not isinstance(groups, dict):
            continue
        for group, wanted in (("good", False), ("bad", True)):
            for number, text in enumerate(groups.get(group) or ()):
                yield f"{form} {group}[{number}]", wanted, _NAMES[form], str(text)
