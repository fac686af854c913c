"""The surroundings of a pod: what selects it, protects it, scales it, and what its identity may do."""

from __future__ import annotations

from typing import Any

from bulkhead.posture.facts import network, rbac, selectors
from bulkhead.posture.views.model import PodView
from bulkhead.posture.world import World


def facts(world: World, view: PodView) -> dict[str, Any]:
    """What expressions see as ``workload``. See docs/controls.md for the names."""
    key = ("workload", id(view))
    if key not in world.memo:
        world.memo[key] = _facts(world, view)
    made: dict[str, Any] = world.memo[key]
    return made


def _facts(world: World, view: PodView) -> dict[str, Any]:
    ref = view.resource.ref
    data = view.resource.data
    spec = data.get("spec") if isinstance(data, dict) else None
    spec = spec if isinstance(spec, dict) else {}
    labels = network.labels(view)
    account = _account(world, view)
    grants = rbac.of_account(world, ref.namespace, account["name"])
    out: dict[str, Any] = {
        "kind": ref.kind,
        "name": ref.name,
        "namespace": ref.namespace,
        "controlled": view.template or bool((data.get("metadata") or {}).get("ownerReferences")),
        "labels": labels,
        "annotations": view.meta.get("annotations") or {},
        "services": services(world, view),
        "policies": [policy.data for policy in network.selecting(world, view)],
        "ingressIsolated": network.isolated(world, view, "Ingress"),
        "egressIsolated": network.isolated(world, view, "Egress"),
        "pdbs": _same_namespace(world, view, "PodDisruptionBudget", labels),
        "hpas": _scalers(world, view),
        "serviceAccount": account,
        "permissions": [grant.rule for grant in grants],
        "clusterAdmin": any(rbac.is_admin([grant.rule]) and not grant.namespace for grant in grants),
    }
    if isinstance(spec.get("replicas"), int):
        out["replicas"] = spec["replicas"]
    return out


def services(world: World, view: PodView) -> list[Any]:
    """The Services of the namespace whose selector picks the pod."""
    labels = network.labels(view)
    return [
        service.data
        for service in world.within("Service", view.resource.ref.namespace)
        if isinstance(service.data.get("spec"), dict)
        and service.data["spec"].get("selector")
        and selectors.selects(service.data["spec"]["selector"], labels)
    ]


def _same_namespace(world: World, view: PodView, kind: str, labels: dict[str, Any]) -> list[Any]:
    return [
        resource.data
        for resource in world.within(kind, view.resource.ref.namespace)
        if selectors.selects((resource.data.get("spec") or {}).get("selector"), labels)
    ]


def _scalers(world: World, view: PodView) -> list[Any]:
    ref = view.resource.ref
    out = []
    for scaler in world.within("HorizontalPodAutoscaler", ref.namespace):
        target = (scaler.data.get("spec") or {}).get("scaleTargetRef") or {}
        if target.get("kind") == ref.kind and target.get("name") == ref.name:
            out.append(scaler.data)
    return out


def _account(world: World, view: PodView) -> dict[str, Any]:
    """The service account; ``automount`` is what holds for the pod (pod over account, true when neither says)."""
    name = view.spec.get("serviceAccountName") or view.spec.get("serviceAccount") or "default"
    name = name if isinstance(name, str) else "default"
    found = next(
        (
            account.data
            for account in world.within("ServiceAccount", view.resource.ref.namespace)
            if account.ref.name == name
        ),
        None,
    )
    automount = view.spec.get("automountServiceAccountToken")
    if automount is None and found is not None:
        automount = found.get("automountServiceAccountToken")
    return {"name": name, "found": found is not None, "automount": automount is not False}
