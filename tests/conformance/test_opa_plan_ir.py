"""OPA's own plans of its own cases: the results are OPA's, and nothing that OPA refuses is answered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance.ledger import reasons
from tests.conformance.suites import opa_plan_ir
from tests.corpora import folder


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_plans_give_what_opa_gives_and_the_ledger_is_exact() -> None:
    result = opa_plan_ir.run(folder("policy", "opa-plan-ir"))
    different = {case.partition(": ")[0] + ": " + case.split(": ")[1] for case in (*result.failed, *result.refused)}
    known = reasons("opa-plan-ir")
    assert result.total > 2_000
    assert different - set(known) == set(), "a difference without a reason"
    assert set(known) - different == set(), "the ledger may only shrink: take these out"
    assert [case for case in result.failed if opa_plan_ir.OUR_LEAVE in case] == []
    assert result.passed / result.total >= 0.98


def test_a_part_of_the_folder(tmp_path: Path) -> None:
    block = {
        "stmts": [{"type": "MakeObjectStmt", "stmt": {"target": 2}}, {"type": "ResultSetAddStmt", "stmt": {"value": 2}}]
    }
    plan = {"static": {}, "plans": {"plans": [{"name": "eval", "blocks": [block]}]}, "funcs": {"funcs": []}}
    case = {"note": "n", "category": "c", "entrypoints": ["eval"], "plan": plan}
    rows = [
        {**case, "want_plan_result": [{}]},
        {**case, "want_plan_result": [{"x": 1}]},
        {**case, "want_error_code": "eval_conflict_error", "want_plan_result": None},
        {**case, "plan": {"plans": 1}, "want_plan_result": [{}]},
    ]
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, rows)))
    result = opa_plan_ir.run(tmp_path)
    assert (result.total, result.passed, len(result.failed), len(result.refused)) == (4, 1, 2, 1)
    assert opa_plan_ir.OUR_LEAVE in result.failed[1]
