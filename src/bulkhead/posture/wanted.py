"""Which kinds of Kubernetes objects the controls and their facts read: what a live source lists, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from bulkhead.core.control import Control

# What facts, views and generators look at, whatever the controls name.
_ALWAYS: Final = frozenset({
    "Namespace", "Node", "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController",
    "DeploymentConfig", "Service", "ServiceAccount", "Secret", "ConfigMap", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding",
    "NetworkPolicy", "Ingress", "PodDisruptionBudget", "HorizontalPodAutoscaler", "ScaledObject", "ResourceQuota", "LimitRange",
    "PeerAuthentication", "AuthorizationPolicy", "Route", "Gateway", "HTTPRoute", "ClusterVersion", "CustomResourceDefinition",
    "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "ClusterImagePolicy",
})  # fmt: skip
_NAMED = re.compile(r"cluster\.\??([A-Z][A-Za-z]+)|cluster\[\??['\"]([A-Z][A-Za-z]+)")
# Words of controls that are no kinds of objects.
_ELSEWHERE: Final = re.compile(
    r"^(aws_|azurerm_|google_|data\.|AWS::|terraform:|cloudformation:|container|pod|namespace|role|binding|cluster|kubernetes|Component)"
)


def kinds(controls: Iterable[Control]) -> frozenset[str]:
    """Kinds, each plain or with its group before a slash (``config.openshift.io/Image``)."""
    found = set(_ALWAYS)
    for control in controls:
        tokens = {*control.applies_to, *control.needs.kinds}
        texts = [control.instructions]
        for check in control.checks:
            tokens.update(check.applies_to)
            texts += [check.expression, check.when, check.evidence]
        found.update(
            token for token in tokens if not _ELSEWHERE.match(token) and token.rpartition("/")[2][:1].isupper()
        )
        for text in texts:
            found.update(first or second for first, second in _NAMED.findall(text))
    return frozenset(found)
