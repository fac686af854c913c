"""The kinds that the double has from the start: group, version, kind, plural, namespaced; and the parts of them that it tells."""

from __future__ import annotations

Kind = tuple[str, str, str, str, bool]

BUILT_IN: tuple[Kind, ...] = (
    ("", "v1", "Namespace", "namespaces", False), ("", "v1", "Node", "nodes", False), ("", "v1", "Pod", "pods", True),
    ("", "v1", "Service", "services", True), ("", "v1", "ServiceAccount", "serviceaccounts", True), ("", "v1", "Secret", "secrets", True),
    ("", "v1", "ConfigMap", "configmaps", True), ("", "v1", "PersistentVolume", "persistentvolumes", False),
    ("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True), ("", "v1", "ResourceQuota", "resourcequotas", True),
    ("", "v1", "LimitRange", "limitranges", True), ("", "v1", "ReplicationController", "replicationcontrollers", True),
    ("apps", "v1", "Deployment", "deployments", True), ("apps", "v1", "ReplicaSet", "replicasets", True),
    ("apps", "v1", "StatefulSet", "statefulsets", True), ("apps", "v1", "DaemonSet", "daemonsets", True),
    ("batch", "v1", "Job", "jobs", True), ("batch", "v1", "CronJob", "cronjobs", True),
    ("rbac.authorization.k8s.io", "v1", "Role", "roles", True), ("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings", True),
    ("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", False),
    ("rbac.authorization.k8s.io", "v1", "ClusterRoleBinding", "clusterrolebindings", False),
    ("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", True), ("networking.k8s.io", "v1", "Ingress", "ingresses", True),
    ("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", True),
    ("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", True),
    ("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", False),
    ("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", False),
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", False),
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", False),
    ("storage.k8s.io", "v1", "StorageClass", "storageclasses", False),
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False),
)  # fmt: skip

_STATUS = (
    "Namespace", "Node", "Pod", "Service", "PersistentVolume", "PersistentVolumeClaim", "ResourceQuota", "ReplicationController",
    "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "Ingress", "PodDisruptionBudget",
    "HorizontalPodAutoscaler", "ValidatingAdmissionPolicy", "CustomResourceDefinition",
)  # fmt: skip
_SCALED = ("ReplicationController", "Deployment", "ReplicaSet", "StatefulSet")
_THREE = ("get", "patch", "update")

# Subresources by kind: name, the kind that they answer with, verbs.
PARTS: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]] = {
    kind: (
        *((("scale", "Scale", _THREE),) if kind in _SCALED else ()),
        *((("proxy", "NodeProxyOptions", ("create", "delete", "get", "patch", "update")),) if kind == "Node" else ()),
        ("status", kind, _THREE),
    )
    for kind in _STATUS
}
HAS_STATUS = frozenset(_STATUS)
