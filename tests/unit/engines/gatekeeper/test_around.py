"""Expansion, audits, and constraints for the API server itself."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.errors import BulkheadError, LimitExceeded, ParseError
from bulkhead.engines.admission import matching
from bulkhead.engines.gatekeeper import exported, judge
from bulkhead.engines.gatekeeper.audit import audit
from bulkhead.engines.gatekeeper.expansion import compile_expander, expand
from bulkhead.engines.gatekeeper.model import of_object
from bulkhead.engines.vap import compile_policy, decide
from tests.fakes.policies import Cluster as ApiCluster
from tests.fakes.policies import review_of
from tests.unit.engines.gatekeeper.test_mutation import assign
from tests.unit.engines.gatekeeper.things import Cluster, cel, constraint, namespace, pod, template, thing

DEPLOYMENT = thing(
    """
apiVersion: apps/v1
kind: Deployment
metadata: {name: Web, namespace: shop}
spec: {template: {metadata: {labels: {app: web}}, spec: {containers: [{name: main, image: nginx}]}}}
"""
)


def expander(name: str = "pods", **spec: Any) -> Any:
    whole = {
        "applyTo": [{"groups": ["apps"], "versions": ["v1"], "kinds": ["Deployment"]}], "templateSource": "spec.template",
        "generatedGVK": {"kind": "Pod", "group": "", "version": "v1"}, **spec,
    }  # fmt: skip
    return compile_expander(
        {
            "apiVersion": "expansion.gatekeeper.sh/v1beta1",
            "kind": "ExpansionTemplate",
            "metadata": {"name": name},
            "spec": whole,
        }
    )


def test_a_deployment_stands_for_its_pod() -> None:
    [made] = expand([expander()], DEPLOYMENT, Cluster(), [assign("spec.hostNetwork", False)])
    assert made.prefix == "[Implied by pods]"
    assert made.object["kind"] == "Pod"
    assert made.object["metadata"] == {
        "labels": {"app": "web"}, "namespace": "shop", "name": "web-pod",
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "Web", "uid": ""}],
    }  # fmt: skip
    assert made.object["spec"]["hostNetwork"] is False
    assert "metadata" not in DEPLOYMENT["spec"]["template"] or "name" not in DEPLOYMENT["spec"]["template"]["metadata"]
    assert expand([expander()], pod(), Cluster()) == ()


def test_what_is_no_template_of_expansion() -> None:
    wrong: list[dict[str, Any]] = [
        {"applyTo": []}, {"templateSource": ""}, {"generatedGVK": {"kind": "", "version": "v1"}}, {"more": 1},
        {"generatedGVK": {"kind": "Deployment", "group": "apps", "version": "v1"}}, {"enforcementAction": "perhaps"},
    ]  # fmt: skip
    for spec in wrong:
        with pytest.raises(ParseError):
            expander(**spec)
    with pytest.raises(ParseError, match="nothing at"):
        expand([expander(templateSource="spec.jobTemplate")], DEPLOYMENT, Cluster())


def test_circles_end() -> None:
    back = [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}]
    away = expander("away", templateSource="spec")
    home = expander(
        "home",
        applyTo=back,
        templateSource="metadata",
        generatedGVK={"kind": "Deployment", "group": "apps", "version": "v1"},
    )
    with pytest.raises((LimitExceeded, ParseError)):
        expand([away, home], {**DEPLOYMENT, "spec": {"spec": {}, "metadata": {"spec": {}}}}, Cluster())


def test_an_audit_counts_all_and_tells_the_same_twice() -> None:
    asked = [
        constraint(parameters={"labels": ["owner"]}), constraint(name="warns", parameters={"labels": ["x"]}, enforcementAction="warn"),
        constraint(name="elsewhere", enforcementAction="scoped", scopedEnforcementActions=[{"action": "deny", "enforcementPoints": [{"name": "validation.gatekeeper.sh"}]}]),
    ]  # fmt: skip
    things = [pod(f"p{number:03}") for number in range(300)]
    found = audit(asked, things, Cluster(), shown=20)
    assert found.total == {("RequiredLabels", "c"): 300, ("RequiredLabels", "warns"): 300}
    assert [item.place[3] for item in found.told if item.violation.name == "c"] == [
        f"p{number:03}" for number in range(20)
    ]
    assert audit(asked, reversed(things), Cluster(), shown=20) == found


def test_an_audit_judges_what_others_stand_for_and_counts_errors() -> None:
    asked = [constraint(match={"kinds": [{"kinds": ["Pod"]}]}, parameters={"labels": ["owner"]})]
    found = audit(asked, [DEPLOYMENT, {"kind": "Broken"}], Cluster(), expanders=[expander(enforcementAction="warn")])
    assert found.total == {("RequiredLabels", "c"): 2}
    assert found.errors == {("RequiredLabels", "c"): 1}
    [implied] = [item.violation for item in found.told if not item.violation.error]
    assert implied.message.startswith("[Implied by pods] you must provide")
    assert implied.actions["validation.gatekeeper.sh"] == ("warn",)


MATCHES: list[dict[str, Any]] = [
    {}, {"kinds": []}, {"name": ""}, {"namespaces": []}, {"excludedNamespaces": []}, {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}, {"kinds": [{"apiGroups": ["apps"], "kinds": ["Deployment"]}]}, {"namespaces": ["sh*"]}, {"namespaces": ["x"]},
    {"excludedNamespaces": ["*op", "kube-*"]}, {"name": "w*"}, {"name": "api"}, {"labelSelector": {"matchLabels": {"a": "b"}}},
]  # fmt: skip


@pytest.mark.parametrize("match", MATCHES)
def test_the_exported_policy_means_the_same(match: dict[str, Any]) -> None:
    of = cel("has(variables.anyObject.metadata.name) && variables.anyObject.metadata.name in variables.params.labels")
    asked = constraint(of, parameters={"labels": ["good"]}, match=match)
    policy, binding = compile_policy(exported.policy(asked.template)), exported.binding(asked)
    made = {**pod(), "metadata": {"generateName": "web-", "namespace": "shop"}}
    for item in (
        made,
        pod("good"),
        pod("web"),
        pod("web", a="b"),
        pod("web", "other"),
        namespace("shop"),
        namespace("good"),
    ):
        review = review_of(item, namespace="")
        api = ApiCluster(parameters=[dict(asked.thing)], namespaces={"shop": namespace("shop")})
        theirs = decide(policy, binding, review, api)
        ours = judge(asked, of_object(item), Cluster())
        assert bool(theirs.decisions) is bool(ours), (match, item)
        assert not any(decision.error for decision in theirs.decisions)
    assert matching.matches(policy.constraints, review_of(pod()), None)


def test_what_no_api_server_can_say_is_refused() -> None:
    with pytest.raises(ParseError, match="only a template in CEL"):
        exported.policy(constraint().template)
    for spec in (
        {"match": {"scope": "Cluster"}},
        {"match": {"source": "Generated"}},
        {"enforcementAction": "scoped", "scopedEnforcementActions": []},
    ):
        with pytest.raises(BulkheadError):
            exported.binding(constraint(cel("true"), **spec))
    assert exported.binding(constraint(cel("true"), enforcementAction="dryrun"))["spec"]["validationActions"] == [
        "Audit"
    ]
    assert template()
