"""Where the double of the Kubernetes API answers otherwise than the recorded server, each with its reason.

``SOME`` names every difference of an answer; ``ALL`` the answers that the double does not give at all. A line whose difference
has gone fails ``test_kube_double.py``.
"""

from __future__ import annotations

_SHORT = "short names and categories are kubectl's"
_SCALE = "the group and version of a part's kind are told nowhere in this project"

SOME: dict[str, tuple[str, frozenset[str]]] = {
    name: (
        f"{_SHORT}; {_SCALE}; parts that nothing here asks for are left out",
        frozenset(f"body.items[].versions[].resources[].{part}" for part in parts),
    )
    for name, parts in {
        "api-aggregated-discovery": (
            "categories is missing", "shortNames is missing", "subresources is missing", "subresources[].responseKind.group",
            "subresources[].responseKind.version",
        ),
        "apis-aggregated-discovery": (
            "categories is missing", "shortNames is missing", "subresources[].responseKind.group", "subresources[].responseKind.version",
        ),
    }.items()
}  # fmt: skip
SOME |= {
    name: (
        f"{_SHORT}; {_SCALE}; the hash of the stored version is for migrations",
        frozenset(
            f"body.resources[].{part} is missing"
            for part in ("categories", "group", "shortNames", "storageVersionHash", "version")
        ),
    )
    for name in ("api-v1", "apis-apps-v1")
}
SOME |= {
    "dryrun-create-pod": (
        "admission of that cluster: the token's volume, tolerations, a priority, a LimitRange's resources, Pod Security; and the status",
        frozenset(
            {"header Warning", "body.metadata.annotations is missing", "body.status.phase is missing", "body.status.qosClass is missing"}
            | {
                f"body.spec.{part} is missing"
                for part in (
                    "containers[].resources.limits", "containers[].resources.requests", "containers[].volumeMounts", "preemptionPolicy",
                    "priority", "serviceAccount", "serviceAccountName", "tolerations", "volumes",
                )
            }
        ),
    ),
    "error-422-update-pod-field": (
        "after the sentence the server prints a difference of its own types",
        frozenset({"body.message", "body.details.causes[].message"}),
    ),
    "pods-list-inconsistent-continue": (
        "one pod more had come by then, and was not recorded",
        frozenset({"body.metadata.remainingItemCount"}),
    ),
    "podsecurity-namespace-label-warnings": (
        "Pod Security is not played: the double judges no pod",
        frozenset({"header Warning"}),
    ),
}  # fmt: skip

_REVIEW = "nothing of ours asks for reviews and tokens"
_PSA = "Pod Security is not played: the double judges no pod; ``deny`` says what an admission policy would"
_RBAC = "roles are not evaluated: ``forbidden`` says what may not be done"

ALL: dict[str, str] = {
    "error-403-exceeded-quota": "quotas are not counted; ``deny`` says what an admission policy would",
    "error-403-rbac-bind": _RBAC, "error-403-rbac-escalation": _RBAC,
    "error-422-invalid-pod": "values are not validated: that is what a real server is for",
    "livez-verbose": "the list of checks is an operator's", "readyz-verbose": "the list of checks is an operator's",
    "openapi-v3-index": "nothing of ours asks for it", "root": "nothing of ours asks for it", "pod-log": "nothing of ours reads logs",
    "scale-get": "nothing of ours asks for a scale",
    "pods-list-table": "tables are kubectl's", "watch-table": "tables are kubectl's",
    "podsecurity-bad-label-422": _PSA, "podsecurity-deployment-warn-baseline": _PSA, "podsecurity-deployment-warn-restricted": _PSA,
    "podsecurity-enforce-403-baseline": _PSA, "podsecurity-enforce-403-restricted": _PSA, "podsecurity-warn-baseline": _PSA,
    "podsecurity-warn-restricted": _PSA,
    "selfsubjectaccessreview-allowed": _REVIEW, "selfsubjectaccessreview-denied": _REVIEW, "selfsubjectreview-anonymous": _REVIEW,
    "selfsubjectreview-serviceaccount": _REVIEW, "selfsubjectrulesreview-admin": _REVIEW, "selfsubjectrulesreview-serviceaccount": _REVIEW,
    "subjectaccessreview-node": _REVIEW, "tokenrequest-201": _REVIEW, "tokenreview-authenticated": _REVIEW, "tokenreview-bad-token": _REVIEW,
    "tokenreview-wrong-audience": _REVIEW,
    "warning-deprecated-api": "the kind is deprecated and not ours to judge", "warning-endpoints-deprecated": "the kind is deprecated and not ours to judge",
}  # fmt: skip
