"""Resources of Terraform's kubernetes provider as the objects they make.

The provider writes Kubernetes' camelCase names in snake_case and single structures as blocks, which arrive as lists of
one body; what is a list in Kubernetes is named here.
"""

from __future__ import annotations

from typing import Any, Final

from bulkhead.core.resource import UNKNOWN

_KINDS: Final = {
    "pod": ("v1", "Pod"),
    "pod_security_policy": ("policy/v1beta1", "PodSecurityPolicy"),
    "deployment": ("apps/v1", "Deployment"),
    "daemonset": ("apps/v1", "DaemonSet"),
    "daemon_set": ("apps/v1", "DaemonSet"),
    "stateful_set": ("apps/v1", "StatefulSet"),
    "replication_controller": ("v1", "ReplicationController"),
    "job": ("batch/v1", "Job"),
    "cron_job": ("batch/v1", "CronJob"),
    "service": ("v1", "Service"),
    "service_account": ("v1", "ServiceAccount"),
    "namespace": ("v1", "Namespace"),
    "config_map": ("v1", "ConfigMap"),
    "secret": ("v1", "Secret"),
    "ingress": ("networking.k8s.io/v1", "Ingress"),
    "network_policy": ("networking.k8s.io/v1", "NetworkPolicy"),
    "role": ("rbac.authorization.k8s.io/v1", "Role"),
    "role_binding": ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    "cluster_role": ("rbac.authorization.k8s.io/v1", "ClusterRole"),
    "cluster_role_binding": ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    "limit_range": ("v1", "LimitRange"),
    "resource_quota": ("v1", "ResourceQuota"),
    "pod_disruption_budget": ("policy/v1", "PodDisruptionBudget"),
    "horizontal_pod_autoscaler": ("autoscaling/v2", "HorizontalPodAutoscaler"),
}
# Block types that Kubernetes holds in a list, by the list's name there.
_LISTS: Final = {
    "container": "containers",
    "init_container": "initContainers",
    "volume": "volumes",
    "volume_mount": "volumeMounts",
    "env": "env",
    "env_from": "envFrom",
    "port": "ports",
    "ports": "ports",
    "toleration": "tolerations",
    "host_aliases": "hostAliases",
    "image_pull_secrets": "imagePullSecrets",
    "image_pull_secret": "imagePullSecrets",
    "topology_spread_constraint": "topologySpreadConstraints",
    "sysctl": "sysctls",
    "rule": "rules",
    "subject": "subjects",
    "ingress": "ingress",
    "egress": "egress",
    "from": "from",
    "to": "to",
    "items": "items",
    "match_expressions": "matchExpressions",
    "volume_claim_template": "volumeClaimTemplates",
    "limit": "limits",
    "http_header": "httpHeaders",
    "secret": "secrets",
}
_FREE: Final = frozenset(
    ("labels", "annotations", "match_labels", "data", "node_selector", "limits", "requests", "hard")
)


def kubernetes_object(kind: str, body: dict[str, Any]) -> dict[str, Any] | None:
    """The object that the provider would make; None for any other resource type."""
    if not kind.startswith("kubernetes_"):
        return None
    word = kind.removeprefix("kubernetes_")
    for version in ("_v1", "_v2", "_v1beta1"):
        word = word.removesuffix(version)
    if kind == "kubernetes_manifest":
        manifest = body.get("manifest")
        if not isinstance(manifest, dict) or not isinstance(manifest.get("metadata", {}), dict):
            return None
        known = all(isinstance(manifest.get(part), str) for part in ("apiVersion", "kind"))
        return {"metadata": {}, **manifest} if known else None
    if word not in _KINDS:
        return None
    version, name = _KINDS[word]
    value = _converted(body)
    metadata = value.pop("metadata", None)
    return {
        "apiVersion": version,
        "kind": name,
        "metadata": metadata if isinstance(metadata, dict) else {},
        **{key: item for key, item in value.items() if key not in ("timeouts", "waitForRollout", "dynamic")},
    }


def _converted(body: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in body.items():
        if name in _FREE:
            out[camel(name)] = value
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            if name in _LISTS and not _is_structure(name, value):
                out[_LISTS[name]] = [_converted(item) for item in value]
            else:
                out[camel(name)] = _converted(value[0])
        elif isinstance(value, list) and not value:
            out[camel(name)] = value
        elif value is UNKNOWN and name in _LISTS:
            out[_LISTS[name]] = UNKNOWN
        else:
            out[camel(name)] = value
    return out


def _is_structure(name: str, value: list[Any]) -> bool:
    """Names that are a list in one place and a structure in another: a volume's ``secret``, a backend's ``port``."""
    if name == "secret":
        return "secret_name" in value[0] or "default_mode" in value[0]
    return name == "port" and len(value) == 1 and not any("port" in key or key == "protocol" for key in value[0])


def camel(name: str) -> str:
    """``run_as_user`` as ``runAsUser``, with the abbreviations that Kubernetes writes in capitals."""
    first, *rest = name.split("_")
    return first + "".join(_CAPITALS.get(word, word.capitalize()) for word in rest)


_CAPITALS: Final = {"ip": "IP", "ips": "IPs", "pid": "PID", "ipc": "IPC", "cidr": "CIDR", "fqdn": "FQDN"}
