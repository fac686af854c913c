"""A PodDisruptionBudget for a workload with several replicas."""

from __future__ import annotations

from typing import Any

from bulkhead.mitigation.generate import naming
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture.evaluate import Verdict
from bulkhead.posture.world import World


def budget(world: World, verdict: Verdict, namespace: str) -> tuple[str, str, list[dict[str, Any]]]:
    """One pod at a time may be taken away by a drain."""
    resource = verdict.element.resource
    selector = (resource.data.get("spec") or {}).get("selector")
    if not isinstance(selector, dict) or not selector:
        raise DoesNotApply("the workload has no selector")
    used = naming.taken(world, "PodDisruptionBudget", namespace)
    meta: dict[str, Any] = {"name": naming.free(resource.ref.name, used)}
    if namespace:
        meta["namespace"] = namespace
    made = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta,
        "spec": {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": selector},
    }
    label = "-".join(part for part in (namespace, resource.ref.name) if part)
    return "a drain takes one pod at a time", f"{label}-disruption-budget", [made]
