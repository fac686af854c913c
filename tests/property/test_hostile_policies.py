"""Objects of any shape before policies: something is said of them, or they are refused; nothing breaks."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from bulkhead.app.policies import applying, loading
from bulkhead.app.policies.model import Document
from bulkhead.core.errors import BulkheadError
from bulkhead.engines.gatekeeper.audit import audit
from bulkhead.engines.gatekeeper.mutation import mutate
from bulkhead.engines.gatekeeper.objects import Objects
from tests.fakes.junk import mutated
from tests.unit.engines.gatekeeper.test_around import DEPLOYMENT, expander
from tests.unit.engines.gatekeeper.test_mutation import assign
from tests.unit.engines.gatekeeper.things import cel, constraint, namespace, pod, template

JUNK: list[Any] = [None, True, 0, -1, 1.5, "", "x", [], {}, [None], [[]], {"a": None}, 10**25]
OBJECTS = [pod(a="b"), DEPLOYMENT, namespace("shop", team="a")]
POLICIES: list[dict[str, Any]] = [
    template(), cel("has(object.metadata) && object.metadata.name != 'x'"), dict(constraint(parameters={"labels": ["a"]}).thing),
    dict(constraint(cel("true"), match={"kinds": [{"kinds": ["Pod"]}], "namespaceSelector": {"matchLabels": {"a": "b"}}}).thing),
    {"apiVersion": "mutations.gatekeeper.sh/v1", "kind": "Assign", "metadata": {"name": "m"}, "spec": {
        "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"]}], "location": "spec.a[name: x].b", "parameters": {"assign": {"value": 1}},
    }},
    {"apiVersion": "expansion.gatekeeper.sh/v1beta1", "kind": "ExpansionTemplate", "metadata": {"name": "e"}, "spec": {
        "applyTo": [{"groups": ["apps"], "versions": ["v1"], "kinds": ["Deployment"]}], "templateSource": "spec.template", "generatedGVK": {"kind": "Pod", "version": "v1"},
    }},
    {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "v"}, "spec": {
        "failurePolicy": "Fail", "paramKind": {"apiVersion": "v1", "kind": "Namespace"},
        "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]},
        "matchConditions": [{"name": "c", "expression": "true"}], "variables": [{"name": "n", "expression": "object.metadata.name"}],
        "validations": [{"expression": "variables.n != params.metadata.name", "message": "m"}], "auditAnnotations": [{"key": "k", "valueExpression": "'v'"}],
    }},
    {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "b"}, "spec": {
        "policyName": "v", "validationActions": ["Deny"], "paramRef": {"name": "shop", "parameterNotFoundAction": "Deny"},
        "matchResources": {"namespaceSelector": {"matchLabels": {"team": "a"}}},
    }},
]  # fmt: skip


@pytest.mark.parametrize("start", range(0, 900, 300))
def test_objects_of_any_shape(start: int) -> None:
    policies = loading.load([Document("p", item) for item in POLICIES])
    assert not policies.refused
    for seed in range(start, start + 300):
        rng = random.Random(seed)
        things = [mutated(copy.deepcopy(item), rng, JUNK) for item in OBJECTS]
        documents = applying.objects(Document("o", item) for item in things)
        applying.apply(policies, documents)
        held = [item.value for item in documents]
        audit(policies.constraints, held, Objects(held), expanders=[expander()], mutators=policies.mutators)
        for item in held:
            try:
                mutate([assign("spec.containers[name: *].image", "x"), *policies.mutators], item, Objects(held))
            except BulkheadError:
                continue


@pytest.mark.parametrize("start", range(0, 900, 300))
def test_policies_of_any_shape(start: int) -> None:
    for seed in range(start, start + 300):
        rng = random.Random(seed)
        documents = [Document("p", mutated(copy.deepcopy(item), rng, JUNK)) for item in POLICIES]
        policies = loading.load(documents)
        applying.apply(policies, [Document("o", item) for item in OBJECTS])
