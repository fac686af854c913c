"""checkov's own tests: ``expected.json`` names, for each check and fixture, the resources that pass and fail.

A verdict is one resource of one check. Where a test names no resources, Kubernetes fixtures say in each file's name what
it is (``-PASSED``, ``-FAILED``); a fixture that several checks share is judged by how many resources fail. A resource whose file is absent
is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bulkhead.core.outcome import Outcome
from tests.conformance.model import Result
from tests.conformance.suites import scanners

SUITE = "posture-checkov"
_WORDS = {"FAILED": True, "PASSED": False}


def run(folder: Path) -> Result:
    result = Result(SUITE)
    root = folder / "tests"
    for entry in json.loads((folder / "expected.json").read_text()):
        controls = scanners.mapped(entry["check"] or "")
        fixture = root / entry["fixture"] if entry["fixture"] else None
        if not controls or fixture is None or not fixture.exists():
            continue
        for name, agrees in _verdicts(entry, fixture, controls):
            result.total += 1
            if agrees is None:
                result.refused.append(name)
            elif agrees:
                result.passed += 1
            else:
                result.failed.append(name)
    return result


def _verdicts(entry: dict[str, Any], fixture: Path, controls: Any) -> Iterator[tuple[str, bool | None]]:
    head = f"{entry['check']} {entry['fixture']}"
    named = [
        path
        for path in sorted(fixture.rglob("*"))
        if path.suffix in (".yaml", ".yml", ".json") and _by_name(path) is not None
    ]
    if entry["failing"] or entry["passing"]:
        yield from _by_resource(head, entry, fixture, controls)
    elif entry["fixture"].startswith("kubernetes") and named and not _shared(entry, fixture, named):
        for path in named:
            scan = scanners.judged(scanners.texts({path.name: path.read_bytes()}), controls)
            failed = bool(scanners.failing(scan))
            unread = any(finding.outcome is Outcome.ERROR for finding in scan.assessment.findings)
            yield f"{head}/{path.name}", None if unread and not failed else failed is _by_name(path)
    elif "failed" in (entry["summary"] or {}):
        scan = scanners.judged(scanners.folder(fixture), controls)
        resources = {finding.resource for finding in scanners.failing(scan)}
        yield head, len(resources) == entry["summary"]["failed"]


def _shared(entry: dict[str, Any], fixture: Path, named: list[Path]) -> bool:
    """Whether the names are not about this check alone: one file for many cases, or more failures than it has.

    Where nothing was counted the names are all that there is.
    """
    failed = (entry["summary"] or {}).get("failed")
    several = sum(path.is_file() for path in fixture.rglob("*")) > 1
    return failed is not None and (not several or sum(_by_name(path) is True for path in named) > failed)


def _by_name(path: Path) -> bool | None:
    """Whether the file's name says that it fails; None when it says nothing, or both."""
    stem = path.stem.upper()
    if "FAILED" in stem and "PASSED" in stem:
        return None
    return _WORDS.get(next((word for word in ("FAILED", "PASSED") if re.search(rf"{word}\d*$", stem)), ""))


def _by_resource(head: str, entry: dict[str, Any], fixture: Path, controls: Any) -> Iterator[tuple[str, bool | None]]:
    scan = scanners.judged(scanners.folder(fixture), controls)
    present = {name for resource in scan.snapshot.resources for name in scanners.names(resource.ref)}
    outcomes: dict[str, set[Outcome]] = {}
    for finding in scan.assessment.findings:
        for name in scanners.names(finding.resource):
            outcomes.setdefault(name, set()).add(finding.outcome)
    for wanted, names in ((True, entry["failing"] or ()), (False, entry["passing"] or ())):
        for name in names:
            # A Dockerfile's resource is the file and an instruction of it: /folder/Dockerfile.RUN.
            short = name.rpartition(".")[0]
            if name not in present and short not in present:
                continue
            seen = outcomes.get(name, outcomes.get(short, set()))
            failed = bool(seen & scanners.BAD)
            unknown = not failed and Outcome.ERROR in seen
            yield f"{head} {name}", None if unknown else failed is wanted
