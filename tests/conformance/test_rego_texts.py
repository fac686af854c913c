"""Rego from its texts: OPA's compliance cases, and the tests that a library of policies brings along."""

from __future__ import annotations

from tests.conformance.suites import opa, opa_plan_ir, rego_units
from tests.corpora import folder


def test_opa_s_cases_from_their_modules() -> None:
    result = opa.run(folder("policy", "opa-compliance"))
    assert (result.failed, result.refused) == ([], [])
    assert result.total > 2_000


def test_opa_s_cases_from_the_plans_of_its_own_planner() -> None:
    result = opa_plan_ir.run(folder("policy", "opa-plan-ir"))
    assert (result.failed, result.refused) == ([], [])
    assert result.total > 2_000


def test_the_gatekeeper_library_s_own_tests_are_true() -> None:
    result = rego_units.run(folder("policy", "gatekeeper-library"))
    assert (result.failed, result.refused) == ([], [])
    assert result.total > 700
