"""Agreement with other scanners on their own cases: at least 97 % each, and a ledger that holds every disagreement."""

from __future__ import annotations

import pytest

from tests.conformance.__main__ import run
from tests.conformance.ledger import reasons
from tests.corpora import folder

SUITES = {
    "posture-kube-linter": "kube-linter",
    "posture-polaris": "polaris",
    "posture-kubeaudit": "kubeaudit",
    "posture-checkov": "checkov",
    "posture-trivy": "trivy-checks",
}


@pytest.mark.parametrize("suite", SUITES)
def test_our_verdicts_agree_and_the_ledger_is_exact(suite: str) -> None:
    result = run(suite, folder("posture", SUITES[suite]))
    different = set(result.failed) | set(result.refused)
    known = reasons(suite)
    assert result.total > 0
    assert different - set(known) == set(), "a disagreement without a reason"
    assert set(known) - different == set(), "the ledger may only shrink: take these out"
    assert all(len(reason) > 20 for reason in known.values())
    assert result.passed / result.total >= 0.97
