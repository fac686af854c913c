"""Kubernetes' own policies: what a real API server said, a public library with its tests, and what must never let something pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bulkhead.core.errors import ParseError, SourceError
from bulkhead.engines.vap import Policy, compile_policy, decide
from tests.conformance.ledger import reasons
from tests.conformance.suites import vap_library, vap_recorded
from tests.corpora import folder
from tests.fakes.policies import Cluster, review_of

POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}


def policy(**spec: Any) -> Policy:
    rules = [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]
    given = {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "false"}], **spec}
    return compile_policy({"metadata": {"name": "p"}, "spec": given})


def bound(**spec: Any) -> Any:
    return {"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"], **spec}}


def said(
    made: Policy, binding: Any = None, cluster: Cluster | None = None, thing: Any = POD, **request: Any
) -> list[str]:
    judged = decide(made, binding or bound(), review_of(thing, **request), cluster or Cluster())
    return [item.message for item in judged.decisions]


def test_what_a_real_server_said() -> None:
    result = vap_recorded.run(folder("recorded", "kubernetes-1.36", "vap"))
    assert set(result.failed) == set(reasons("vap-recorded"))
    assert result.total > 150


def test_a_public_library_agrees_with_its_own_tests() -> None:
    result = vap_library.run(folder("policy", "vap-cel-admission-library"))
    assert (result.failed, result.refused) == ([], [])
    assert result.total > 400


class _Blind(Cluster):
    """A cluster that does not answer."""

    def namespace(self, name: str) -> Mapping[str, Any] | None:
        raise SourceError("the server does not answer", where=name)


def test_a_namespace_that_cannot_be_asked_is_no_reason_to_pass() -> None:
    assert said(policy(), cluster=_Blind()) == ["default: the server does not answer"]
    assert said(policy(failurePolicy="Ignore"), cluster=_Blind()) == []


def test_labels_that_are_not_known_are_no_reason_to_pass() -> None:
    selector = {"matchLabels": {"env": "prod"}}
    binding = bound(matchResources={"namespaceSelector": selector})
    assert said(policy(), binding) == ["default: the labels of the namespace are not known"]
    away = Cluster(namespaces={"default": {"metadata": {"labels": {"env": "test"}}}})
    assert said(policy(), binding, away) == []


def test_a_selector_that_is_none_is_no_reason_to_pass() -> None:
    selectors: list[Any] = [
        {"matchLabel": {}},
        {"matchExpressions": [{"key": "a", "operator": "Like"}]},
        {"matchExpressions": [{"key": "a", "operator": "In"}]},
    ]
    for selector in selectors:
        [message] = said(policy(), bound(matchResources={"objectSelector": selector}))
        assert "label selector" in message


def test_one_condition_that_is_false_decides_whatever_fails_beside_it() -> None:
    conditions = [{"name": "a", "expression": "object.nothing.here"}, {"name": "b", "expression": "false"}]
    assert said(policy(matchConditions=conditions)) == []
    [message] = said(policy(matchConditions=conditions[:1]))
    assert message == "expression 'object.nothing.here' resulted in error: no such key: nothing"


def test_a_variable_that_fails_counts_only_where_it_is_needed() -> None:
    variables = [{"name": "v", "expression": "object.nothing"}, {"name": "w", "expression": "variables.v.more"}]
    made = policy(
        variables=variables, validations=[{"expression": "true || variables.w"}, {"expression": "variables.w"}]
    )
    [message] = said(made)
    assert 'composited variable "w" fails to evaluate' in message


def test_work_is_bounded() -> None:
    many = {**POD, "spec": {"containers": [{"name": f"c{number}"} for number in range(2_000)]}}
    everything = "object.spec.containers.all(a, object.spec.containers.all(b, a.name + b.name != 'x'))"
    [message] = said(policy(validations=[{"expression": everything}]), thing=many)
    assert "too many steps" in message


@pytest.mark.parametrize(
    ("rule", "request_", "taken"),
    [
        ({"resources": ["pods"]}, {}, True),
        ({"resources": ["pods"]}, {"subresource": "exec"}, False),
        ({"resources": ["pods/exec"]}, {"subresource": "exec"}, True),
        ({"resources": ["pods/*"]}, {"subresource": "exec"}, True),
        ({"resources": ["*/exec"]}, {"subresource": "exec"}, True),
        ({"resources": ["*"]}, {"subresource": "exec"}, False),
        ({"resources": ["*/*"]}, {"subresource": "exec"}, True),
        ({"resources": ["pods"], "operations": ["UPDATE"]}, {}, False),
        ({"resources": ["pods"], "scope": "Cluster"}, {}, False),
        ({"resources": ["pods"], "resourceNames": ["q"]}, {}, False),
        ({"resources": ["pods"], "apiGroups": ["apps"]}, {}, False),
    ],
)
def test_rules_take_in_what_they_name(rule: Any, request_: Any, taken: bool) -> None:
    whole = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], **rule}
    made = policy(matchConstraints={"resourceRules": [whole]})
    assert bool(said(made, **request_)) is taken
    left_out = policy(matchConstraints={"excludeResourceRules": [whole]})
    assert bool(said(left_out, **request_)) is not taken


def test_what_is_deleted_is_judged_by_what_it_was() -> None:
    made = policy(validations=[{"expression": "oldObject.metadata.name != 'p'"}])
    review = review_of(None, old=POD, operation="DELETE")
    assert len(decide(made, bound(), review, Cluster()).decisions) == 1


@pytest.mark.parametrize(
    "spec", [{}, {"validations": 1}, {"matchConstraints": []}, {"validations": [{}], "matchConstraints": {}}]
)
def test_what_is_no_policy_is_refused(spec: Any) -> None:
    with pytest.raises(ParseError, match="is invalid"):
        compile_policy({"metadata": {"name": "p"}, "spec": spec})
