"""checkov's own tests: ``expected.json`` names, for each check and fixture, the resources that pass and fail.

A verdict is one resource of one check. Where a test names no resources, Kubernetes fixtures say in each file's name what
it is (``-PASSED``, ``-FAILED``); a fixture that several checks share is judged by how many resources fail. A resource whose file is absent
is left out.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Ref, Snapshot
from tests.conformance.model import Result
from tests.conformance.suites import scanners

SUITE = "posture-checkov"
_WORDS = {"FAILED": True, "PASSED": False}


def run(folder: Path) -> Result:
    result = Result(SUITE)
    root = folder / "tests"
    entries = json.loads((folder / "expected.json").read_text())
    users = Counter(entry["fixture"] for entry in entries)
    for entry in entries:
        controls = scanners.mapped(entry["check"] or "")
        fixture = root / entry["fixture"] if entry["fixture"] else None
        if not controls or fixture is None or not fixture.exists():
            continue
        for name, agrees in _verdicts(entry, fixture, controls, alone=users[entry["fixture"]] == 1):
            result.total += 1
            if agrees is None:
                result.refused.append(name)
            elif agrees:
                result.passed += 1
            else:
                result.failed.append(name)
    return result


def _verdicts(entry: dict[str, Any], fixture: Path, controls: Any, *, alone: bool) -> Iterator[tuple[str, bool | None]]:
    head = f"{entry['check']} {entry['fixture']}"
    named = [
        path
        for path in sorted(fixture.rglob("*"))
        if path.suffix in (".yaml", ".yml", ".json") and _by_name(path) is not None
    ]
    if entry["failing"] or entry["passing"]:
        yield from _by_resource(head, entry, fixture, controls)
    elif entry["fixture"].startswith("kubernetes") and named and _by_names(entry, fixture, named, alone=alone):
        for path in named:
            scan = scanners.judged(scanners.texts({path.name: path.read_bytes()}), controls)
            failed = bool(scanners.failing(scan))
            unread = any(finding.outcome is Outcome.ERROR for finding in scan.assessment.findings)
            yield f"{head}/{path.name}", None if unread and not failed else failed is _by_name(path)
    elif "failed" in (entry["summary"] or {}):
        scan = scanners.judged(scanners.folder(fixture), controls)
        counted = entry["summary"]["failed"]
        failing = {finding.resource for finding in scanners.failing(scan)}
        unsure = {item.resource for item in scan.assessment.findings if item.outcome is Outcome.ERROR} - failing
        yield head, None if len(failing) < counted <= len(failing) + len(unsure) else len(failing) == counted


def _by_names(entry: dict[str, Any], fixture: Path, named: list[Path], *, alone: bool) -> bool:
    """Whether the files' names are this check's verdicts.

    They are all that there is where nothing was counted. They are another check's where one file holds many cases, where
    more of them fail than this check fails resources, or where several checks share them and the numbers differ.
    """
    counted = (entry["summary"] or {}).get("failed")
    if counted is None:
        return True
    several = sum(path.is_file() for path in fixture.rglob("*")) > 1
    failing = sum(_by_name(path) is True for path in named)
    return several and failing <= counted and (alone or failing == counted)


def _by_name(path: Path) -> bool | None:
    """Whether the file's name says that it fails; None when it says nothing, or both."""
    stem = path.stem.upper()
    if "FAILED" in stem and "PASSED" in stem:
        return None
    return _WORDS.get(next((word for word in ("FAILED", "PASSED") if re.search(rf"{word}\d*$", stem)), ""))


def _by_resource(head: str, entry: dict[str, Any], fixture: Path, controls: Any) -> Iterator[tuple[str, bool | None]]:
    scan = scanners.judged(scanners.folder(fixture), controls)
    blocks = _blocks(scan.snapshot)
    present = {name for resource in scan.snapshot.resources for name in scanners.names(resource.ref)}
    # Several files may hold a resource of one name; checkov's names then say only that one of them is so.
    outcomes: dict[str, dict[str, set[Outcome]]] = {}
    for finding in scan.assessment.findings:
        for name in (*scanners.names(finding.resource), *blocks.get(finding.resource, ())):
            outcomes.setdefault(name, {}).setdefault(finding.resource.origin, set()).add(finding.outcome)
    for wanted, names in ((True, entry["failing"] or ()), (False, entry["passing"] or ())):
        for name in names:
            # A Dockerfile's resource is the file and an instruction of it: /folder/Dockerfile.RUN.
            short = name.rpartition(".")[0]
            if name not in present and short not in present:
                continue
            seen = list(outcomes.get(name, outcomes.get(short, {})).values())
            failed = any(here & scanners.BAD for here in seen)
            unknown = not failed and bool(seen) and all(Outcome.ERROR in here for here in seen)
            yield f"{head} {name}", None if unknown else failed is wanted


def _blocks(snapshot: Snapshot) -> dict[Ref, tuple[str, ...]]:
    """Objects of Terraform's kubernetes provider, which checkov calls by the block that they are made from."""
    made = {
        (resource.text.path, resource.document, resource.path): scanners.names(resource.ref)
        for resource in snapshot.resources
        if resource.text is not None and resource.ref.kind.startswith("kubernetes_")
    }
    return {
        resource.ref: made[resource.text.path, resource.document, resource.path]
        for resource in snapshot.resources
        if resource.text is not None and (resource.text.path, resource.document, resource.path) in made
    }
