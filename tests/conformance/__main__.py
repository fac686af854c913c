"""``python -m tests.conformance SUITE FOLDER [--json]``: run a folder laid out like that suite.

The last line is ``{"suite","total","passed","failed","refused"}``. Cases that do not pass are listed before it, each with
its reason from the ledger where it has one.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

from tests.conformance.ledger import reasons
from tests.conformance.model import Result

SUITES = {
    "cel": "cel",
    "gatekeeper-library": "gatekeeper_library",
    "opa": "opa",
    "opa-plan-ir": "opa_plan_ir",
    "pod-security": "pod_security",
    "rego-units": "rego_units",
    "vap": "vap_library",
    "vap-recorded": "vap_recorded",
    "posture-checkov": "checkov",
    "posture-hadolint": "hadolint",
    "posture-hadolint-vectors": "hadolint_vectors",
    "posture-kube-linter": "kube_linter",
    "posture-kubeaudit": "kubeaudit",
    "posture-polaris": "polaris",
    "posture-trivy": "trivy",
}


def run(suite: str, folder: Path) -> Result:
    result: Result = import_module(f"tests.conformance.suites.{SUITES[suite]}").run(folder)
    return result


def main(argv: list[str]) -> int:
    words = [word for word in argv if not word.startswith("--")]
    if len(words) != 2 or words[0] not in SUITES:
        sys.stderr.write(
            f"usage: python -m tests.conformance SUITE FOLDER [--json]\nsuites: {', '.join(sorted(SUITES))}\n"
        )
        return 2
    suite, folder = words[0], Path(words[1])
    result = run(suite, folder)
    known = reasons(suite)
    for kind, cases in (("failed", result.failed), ("refused", result.refused)):
        for case in cases:
            sys.stdout.write(f"{kind}: {case}" + (f" [{known[case]}]" if case in known else "") + "\n")
    counts = {
        "suite": suite,
        "total": result.total,
        "passed": result.passed,
        "failed": len(result.failed),
        "refused": len(result.refused),
    }
    if "--json" not in argv:
        share = result.passed / result.total if result.total else 0.0
        sys.stdout.write(f"{suite}: {result.passed} of {result.total} agree ({share:.1%})\n")
    sys.stdout.write(json.dumps(counts) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
