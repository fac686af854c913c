"""An audit policy that records what an investigation asks for and keeps secrets' contents out of the log."""

from __future__ import annotations

from typing import Any

from bulkhead.posture.evaluate import Verdict
from bulkhead.posture.world import World


def policy(world: World, verdict: Verdict, namespace: str) -> tuple[str, str, list[dict[str, Any]]]:  # noqa: ARG001 (one shape for all generators)
    """Metadata for everything that touches secrets and tokens, requests for changes of access, nothing for noise."""
    rules = [
        {"level": "None", "users": ["system:kube-proxy"], "verbs": ["watch"], "resources": [{"group": "", "resources": ["endpoints", "services"]}]},
        {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version"]},
        {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets", "configmaps", "serviceaccounts/token"]}, {"group": "authentication.k8s.io", "resources": ["tokenreviews"]}]},
        {"level": "RequestResponse", "resources": [{"group": "", "resources": ["pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers", "nodes/proxy", "services/proxy"]}]},
        {"level": "RequestResponse", "verbs": ["create", "update", "patch", "delete", "deletecollection"], "resources": [{"group": "rbac.authorization.k8s.io"}, {"group": "admissionregistration.k8s.io"}, {"group": "certificates.k8s.io"}]},
        {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
        {"level": "Metadata", "omitStages": ["RequestReceived"]},
    ]  # fmt: skip
    made = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": rules}
    return "what an investigation will ask for", "audit-policy", [made]
