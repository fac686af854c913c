"""Agreement with hadolint, and a ledger that holds every disagreement and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conformance.suites import hadolint, hadolint_vectors
from tests.corpora import folder

LEDGER = Path(__file__).parent / "ledgers" / "hadolint.json"


def test_real_dockerfiles_agree_and_the_ledger_is_exact() -> None:
    result = hadolint.run(folder("supply", "dockerfile-hadolint"))
    ledger = json.loads(LEDGER.read_text())
    assert result.total > 10_000
    assert result.passed / result.total >= 0.97
    unexplained = set(result.failed) | set(result.refused)
    assert unexplained - set(ledger) == set()
    present = {path.stem for path in folder("supply", "dockerfile-hadolint", "dockerfiles").iterdir()}
    assert {case for case in ledger if case.split("/")[0] in present} - unexplained == set()
    assert all(len(reason) > 20 for reason in ledger.values())


def test_one_line_examples_agree() -> None:
    result = hadolint_vectors.run(folder("posture", "hadolint"))
    assert result.total > 500
    assert result.failed == []
    # Two examples are empty files, which no builder takes.
    assert len(result.refused) == 2
