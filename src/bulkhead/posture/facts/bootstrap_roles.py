"""Roles that every API server makes by itself, as far as their rules matter to a verdict.

After kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go.
"""

from __future__ import annotations

from typing import Any

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


BUILT_IN: dict[str, list[Rule]] = {
    "cluster-admin": [_ALL],
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
