"""kube-linter's end-to-end tests: one check over one file, with the number of findings and the kinds they are on."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from tests.conformance.model import Result
from tests.conformance.suites import scanners

SUITE = "posture-kube-linter"
_INCLUDE = re.compile(r"--include[= ]([a-z0-9-]+)")


def run(folder: Path) -> Result:
    result = Result(SUITE)
    for entry in json.loads((folder / "expected.json").read_text()):
        check = _INCLUDE.search(entry["args"] or "")
        path = folder / entry["file"] if entry["file"] else None
        if check is None or path is None or not path.exists():
            continue
        controls = scanners.mapped(f"kube-linter:{check[1]}")
        if not controls:
            continue
        scan = scanners.judged(scanners.texts({path.name: path.read_bytes()}), controls)
        found = scanners.failing(scan)
        kinds = Counter(_kind(item["kind_message"]) for item in entry["expected"] if item["match"] == "exact")
        agrees = len({(item.resource, item.element) for item in found}) == entry["count"]
        if kinds and sum(kinds.values()) == entry["count"]:
            agrees = agrees and Counter(item.resource.kind for item in found) == kinds
        result.total += 1
        if agrees:
            result.passed += 1
        else:
            result.failed.append(f"{entry['test']}: {len(found)} of {entry['count']}")
    return result


def _kind(message: str) -> str:
    """``Job: said`` or ``Job name: said``."""
    return message.partition(":")[0].partition(" ")[0]
