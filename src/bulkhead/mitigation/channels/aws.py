"""Resources of an AWS account: what was asked of them, without what the account counts, and what a call can change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bulkhead.core.resource import DocumentPath
from bulkhead.mitigation.records import Kind, Method, refuse_outside, without

_COUNTED: Final = (
    "status", "statistics", "runningCount", "pendingCount", "events", "deployments", "taskSets", "createdAt", "updatedAt", "modifiedAt",
    "latestImage", "registeredContainerInstancesCount", "runningTasksCount", "pendingTasksCount", "activeServicesCount",
    "health", "resources", "used", "registeredAt", "registeredBy", "RoleLastUsed", "revision", "taskDefinitionArn",
)  # fmt: skip
# What each kind's calls take; anything else is a person's to change.
CHANGEABLE: Final[dict[str, frozenset[str]]] = {
    "EcrRepository": frozenset({"imageScanningConfiguration", "imageTagMutability", "policyText", "lifecyclePolicyText"}),
    "EcsCluster": frozenset({"settings", "configuration"}),
    "EcsService": frozenset({
        "deploymentConfiguration", "networkConfiguration", "enableExecuteCommand", "platformVersion", "taskDefinition",
    }),
    "EcsTaskDefinition": frozenset({
        "containerDefinitions", "networkMode", "pidMode", "ipcMode", "volumes", "taskRoleArn", "executionRoleArn",
    }),
    "EcsContainerInstance": frozenset({"metadataOptions"}),
    "EksCluster": frozenset({"logging", "resourcesVpcConfig", "deletionProtection"}),
    "EksNodegroup": frozenset({"metadataOptions", "updateConfig", "labels", "taints", "scalingConfig"}),
    "IamPolicy": frozenset({"document"}),
}  # fmt: skip
_CALLS: Final = {
    "EcrRepository": "ecr:PutImageScanningConfiguration, ecr:PutImageTagMutability, ecr:SetRepositoryPolicy, ecr:PutLifecyclePolicy",
    "EcsCluster": "ecs:UpdateCluster, ecs:UpdateClusterSettings", "EcsService": "ecs:UpdateService",
    "EcsTaskDefinition": "ecs:RegisterTaskDefinition, ecs:UpdateService", "EcsContainerInstance": "ec2:ModifyInstanceMetadataOptions",
    "EksCluster": "eks:UpdateClusterConfig", "EksNodegroup": "eks:UpdateNodegroupConfig, ec2:ModifyInstanceMetadataOptions",
    "IamPolicy": "iam:CreatePolicyVersion",
}  # fmt: skip
_ROLLS: Final = frozenset({"EcsService", "EcsTaskDefinition"})


def record(data: Mapping[str, Any]) -> dict[str, Any]:
    return without(data, *_COUNTED)


def _kind(name: str) -> Kind:
    def method(_: Mapping[str, Any], changed: frozenset[DocumentPath]) -> Method:
        refuse_outside(changed, lambda path: path[0] in CHANGEABLE[name], f"no call for {name}")
        risk: Any = "restart" if name in _ROLLS else "none"
        return Method("call", (_CALLS[name],), "make the calls again with the former values", risk)

    return Kind("aws", record, method)


KINDS: Final = {name: _kind(name) for name in CHANGEABLE}
