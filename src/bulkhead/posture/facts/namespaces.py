"""What a namespace holds and how it is bounded."""

from __future__ import annotations

from typing import Any

from bulkhead.posture.facts import network, pss, selectors
from bulkhead.posture.world import World

_LEVELS = ("privileged", "baseline", "restricted")


def facts(world: World, name: str) -> dict[str, Any]:
    """What expressions see as ``ns``. See docs/controls.md for the names."""
    key = ("namespace", name)
    if key in world.memo:
        known: dict[str, Any] = world.memo[key]
        return known
    declared = next((item for item in world.by_kind.get("Namespace", ()) if item.ref.name == name), None)
    meta = (declared.data.get("metadata") or {}) if declared is not None else {}
    pods = network.pods(world, name)
    made = {
        "name": name,
        "declared": declared is not None,
        "labels": meta.get("labels") or {},
        "annotations": meta.get("annotations") or {},
        "workloads": len(pods),
        "policies": [policy.data for policy in network.policies(world, name)],
        "quotas": _of(world, "ResourceQuota", name) + _of(world, "ClusterResourceQuota", ""),
        "limitRanges": _of(world, "LimitRange", name),
        "ingressDefaultDeny": network.default_denies(world, name, "Ingress"),
        "egressDefaultDeny": network.default_denies(world, name, "Egress"),
        "peerAuthentications": _of(world, "PeerAuthentication", name)
        + _of(world, "PeerAuthentication", "istio-system"),
        "authorizationPolicies": _of(world, "AuthorizationPolicy", name),
        "pssLevel": pss_level(world, name),
        "mesh": _mesh(meta),
    }
    world.memo[key] = made
    return made


def _mesh(meta: dict[str, Any]) -> bool:
    """Whether a service mesh takes in the namespace's pods (Istio's injection labels, Linkerd's annotation)."""
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    return (
        labels.get("istio-injection") == "enabled"
        or "istio.io/rev" in labels
        or labels.get("istio.io/dataplane-mode") == "ambient"
        or annotations.get("linkerd.io/inject") == "enabled"
    )


def pss_level(world: World, name: str) -> str:
    """The strictest Pod Security level that admits every pod read in the namespace."""
    levels = [
        _LEVELS.index(pss.level(view.spec, view.meta.get("annotations") or {})) for view in network.pods(world, name)
    ]
    return _LEVELS[min(levels, default=len(_LEVELS) - 1)]


def _of(world: World, kind: str, namespace: str) -> list[Any]:
    places = selectors.places(namespace) if namespace else ("",)
    return [resource.data for place in places for resource in world.within(kind, place)]
