"""checkov as an independent judge of our repairs: what we claim to fix is gone by its own reckoning, nothing new appears."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from bulkhead.actuators.files.hands import Hands
from bulkhead.app import fix as fixing
from bulkhead.app import scan as scanning
from bulkhead.app.scan import Context, Selection
from bulkhead.core.control import MitigationClass
from bulkhead.mitigation.plan import Consent
from bulkhead.sources import files
from bulkhead.store.sqlite.state import open_state
from tests.catalogue_check import catalogue
from tests.corpora import folder

CHECKOV = Path(__file__).resolve().parents[2] / ".peers" / "bin" / "checkov"
CONTEXT = Context(catalogue(), lambda: "2026-01-01T00:00:00+00:00")
FRAMEWORKS = ("kubernetes", "dockerfile")

Failures = Counter[tuple[str, str, str]]


def judged(root: Path) -> Failures:
    """checkov's failures by id, resource and file."""
    words = [
        str(CHECKOV),
        "-d",
        str(root),
        "-o",
        "json",
        "--compact",
        "--quiet",
        "--skip-download",
        "--framework",
        *FRAMEWORKS,
    ]
    found = json.loads(subprocess.run(words, capture_output=True, check=False).stdout)
    reports = found if isinstance(found, list) else [found]
    assert not any(report.get("results", {}).get("parsing_errors") for report in reports)
    return Counter(
        (item["check_id"], item["resource"], item["file_path"])
        for report in reports
        for item in report.get("results", {}).get("failed_checks", ())
    )


def claimed() -> set[str]:
    """The ids of controls that we repair when asked to."""
    levels = (MitigationClass.AUTO, MitigationClass.GUARDED)
    return {
        alias
        for control in catalogue().controls
        for alias in control.aliases
        if alias.startswith("CKV")
        and any(item.patch and (item.mode or control.mode) in levels for item in control.mitigation)
    }


@pytest.mark.peer
def test_its_failures_on_what_we_claim_fall_by_four_fifths_and_none_is_new(tmp_path: Path) -> None:
    if not CHECKOV.exists():
        assert os.environ.get("CI") != "true", "make peers installs the judge"
        pytest.skip("checkov is not installed: make peers")
    copy = tmp_path / "copy"
    for name in ("kubernetes-examples", "microservices-demo"):
        shutil.copytree(folder("posture", "realworld", name), copy / name, symlinks=True)
    before = judged(copy)
    scan = scanning.judge(files.read(copy), str(copy), CONTEXT, Selection(catalogue().controls))
    trial = fixing.propose(scan, files, CONTEXT, Consent(MitigationClass.GUARDED))
    fixing.apply(trial, scan, files, Hands(), open_state(tmp_path / "state").journal, CONTEXT, actor="test")
    after = judged(copy)
    ours = claimed()
    was = sum(count for key, count in before.items() if key[0] in ours)
    now = sum(count for key, count in after.items() if key[0] in ours)
    assert was > 1000
    assert now <= 0.2 * was, f"{was} to {now}"
    assert {key: count for key, count in after.items() if count > before[key]} == {}
