"""Admission policies that need nothing installed, or only warn (admissionregistration.k8s.io/v1, policy.sigstore.dev)."""

from __future__ import annotations

from typing import Any

from bulkhead.posture.evaluate import Verdict
from bulkhead.posture.world import World

_CONTAINERS = "(object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : []))"  # one place, because ValidatingAdmissionPolicy has no macros of its own
_VALIDATIONS = (
    (
        f"!{_CONTAINERS}.exists(c, has(c.securityContext) && has(c.securityContext.privileged) && c.securityContext.privileged)",
        "privileged containers are refused",
    ),
    (
        "!(has(object.spec.hostPID) && object.spec.hostPID) && !(has(object.spec.hostIPC) && object.spec.hostIPC) && !(has(object.spec.hostNetwork) && object.spec.hostNetwork)",
        "the node's namespaces are refused",
    ),
    (
        "!has(object.spec.volumes) || !object.spec.volumes.exists(v, has(v.hostPath))",
        "paths of the node are refused",
    ),
)


def validating(world: World, verdict: Verdict, namespace: str) -> tuple[str, str, list[dict[str, Any]]]:  # noqa: ARG001 (one shape for all generators)
    """The worst of a pod refused outside the platform's namespaces."""
    name = "bulkhead-baseline"
    rules = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["pods"]}
    policy = _object("ValidatingAdmissionPolicy", name, {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": [rules]},
        "validations": [{"expression": text, "message": message} for text, message in _VALIDATIONS],
    })  # fmt: skip
    outside = {
        "key": "kubernetes.io/metadata.name",
        "operator": "NotIn",
        "values": ["kube-system", "kube-public", "kube-node-lease"],
    }
    binding = _object("ValidatingAdmissionPolicyBinding", name, {
        "policyName": name,
        "validationActions": ["Deny", "Audit"],
        "matchResources": {"namespaceSelector": {"matchExpressions": [outside]}},
    })  # fmt: skip
    return "privileged pods are refused", "admission-policy", [policy, binding]


def images(world: World, verdict: Verdict, namespace: str) -> tuple[str, str, list[dict[str, Any]]]:  # noqa: ARG001 (one shape for all generators)
    """Unsigned images are named in a warning; the identities of the signers are for a person to fill in later."""
    made = {
        "apiVersion": "policy.sigstore.dev/v1beta1",
        "kind": "ClusterImagePolicy",
        "metadata": {"name": "bulkhead-signed-images"},
        "spec": {
            "mode": "warn",
            "images": [{"glob": "**"}],
            "authorities": [{"keyless": {"url": "https://fulcio.sigstore.dev", "identities": [{"issuerRegExp": ".+", "subjectRegExp": ".+"}]}}],
        },
    }  # fmt: skip
    return "unsigned images are reported", "image-policy", [made]


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
