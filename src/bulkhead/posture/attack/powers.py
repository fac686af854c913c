"""What an identity's permissions let an attacker do next."""

from __future__ import annotations

from collections.abc import Iterator

from bulkhead.posture.attack.groups import Groups
from bulkhead.posture.attack.model import ADMIN, NODE, Edge, Fix, Vertex
from bulkhead.posture.facts import rbac

# verb, group, resource, technique, control, where it leads.
_CLUSTER = (
    ("escalate", "rbac.authorization.k8s.io", "clusterroles", "ROLE_BIND", "rbac-bind-escalate-impersonate", ADMIN),
    ("bind", "rbac.authorization.k8s.io", "clusterroles", "ROLE_BIND", "rbac-bind-escalate-impersonate", ADMIN),
    (
        "create",
        "rbac.authorization.k8s.io",
        "clusterrolebindings",
        "ROLE_BIND_CRB_CR",
        "rbac-rolebinding-escalation",
        ADMIN,
    ),
    (
        "patch",
        "rbac.authorization.k8s.io",
        "clusterrolebindings",
        "ROLE_BIND_CRB_CR",
        "rbac-rolebinding-escalation",
        ADMIN,
    ),
    ("impersonate", "", "groups", "IDENTITY_IMPERSONATE", "rbac-bind-escalate-impersonate", ADMIN),
    ("impersonate", "", "users", "IDENTITY_IMPERSONATE", "rbac-bind-escalate-impersonate", ADMIN),
    ("update", "certificates.k8s.io", "certificatesigningrequests/approval", "CSR_APPROVE", "rbac-csr-approval", ADMIN),
    (
        "create",
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "WEBHOOK_WRITE",
        "rbac-webhook-config",
        ADMIN,
    ),
    (
        "patch",
        "admissionregistration.k8s.io",
        "mutatingwebhookconfigurations",
        "WEBHOOK_WRITE",
        "rbac-webhook-config",
        ADMIN,
    ),
    ("create", "", "nodes/proxy", "NODE_PROXY", "rbac-node-proxy", NODE),
    ("get", "", "nodes/proxy", "NODE_PROXY", "rbac-node-proxy", NODE),
    ("create", "", "persistentvolumes", "PV_CREATE", "rbac-create-pv", NODE),
)
# The same for what is held inside namespaces too. Targets: node, pods or accounts of the scope.
_SCOPED = (
    ("create", "", "pods", "POD_CREATE", "rbac-create-pods", "node"),
    ("create", "apps", "deployments", "POD_CREATE", "rbac-create-pods", "node"),
    ("create", "apps", "daemonsets", "POD_CREATE", "rbac-create-pods", "node"),
    ("create", "batch", "cronjobs", "POD_CREATE", "rbac-create-pods", "node"),
    ("patch", "", "pods", "POD_PATCH", "rbac-patch-pods", "pods"),
    ("patch", "apps", "deployments", "POD_PATCH", "rbac-create-pods", "node"),
    ("create", "", "pods/exec", "POD_EXEC", "rbac-pod-exec", "pods"),
    ("create", "", "pods/attach", "POD_ATTACH", "rbac-pod-exec", "pods"),
    ("patch", "", "pods/ephemeralcontainers", "POD_EXEC", "rbac-pod-exec", "pods"),
    ("update", "", "pods", "POD_PATCH", "rbac-patch-pods", "pods"),
    ("list", "", "secrets", "TOKEN_LIST", "rbac-secrets-read", "accounts"),
    ("get", "", "secrets", "TOKEN_BRUTEFORCE", "rbac-secrets-read", "accounts"),
    ("create", "", "serviceaccounts/token", "TOKEN_CREATE", "rbac-token-create", "accounts"),
    ("impersonate", "", "serviceaccounts", "IDENTITY_IMPERSONATE", "rbac-bind-escalate-impersonate", "accounts"),
    ("create", "rbac.authorization.k8s.io", "rolebindings", "ROLE_BIND", "rbac-rolebinding-escalation", "bindings"),
    ("patch", "rbac.authorization.k8s.io", "rolebindings", "ROLE_BIND", "rbac-rolebinding-escalation", "bindings"),
)  # fmt: skip


def edges(account: Vertex, grants: list[rbac.Grant], groups: Groups) -> Iterator[Edge]:
    """The next steps that the grants of one account open, each target and technique once."""
    seen: set[tuple[Vertex, str]] = set()
    for grant in grants:
        for edge in _of(account, grant, groups):
            if (edge.target, edge.technique) not in seen and edge.target != account:
                seen.add((edge.target, edge.technique))
                yield edge


def _of(account: Vertex, grant: rbac.Grant, groups: Groups) -> Iterator[Edge]:
    binding = grant.binding.ref
    label = "/".join(part for part in (binding.kind, binding.namespace, binding.name) if part)
    because = f"through {binding.kind} {binding.name}"
    if rbac.is_admin([grant.rule]):
        if not grant.namespace:
            yield Edge(account, ADMIN, "CLUSTER_ADMIN", because, (Fix("rbac-cluster-admin", label),))
        else:
            yield Edge(account, NODE, "POD_CREATE", because, (Fix("rbac-wildcards", label),))
            for target in groups.targets("accounts", grant.namespace):
                yield Edge(account, target, "ROLE_BIND", because, (Fix("rbac-wildcards", label),))
        return
    named = bool(grant.rule["resourceNames"])
    if not grant.namespace:
        for verb, group, resource, technique, control, target in _CLUSTER:
            if rbac.allows([grant.rule], verb, group, resource) and not (named and verb == "impersonate"):
                why = f"may {verb} {resource} {because}"
                yield Edge(account, target, technique, why, (Fix(control, label),))
    yield from _scoped(account, grant, groups, label, because)


def _scoped(account: Vertex, grant: rbac.Grant, groups: Groups, label: str, because: str) -> Iterator[Edge]:
    for verb, group, resource, technique, control, reach in _SCOPED:
        if not rbac.allows([grant.rule], verb, group, resource):
            continue
        fixes = (Fix(control, label),)
        why = f"may {verb} {resource} {because}"
        if reach == "node":
            targets: tuple[Vertex, ...] = (NODE,)
        elif reach == "bindings" and not grant.namespace:
            targets = (ADMIN,)
        else:
            targets = groups.targets("pods" if reach == "pods" else "accounts", grant.namespace)
        for target in targets:
            yield Edge(account, target, technique, why, fixes)
