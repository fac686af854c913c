"""Verdicts: what could not be read is never a pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulkhead.catalogue.index import Catalogue
from bulkhead.core.control import Check, Control, MitigationClass, Needs, Parameter
from bulkhead.core.finding import Finding
from bulkhead.core.outcome import Outcome, Severity, join
from bulkhead.core.resource import UNKNOWN, Gap, Ref, Resource, Snapshot
from bulkhead.posture.evaluate import Request, evaluate


def control(expression: str, **change: Any) -> Control:
    given_: dict[str, Any] = {
        "id": "t.c", "revision": 1, "title": "T", "severity": Severity.LOW, "status": "active", "mode": MitigationClass.AUTO,
        "applies_to": ("Pod",), "needs": Needs(), "rationale": "r", "attack": "a", "fix": "f", "maps_to": {},
        "check": Check(expression=expression, message="no {object.metadata.name}"),
    }  # fmt: skip
    return Control(**{**given_, **change})


def pod(**spec: Any) -> Resource:
    data = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}
    return Resource(Ref(source="file", kind="Pod", name="p"), data)


def check(
    of: Control,
    *resources: Resource,
    gaps: tuple[Gap, ...] = (),
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Finding]:
    request = Request(Catalogue([of]), [of], keep_passes=True, parameters=parameters or {})
    return list(evaluate(Snapshot(resources, gaps), request).findings)


def outcomes(of: Control, *resources: Resource, gaps: tuple[Gap, ...] = ()) -> list[Outcome]:
    return [finding.outcome for finding in check(of, *resources, gaps=gaps)]


def test_true_passes_and_false_fails_with_its_message() -> None:
    assert outcomes(control("true"), pod()) == [Outcome.PASS]
    [finding] = check(control("false"), pod())
    assert (finding.outcome, finding.message) == (Outcome.FAIL, "no p")


@pytest.mark.parametrize(
    "expression", ["object.spec.missing == 1", "1 / 0 == 1", "object.metadata.name", "object.metadata.name > 3"]
)
def test_an_expression_without_a_verdict_is_an_error(expression: str) -> None:
    assert outcomes(control(expression), pod()) == [Outcome.ERROR]


def test_an_unknown_value_is_an_error_unless_the_answer_does_not_rest_on_it() -> None:
    assert outcomes(control("object.spec.x == 1"), pod(x=UNKNOWN)) == [Outcome.ERROR]
    assert outcomes(control("object.spec.x == 1 || true"), pod(x=UNKNOWN)) == [Outcome.PASS]
    assert outcomes(control("object.spec.x == 1 && false"), pod(x=UNKNOWN)) == [Outcome.FAIL]


def test_a_needed_field_that_is_missing_or_unknown_is_an_error() -> None:
    needing = control("true", needs=Needs(fields=("spec.x",)))
    assert outcomes(needing, pod()) == [Outcome.ERROR]
    assert outcomes(needing, pod(x=UNKNOWN)) == [Outcome.ERROR]
    assert outcomes(needing, pod(x=1)) == [Outcome.PASS]


def test_a_gap_turns_a_pass_that_rests_on_it_into_an_error_but_not_a_failure_into_anything() -> None:
    gap = Gap(where="broken.yaml", code="B220", reason="not YAML")
    assert outcomes(control("true", needs=Needs(kinds=("Service",))), pod(), gaps=(gap,)) == [Outcome.ERROR]
    assert outcomes(control("false", needs=Needs(kinds=("Service",))), pod(), gaps=(gap,)) == [Outcome.FAIL]
    elsewhere = Gap(where="Dockerfile", code="B220", reason="not a Dockerfile", hides=("Dockerfile",))
    assert outcomes(control("true", needs=Needs(kinds=("Service",))), pod(), gaps=(elsewhere,)) == [Outcome.PASS]


def test_a_workload_without_a_pod_spec_is_an_error_for_what_judges_pods() -> None:
    of = control("true", applies_to=("pod",), check=Check(expression="true", message="m", each="pod"))
    bare = Resource(Ref(source="file", kind="Deployment", name="d"), {"apiVersion": "apps/v1", "kind": "Deployment"})
    assert outcomes(of, bare) == [Outcome.ERROR]


def test_when_decides_whether_a_check_applies() -> None:
    of = control("false", check=Check(expression="false", message="m", when="object.spec.?x.orValue(0) == 1"))
    assert outcomes(of, pod()) == [Outcome.SKIP] or outcomes(of, pod()) == []
    assert outcomes(of, pod(x=1)) == [Outcome.FAIL]


def test_parameters_can_be_set_from_outside() -> None:
    of = control("object.spec.x <= params.most", parameters={"most": Parameter(default=5, description="d")})
    assert [finding.outcome for finding in check(of, pod(x=7))] == [Outcome.FAIL]
    assert [finding.outcome for finding in check(of, pod(x=7), parameters={"t.c": {"most": 9}})] == [Outcome.PASS]


def test_the_fingerprint_does_not_change_with_the_order_of_resources() -> None:
    other = Resource(
        Ref(source="file", kind="Pod", name="q"),
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "q"}, "spec": {}},
    )
    first = {finding.fingerprint for finding in check(control("false"), pod(), other)}
    assert first == {finding.fingerprint for finding in check(control("false"), other, pod())}
    assert len(first) == 2


def test_a_live_control_does_not_judge_files() -> None:
    of = control("false", live=True)
    assert outcomes(of, pod()) == []
    data = pod().data
    assert outcomes(of, Resource(Ref(source="kubernetes", kind="Pod", name="p"), data)) == [Outcome.FAIL]


@given(st.lists(st.sampled_from(Outcome), min_size=1), st.lists(st.sampled_from(Outcome), min_size=1))
def test_outcomes_join_as_a_semilattice_and_nothing_turns_an_error_into_a_pass(
    left: list[Outcome], right: list[Outcome]
) -> None:
    assert join(join(*left), join(*right)) == join(*left, *right) == join(*right, *left)
    assert join(*left, *left) == join(*left)
    if Outcome.ERROR in left:
        assert join(*left, *right) in (Outcome.ERROR, Outcome.FAIL)
