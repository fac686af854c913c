"""ResourceQuota and LimitRange from the declared sizes, and a Namespace with its labels."""

from __future__ import annotations

import math
from typing import Any

from bulkhead.mitigation.generate import naming
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture.evaluate import Verdict
from bulkhead.posture.facts import namespaces, network
from bulkhead.posture.views import quantities
from bulkhead.posture.views.model import PodView
from bulkhead.posture.world import World

# Room for a rolling update (one more of each pod at 25 % surge, rounded up) and for growth.
HEADROOM = 2.0
_DEFAULTS = {"requests": {"cpu": 0.1, "memory": 128 * 2**20}, "limits": {"cpu": 0.5, "memory": 256 * 2**20}}


def resource_quota(world: World, verdict: Verdict, namespace: str) -> tuple[str, str, list[dict[str, Any]]]:  # noqa: ARG001 (one shape for all generators)
    """Twice what the manifests declare, containers without sizes counted at the LimitRange defaults."""
    pods, totals = _totals(world, namespace)
    hard = {
        "requests.cpu": _cpu(totals["requests", "cpu"] * HEADROOM),
        "requests.memory": _memory(totals["requests", "memory"] * HEADROOM),
        "limits.cpu": _cpu(totals["limits", "cpu"] * HEADROOM),
        "limits.memory": _memory(totals["limits", "memory"] * HEADROOM),
        "pods": str(max(10, math.ceil(pods * HEADROOM))),
    }
    name = naming.free("quota", naming.taken(world, "ResourceQuota", namespace))
    objects = [_object("ResourceQuota", name, namespace, {"hard": hard})]
    if _unsized(world, namespace) and not naming.taken(world, "LimitRange", namespace):
        # Under a quota the API server refuses containers without sizes; these defaults stand in for them.
        limits = {"type": "Container", "default": _shown("limits"), "defaultRequest": _shown("requests")}
        objects.append(_object("LimitRange", "default-sizes", namespace, {"limits": [limits]}))
    return "twice what the manifests of this namespace declare", f"{namespace}-resource-quota", objects


def limit_range(world: World, verdict: Verdict, namespace: str) -> tuple[str, str, list[dict[str, Any]]]:  # noqa: ARG001 (one shape for all generators)
    """Defaults for containers that declare nothing, and a ceiling at the largest one declared."""
    largest = {"cpu": 1.0, "memory": 2.0**30}
    for view in _views(world, namespace):
        for container in view.containers:
            for name, number in largest.items():
                value = quantities.from_kubernetes(
                    ((container.data.get("resources") or {}).get("limits") or {}).get(name)
                )
                largest[name] = max(number, value or 0)
    limits = {
        "type": "Container",
        "default": _shown("limits"),
        "defaultRequest": _shown("requests"),
        "max": {"cpu": _cpu(largest["cpu"]), "memory": _memory(largest["memory"])},
    }
    return (
        "defaults and a ceiling for every container here",
        f"{namespace}-limit-range",
        [
            _object(
                "LimitRange",
                naming.free("limits", naming.taken(world, "LimitRange", namespace)),
                namespace,
                {"limits": [limits]},
            )
        ],
    )


def namespace(world: World, verdict: Verdict, name: str) -> tuple[str, str, list[dict[str, Any]]]:  # noqa: ARG001 (one shape for all generators)
    """The Namespace itself, held to the strictest Pod Security level that admits today's pods."""
    if not name:
        raise DoesNotApply("the manifests name no namespace")
    level = namespaces.pss_level(world, name)
    labels = {f"pod-security.kubernetes.io/{mode}": level for mode in ("enforce", "audit", "warn")}
    if level != "restricted":
        labels |= {"pod-security.kubernetes.io/audit": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    return f"{level} is the strictest level that admits today's pods", f"{name}-namespace", [made]


def _views(world: World, namespace: str) -> list[PodView]:
    return network.pods(world, namespace)


def _shown(side: str) -> dict[str, str]:
    return {"cpu": _cpu(_DEFAULTS[side]["cpu"]), "memory": _memory(_DEFAULTS[side]["memory"])}


def _unsized(world: World, namespace: str) -> bool:
    """Whether some container leaves a request or a limit undeclared."""
    return any(
        quantities.from_kubernetes(((item.data.get("resources") or {}).get(side) or {}).get(name)) is None
        for view in _views(world, namespace)
        for item in view.containers
        for side in _DEFAULTS
        for name in _DEFAULTS[side]
    )


def _totals(world: World, namespace: str) -> tuple[int, dict[tuple[str, str], float]]:
    if not namespace:
        raise DoesNotApply("the manifests name no namespace")
    totals = {(side, name): 0.0 for side in _DEFAULTS for name in _DEFAULTS[side]}
    pods = 0
    for view in _views(world, namespace):
        spec = view.resource.data.get("spec") or {}
        replicas = spec.get("replicas") if isinstance(spec.get("replicas"), int) else 1
        pods += replicas or 0
        for container in view.containers:
            if container.role != "container":
                continue
            for side, name in totals:
                declared = ((container.data.get("resources") or {}).get(side) or {}).get(name)
                number = quantities.from_kubernetes(declared)
                totals[side, name] += (_DEFAULTS[side][name] if number is None else number) * (replicas or 0)
    return pods, {key: value or _DEFAULTS[key[0]][key[1]] for key, value in totals.items()}


def _object(kind: str, name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def _cpu(number: float) -> str:
    return f"{math.ceil(number * 1000)}m"


def _memory(number: float) -> str:
    return f"{math.ceil(number / 2**20)}Mi"
