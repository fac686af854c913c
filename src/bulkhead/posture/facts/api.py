"""Which API group has which resources: what takes the place of a wildcard in a role.

Secrets, tokens, subresources that run commands, and everything of rbac and admission are left out on purpose: a role
that needs one of them has to name it.
"""

from __future__ import annotations

from typing import Any

from bulkhead.engines.cel.errors import CelError

_COMMON: dict[str, tuple[str, ...]] = {
    "": (
        "configmaps", "endpoints", "events", "limitranges", "namespaces", "nodes", "persistentvolumeclaims",
        "persistentvolumes", "pods", "pods/log", "replicationcontrollers", "resourcequotas", "serviceaccounts",
        "services",
    ),
    "apps": ("controllerrevisions", "daemonsets", "deployments", "replicasets", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "coordination.k8s.io": ("leases",),
    "discovery.k8s.io": ("endpointslices",),
    "events.k8s.io": ("events",),
    "extensions": ("ingresses",),
    "gateway.networking.k8s.io": ("gatewayclasses", "gateways", "grpcroutes", "httproutes"),
    "metrics.k8s.io": ("nodes", "pods"),
    "networking.k8s.io": ("ingressclasses", "ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
    "storage.k8s.io": ("csidrivers", "csinodes", "storageclasses", "volumeattachments"),
}  # fmt: skip
_NOT_GRANTED_BY_STAR = {
    "rbac.authorization.k8s.io": ("clusterrolebindings", "clusterroles", "rolebindings", "roles"),
    "admissionregistration.k8s.io": ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
    "certificates.k8s.io": ("certificatesigningrequests",),
    "": ("secrets",),
}
_PRIMARY = ("", "apps", "batch", "networking.k8s.io", "autoscaling", "policy")


def groups(resources: Any) -> list[str]:
    """The groups that have the named resources; for ``*`` those of workloads, networking and their core objects.

    Raises:
        CelError: a resource belongs to no group that is known here.
    """
    if "*" in resources:
        return list(_PRIMARY)
    found: list[str] = []
    for resource in resources:
        name = str(resource).partition("/")[0]
        table = [*_COMMON.items(), *_NOT_GRANTED_BY_STAR.items()]
        group = next((group for group, names in table if name in names), None)
        if group is None:
            raise CelError(f"the API group of {name} is not known")
        if group not in found:
            found.append(group)
    return found


def resources(given: Any) -> list[str]:
    """The resources of the named groups that a reader may see without reading credentials.

    Raises:
        CelError: the resources of a group are not known here.
    """
    wanted = _PRIMARY if "*" in given else tuple(given)
    unknown = [str(group) for group in wanted if group not in _COMMON]
    if unknown:
        raise CelError(f"the resources of {', '.join(unknown)} are not known")
    return sorted({resource for group in wanted for resource in _COMMON[group]})
