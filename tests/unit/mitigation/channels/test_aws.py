"""What of an AWS resource is recorded, and what a change of it asks and risks."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.canonical import canonical
from bulkhead.core.control import MitigationClass
from bulkhead.core.resource import UNKNOWN
from bulkhead.mitigation.channels.aws import CHANGEABLE, KINDS
from bulkhead.mitigation.operations import DoesNotApply

OFF = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("EcsCluster", {"settings": []}, {"settings": [{"name": "containerInsights", "value": "disabled"}]}),
        ("EcsService", {"deploymentConfiguration": OFF}, {}),
        ("EcsService", {"desiredCount": 1, "events": ["x"]}, {"desiredCount": 9}),
        ("EksCluster", {"deletionProtection": False}, {}),
        (
            "EksCluster", {"logging": {"clusterLogging": [{"types": ["audit", "api"], "enabled": True}]}},
            {"logging": {"clusterLogging": [
                {"types": ["scheduler", "authenticator", "controllerManager"], "enabled": False},
                {"types": ["api"], "enabled": True}, {"types": ["audit"], "enabled": True},
            ]}},
        ),
        (
            "EksCluster", {"resourcesVpcConfig": {"subnetIds": ["a"], "vpcId": "v"}},
            {"resourcesVpcConfig": {"endpointPublicAccess": True, "endpointPrivateAccess": False, "publicAccessCidrs": ["0.0.0.0/0"]}},
        ),
        ("EcrRepository", {"policyText": UNKNOWN, "latestImage": {"n": 1}}, {"latestImage": UNKNOWN}),
    ],
)  # fmt: skip
def test_what_is_the_same_has_one_record(kind: str, left: dict[str, Any], right: dict[str, Any]) -> None:
    assert canonical(KINDS[kind].record(left)) == canonical(KINDS[kind].record(right))


def test_what_is_not_the_same_has_another_record() -> None:
    record = KINDS["EksCluster"].record
    narrow = {"resourcesVpcConfig": {"publicAccessCidrs": ["10.0.0.0/8"]}}
    assert record(narrow) != record({"resourcesVpcConfig": {}})
    breaker = {"deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": False, "rollback": True}}}
    assert KINDS["EcsService"].record(breaker) != KINDS["EcsService"].record({})


@pytest.mark.parametrize(
    ("kind", "field", "risk", "asks"),
    [
        ("EcrRepository", "imageScanningConfiguration", "none", MitigationClass.AUTO),
        ("EcrRepository", "policyText", "none", MitigationClass.GUARDED),
        ("EcsService", "deploymentConfiguration", "none", MitigationClass.AUTO),
        ("EcsService", "platformVersion", "restart", MitigationClass.GUARDED),
        ("EksCluster", "logging", "none", MitigationClass.AUTO),
        ("EksCluster", "resourcesVpcConfig", "none", MitigationClass.GUARDED),
        ("IamPolicy", "document", "none", MitigationClass.GUARDED),
    ],
)
def test_what_closes_a_way_or_starts_tasks_anew_takes_a_yes(
    kind: str, field: str, risk: str, asks: MitigationClass
) -> None:
    made = KINDS[kind].method({}, frozenset({(field,)}))
    assert (made.risk, made.asks) == (risk, asks)
    assert made.needs


def test_what_no_call_changes_is_refused() -> None:
    for kind in CHANGEABLE:
        with pytest.raises(DoesNotApply):
            KINDS[kind].method({}, frozenset({("somethingElse",)}))
