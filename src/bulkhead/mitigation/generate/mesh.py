"""Istio policies: mutual TLS only, and calls by identity (security.istio.io/v1)."""

from __future__ import annotations

from typing import Any

from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture.evaluate import Verdict
from bulkhead.posture.facts import dependencies, network, workloads
from bulkhead.posture.world import World


def peer_authentication(world: World, verdict: Verdict, namespace: str) -> tuple[str, str, list[dict[str, Any]]]:  # noqa: ARG001 (one shape for all generators)
    """STRICT for every workload of the namespace."""
    made = _object("PeerAuthentication", "default", namespace, {"mtls": {"mode": "STRICT"}})
    return "the mesh takes mutual TLS only", f"{namespace}-mutual-tls", [made]


def authorization(world: World, verdict: Verdict, namespace: str) -> tuple[str, str, list[dict[str, Any]]]:  # noqa: ARG001 (one shape for all generators)
    """Deny everything, then one allow for each caller that the manifests show, by its service account."""
    objects = [_object("AuthorizationPolicy", "default-deny", namespace, {})]
    callers: dict[str, tuple[dict[str, Any], set[str]]] = {}
    for need in dependencies.needs(world):
        for target in need.targets:
            if target.resource.ref.namespace == namespace and network.labels(target):
                home = need.source.resource.ref.namespace
                principal = f"cluster.local/ns/{home}/sa/{workloads.account(world, need.source)['name']}"
                entry = callers.setdefault(target.resource.ref.name, (network.labels(target), set()))
                entry[1].add(principal)
    for name, (labels, principals) in callers.items():
        spec = {
            "selector": {"matchLabels": dict(sorted(labels.items()))},
            "action": "ALLOW",
            "rules": [{"from": [{"source": {"principals": sorted(principals)}}]}],
        }
        objects.append(_object("AuthorizationPolicy", f"allow-{name}", namespace, spec))
    return "nobody may call unless listed here", f"{namespace}-authorization", objects


def _object(kind: str, name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    if not namespace:
        raise DoesNotApply("the manifests name no namespace")
    meta = {"name": name, "namespace": namespace}
    return {"apiVersion": "security.istio.io/v1", "kind": kind, "metadata": meta, "spec": spec}
