"""kubeaudit: what each auditor finds in its fixtures. A verdict is one fixture of one auditor.

An auditor reports one rule of several for the same fault (``RunAsUserPSCRoot``, ``RunAsNonRootCSCFalse`` …), so what is
compared is whether anything uncovered is found, and that what a label allows is shown as an exception.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.conformance.model import Result
from tests.conformance.suites import scanners

SUITE = "posture-kubeaudit"
_OURS = {
    "rootfs": ("ReadOnlyRootFilesystemFalse", "ReadOnlyRootFilesystemNil"),
    "privileged": ("PrivilegedTrue", "PrivilegedNil"),
    "privesc": ("AllowPrivilegeEscalationTrue", "AllowPrivilegeEscalationNil"),
    "capabilities": ("CapabilityAdded", "CapabilityShouldDropAll", "CapabilityOrSecurityContextMissing"),
    "nonroot": (
        "RunAsNonRootPSCNilCSCNil",
        "RunAsUserPSCRoot",
        "RunAsUserCSCRoot",
        "RunAsNonRootCSCFalse",
        "RunAsNonRootPSCFalseCSCNil",
    ),
    "mounts": ("SensitivePathsMounted",),
}


def run(folder: Path) -> Result:
    result = Result(SUITE)
    for entry in json.loads((folder / "expected.json").read_text()):
        found = list((folder / "auditors" / entry["auditor"]).rglob(entry["file"]))
        controls = {
            control.id: control for rule in _OURS[entry["auditor"]] for control in scanners.mapped(f"kubeaudit:{rule}")
        }
        if not found or not controls:
            continue
        wanted = {rule for rule in entry["expected"] if not rule.startswith(("overridden:", "kubeaudit."))}
        allowed = any(rule.startswith("overridden:") for rule in entry["expected"])
        scan = scanners.judged(scanners.texts({entry["file"]: found[0].read_bytes()}), controls.values())
        waived = any(finding.waiver is not None for finding in scan.assessment.findings)
        result.total += 1
        if bool(scanners.failing(scan)) == bool(wanted) and (waived or not allowed):
            result.passed += 1
        else:
            result.failed.append(f"{entry['auditor']}/{entry['file']}")
    return result
