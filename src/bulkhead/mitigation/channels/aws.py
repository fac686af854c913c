"""Resources of an AWS account: what of each was asked for, and what a call can change and take back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bulkhead.core.control import MitigationClass
from bulkhead.core.resource import UNKNOWN, DocumentPath
from bulkhead.mitigation.records import Kind, Method, refuse_outside

# What each kind's calls take, and take back; anything else is a person's to change.
CHANGEABLE: Final[dict[str, frozenset[str]]] = {
    "EcrRepository": frozenset({
        "imageScanningConfiguration", "imageTagMutability", "imageTagMutabilityExclusionFilters", "policyText", "lifecyclePolicyText",
    }),
    "EcsCluster": frozenset({"settings"}),
    "EcsService": frozenset({"deploymentConfiguration", "networkConfiguration", "enableExecuteCommand", "platformVersion"}),
    "EcsContainerInstance": frozenset({"metadataOptions"}),
    "EksCluster": frozenset({"logging", "resourcesVpcConfig", "deletionProtection"}),
    "EksNodegroup": frozenset({"metadataOptions"}),
    "IamPolicy": frozenset({"document"}),
}  # fmt: skip
_CALLS: Final[dict[str, dict[str, str]]] = {
    "EcrRepository": {
        "imageScanningConfiguration": "ecr:PutImageScanningConfiguration", "imageTagMutability": "ecr:PutImageTagMutability",
        "imageTagMutabilityExclusionFilters": "ecr:PutImageTagMutability",
        "policyText": "ecr:SetRepositoryPolicy, ecr:DeleteRepositoryPolicy",
        "lifecyclePolicyText": "ecr:PutLifecyclePolicy, ecr:DeleteLifecyclePolicy",
    },
    "EcsCluster": {"settings": "ecs:UpdateCluster"},
    "EcsService": dict.fromkeys(CHANGEABLE["EcsService"], "ecs:UpdateService"),
    "EcsContainerInstance": {"metadataOptions": "ec2:ModifyInstanceMetadataOptions"},
    "EksCluster": dict.fromkeys(CHANGEABLE["EksCluster"], "eks:UpdateClusterConfig, eks:DescribeUpdate"),
    "EksNodegroup": {"metadataOptions": "ec2:ModifyInstanceMetadataOptions"},
    "IamPolicy": {"document": "iam:CreatePolicyVersion, iam:SetDefaultPolicyVersion, iam:DeletePolicyVersion"},
}  # fmt: skip
# Fields by which the thing itself is told apart; a change of them is another thing.
_IDENTITY: Final = (
    "repositoryArn", "clusterArn", "serviceArn", "containerInstanceArn", "ec2InstanceId", "arn", "nodegroupArn", "launchTemplate",
)  # fmt: skip
LOGS: Final = ("api", "audit", "authenticator", "controllerManager", "scheduler")
"""The control plane logs of EKS."""
# A service's new network or platform starts its tasks anew.
_ROLLS: Final = frozenset({"networkConfiguration", "platformVersion"})
# What reaches or closes a running thing's ways takes a yes, whatever the same repair asks in a file.
_CLOSES: Final = frozenset({"resourcesVpcConfig", "metadataOptions", "document", "policyText"})


def _logging(value: Any) -> Any:
    """One form for what is logged: the cloud groups and orders the same answer as it likes."""
    groups = value.get("clusterLogging") or []
    on = {kind for group in groups if group.get("enabled") for kind in group.get("types") or ()}
    off = {kind for group in groups for kind in group.get("types") or ()} - on
    return {
        "clusterLogging": [
            {"types": sorted(on), "enabled": True},
            {"types": sorted(off | {*LOGS} - on), "enabled": False},
        ]
    }


def _settings(value: Any) -> Any:
    """Settings that are on: one that is off is the same as none."""
    on = [setting for setting in value if setting.get("value") != "disabled"]
    return sorted(on, key=lambda setting: str(setting.get("name")))


def _endpoint(value: Any) -> Any:
    """Who reaches the API server, the cloud's defaults where nothing is said; networks matter to a public endpoint alone."""
    public = value.get("endpointPublicAccess") is not False
    networks = {"publicAccessCidrs": sorted(value.get("publicAccessCidrs") or ["0.0.0.0/0"])} if public else {}
    return {
        "endpointPublicAccess": public,
        "endpointPrivateAccess": value.get("endpointPrivateAccess") is True,
        **networks,
    }


def _deployment(value: Any) -> Any:
    """A circuit breaker that is off is the same as none."""
    out = dict(value)
    if not any((out.get("deploymentCircuitBreaker") or {}).values()):
        out.pop("deploymentCircuitBreaker", None)
    return out


def _on(value: Any) -> Any:
    return value or None


_FORMS: Final = {
    "logging": _logging, "settings": _settings, "resourcesVpcConfig": _endpoint, "deploymentConfiguration": _deployment,
    "deletionProtection": _on, "enableExecuteCommand": _on,
}  # fmt: skip


def record_of(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """What of a resource a call can change, and which one it is; what is not known, off or empty is not recorded."""
    out = {name: data[name] for name in _IDENTITY if name in data}
    for name in CHANGEABLE[kind]:
        value = data.get(name)
        if value is None or value is UNKNOWN:
            continue
        formed = _FORMS[name](value) if name in _FORMS else value
        if formed or formed is False:
            out[name] = formed
    return out


def _kind(name: str) -> Kind:
    def record(data: Mapping[str, Any]) -> dict[str, Any]:
        return record_of(name, data)

    def method(_: Mapping[str, Any], changed: frozenset[DocumentPath]) -> Method:
        refuse_outside(changed, lambda path: path[0] in CHANGEABLE[name], f"no call for {name}")
        fields = {str(path[0]) for path in changed}
        calls = tuple(dict.fromkeys(_CALLS[name][field] for field in sorted(fields)))
        risk: Any = "restart" if fields & _ROLLS else "none"
        asks = MitigationClass.GUARDED if fields & (_ROLLS | _CLOSES) else MitigationClass.AUTO
        return Method("call", calls, "make the calls again with the former values", risk, asks)

    return Kind("aws", record, method)


KINDS: Final = {name: _kind(name) for name in CHANGEABLE}
