"""polaris: ``test/checks/<check>/success*.yaml`` must not fail, ``failure*.yaml`` must. A verdict is one file."""

from __future__ import annotations

from pathlib import Path

from bulkhead.core.outcome import Outcome
from tests.conformance.model import Result
from tests.conformance.suites import scanners

SUITE = "posture-polaris"


def run(folder: Path) -> Result:
    result = Result(SUITE)
    for path in sorted((folder / "test" / "checks").glob("*/*.yaml")):
        controls = scanners.mapped(f"polaris:{path.parent.name}")
        if not controls or "mutated" in path.name or not path.name.startswith(("success", "failure")):
            continue
        scan = scanners.judged(scanners.texts({path.name: path.read_bytes()}), controls)
        failed = bool(scanners.failing(scan))
        unread = any(finding.outcome is Outcome.ERROR for finding in scan.assessment.findings) or bool(
            scan.snapshot.gaps
        )
        result.total += 1
        case = f"{path.parent.name}/{path.name}"
        if unread and not failed:
            result.refused.append(case)
        elif failed is path.name.startswith("failure"):
            result.passed += 1
        else:
            result.failed.append(case)
    return result
