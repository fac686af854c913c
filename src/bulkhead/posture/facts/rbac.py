"""Effective permissions (rbac.authorization.k8s.io/v1): aggregation, wildcards, who can do what.

1. A ClusterRole with an aggregationRule has the rules of every ClusterRole that its selectors pick, transitively.
2. A RoleBinding grants the rules of its role inside its own namespace, a ClusterRoleBinding everywhere.
3. Roles that the API server creates by itself (cluster-admin, admin, edit, view) are known without being read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bulkhead.core.resource import Resource
from bulkhead.posture.facts import selectors
from bulkhead.posture.world import World

Rule = dict[str, Any]

_ALL: Rule = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "resourceNames": [], "nonResourceURLs": []}
_WORKLOADS = [
    "pods",
    "replicationcontrollers",
    "deployments",
    "daemonsets",
    "replicasets",
    "statefulsets",
    "jobs",
    "cronjobs",
]
_WRITE = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_READ = ["get", "list", "watch"]


def _built(verbs: list[str], resources: list[str], groups: list[str] | None = None) -> Rule:
    return {
        "verbs": verbs,
        "apiGroups": groups or ["", "apps", "batch"],
        "resources": resources,
        "resourceNames": [],
        "nonResourceURLs": [],
    }


# What matters of the bootstrap policy (kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go).
BUILT_IN: dict[str, list[Rule]] = {
    "cluster-admin": [_ALL],
    "system:masters": [_ALL],
    "admin": [
        _built(
            _WRITE,
            [
                *_WORKLOADS,
                "configmaps",
                "secrets",
                "serviceaccounts",
                "services",
                "pods/exec",
                "pods/attach",
                "pods/portforward",
            ],
        ),
        _built(_WRITE, ["roles", "rolebindings"], ["rbac.authorization.k8s.io"]),
        _built(["create"], ["serviceaccounts/token"]),
        _built(["impersonate"], ["serviceaccounts"]),
    ],
    "edit": [
        _built(
            _WRITE,
            [
                *_WORKLOADS,
                "configmaps",
                "secrets",
                "serviceaccounts",
                "services",
                "pods/exec",
                "pods/attach",
                "pods/portforward",
            ],
        ),
        _built(["create"], ["serviceaccounts/token"]),
        _built(["impersonate"], ["serviceaccounts"]),
    ],
    "view": [_built(_READ, [*_WORKLOADS, "configmaps", "serviceaccounts", "services"])],
}


@dataclass(frozen=True, slots=True)
class Grant:
    """One rule for one subject; ``namespace`` is empty when it holds everywhere."""

    kind: str
    name: str
    subject_namespace: str
    namespace: str
    rule: Rule
    binding: Resource


def normalised(rules: Any) -> list[Rule]:
    """Every list present, so that expressions need no optionals."""
    return [
        {
            key: list(rule.get(key) or [])
            for key in ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
        }
        for rule in (rules if isinstance(rules, list) else [])
        if isinstance(rule, dict)
    ]


def allows(rules: Any, verb: Any, group: Any, resource: Any) -> bool:
    """Whether a list of rules allows the verb on the resource (``pods/exec`` for a subresource), wildcards honoured."""
    return any(_allows(rule, str(verb), str(group), str(resource)) for rule in rules or ())


def _allows(rule: Rule, verb: str, group: str, resource: str) -> bool:
    verbs, groups, resources = rule["verbs"], rule["apiGroups"], rule["resources"]
    if "*" not in verbs and verb not in verbs:
        return False
    if "*" not in groups and group not in groups:
        return False
    if "*" in resources or resource in resources:
        return True
    _, slash, sub = resource.partition("/")
    return bool(slash) and f"*/{sub}" in resources


def rules_of(world: World, kind: str, name: str, namespace: str = "") -> list[Rule] | None:
    """The rules of a role by reference; None when it was not read and is not built in."""
    key = ("rbac-rules", kind, name, namespace)
    if key in world.memo:
        known: list[Rule] | None = world.memo[key]
        return known
    found: list[Rule] | None = None
    for resource in world.by_kind.get(kind, ()):
        if resource.ref.name == name and (kind == "ClusterRole" or resource.ref.namespace == namespace):
            found = (
                _aggregated(world, resource, ()) if kind == "ClusterRole" else normalised(resource.data.get("rules"))
            )
    if found is None and kind == "ClusterRole":
        found = BUILT_IN.get(name)
    world.memo[key] = found
    return found


def _aggregated(world: World, role: Resource, seen: tuple[str, ...]) -> list[Rule]:
    rules = normalised(role.data.get("rules"))
    rule = role.data.get("aggregationRule")
    if not isinstance(rule, dict) or role.ref.name in seen:
        return rules
    for other in world.by_kind.get("ClusterRole", ()):
        labels = (other.data.get("metadata") or {}).get("labels")
        if other is not role and any(
            selectors.selects(selector, labels) for selector in rule.get("clusterRoleSelectors") or ()
        ):
            rules = rules + _aggregated(world, other, (*seen, role.ref.name))
    return rules


def grants(world: World) -> list[Grant]:
    """Every rule of every subject. Bindings whose role was not read grant nothing here; they are findings elsewhere."""
    if "rbac-grants" in world.memo:
        known: list[Grant] = world.memo["rbac-grants"]
        return known
    out: list[Grant] = []
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        for binding in world.by_kind.get(kind, ()):
            reference = binding.data.get("roleRef") or {}
            scope = binding.ref.namespace if kind == "RoleBinding" else ""
            rules = rules_of(
                world, str(reference.get("kind", "")), str(reference.get("name", "")), binding.ref.namespace
            )
            for subject in subjects(binding):
                out.extend(
                    Grant(subject["kind"], subject["name"], subject["namespace"], scope, rule, binding)
                    for rule in rules or ()
                )
    world.memo["rbac-grants"] = out
    return out


def subjects(binding: Resource) -> list[dict[str, str]]:
    out = []
    for subject in binding.data.get("subjects") or ():
        if isinstance(subject, dict):
            kind = str(subject.get("kind", ""))
            home = str(subject.get("namespace") or (binding.ref.namespace if kind == "ServiceAccount" else ""))
            out.append({"kind": kind, "name": str(subject.get("name", "")), "namespace": home})
    return out


def of_account(world: World, namespace: str, name: str) -> list[Grant]:
    """What a service account may do, through its own name and the groups it is in."""
    key = ("rbac-account", namespace, name)
    if key not in world.memo:
        groups = {"system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"}
        user = f"system:serviceaccount:{namespace}:{name}"
        world.memo[key] = [
            grant
            for grant in grants(world)
            if (grant.kind == "ServiceAccount" and grant.name == name and grant.subject_namespace == namespace)
            or (grant.kind == "Group" and grant.name in groups)
            or (grant.kind == "User" and grant.name == user)
        ]
    known: list[Grant] = world.memo[key]
    return known


def who_can(world: World, verb: str, group: str, resource: str, namespace: str = "") -> list[Grant]:
    """The grants that allow it: in ``namespace`` when given, otherwise anywhere at all."""
    return [
        grant
        for grant in grants(world)
        if _allows(grant.rule, verb, group, resource) and (not namespace or grant.namespace in ("", namespace))
    ]


def is_admin(rules: list[Rule]) -> bool:
    """Everything on everything: cluster-admin by any name."""
    return any("*" in rule["verbs"] and "*" in rule["apiGroups"] and "*" in rule["resources"] for rule in rules)


def facts(world: World, resource: Resource) -> dict[str, Any]:
    """What expressions see as ``rbac`` on a role or a binding."""
    if resource.ref.kind in ("Role", "ClusterRole"):
        return _role_facts(world, resource)
    reference = resource.data.get("roleRef") or {}
    kind, name = str(reference.get("kind", "")), str(reference.get("name", ""))
    rules = rules_of(world, kind, name, resource.ref.namespace)
    found = subjects(resource)
    return {
        "roleFound": rules is not None or name.startswith("system:"),
        "roleKind": kind,
        "roleName": name,
        "rules": rules or [],
        "admin": is_admin(rules or []) or name == "cluster-admin",
        "subjects": found,
        "missingAccounts": [
            f"{subject['namespace']}/{subject['name']}"
            for subject in found
            if subject["kind"] == "ServiceAccount"
            and subject["name"] != "default"
            and not _account_known(world, subject)
        ],
        "system": resource.ref.name.startswith("system:"),
    }


def _account_known(world: World, subject: dict[str, str]) -> bool:
    return any(
        account.ref.name == subject["name"] and account.ref.namespace in (subject["namespace"], "")
        for account in world.by_kind.get("ServiceAccount", ())
    )


def _role_facts(world: World, role: Resource) -> dict[str, Any]:
    kind, name = role.ref.kind, role.ref.name
    rules = _aggregated(world, role, ()) if kind == "ClusterRole" else normalised(role.data.get("rules"))
    bound = [
        subject
        for binding_kind in ("RoleBinding", "ClusterRoleBinding")
        for binding in world.by_kind.get(binding_kind, ())
        if (binding.data.get("roleRef") or {}).get("kind") == kind
        and (binding.data.get("roleRef") or {}).get("name") == name
        and (kind == "ClusterRole" or binding.ref.namespace == role.ref.namespace)
        for subject in subjects(binding)
    ]
    return {
        "rules": rules,
        "bound": bound,
        "system": name.startswith("system:") or name in BUILT_IN,
        "aggregated": isinstance(role.data.get("aggregationRule"), dict),
        "admin": is_admin(rules),
    }
