"""The surroundings of a pod: what selects it, protects it, scales it, and what its identity may do."""

from __future__ import annotations

from typing import Any

from bulkhead.core.resource import Resource
from bulkhead.posture.facts import dependencies, fields, network, rbac, references, selectors
from bulkhead.posture.shapes import WRONG_SHAPE
from bulkhead.posture.views.model import PodView
from bulkhead.posture.world import World


def facts(world: World, view: PodView) -> dict[str, Any]:
    """What expressions see as ``workload``. See docs/controls.md for the names.

    Raises:
        TypeError: something that the facts rest on is unknown.
    """
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
    labels = selectors.certain(view.meta.get("labels"))
    own = account(world, view)
    grants = rbac.of_account(world, ref.namespace, own["name"])
    if rbac.unread(world):
        raise TypeError(f"the rules that {rbac.unread(world)} grants are unknown")
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
        "metadataBlocked": network.blocks(world, view, "169.254.169.254"),
        "pdbs": _selecting(world, view, "PodDisruptionBudget", labels),
        "hpas": [scaler.data for scaler in scalers(world, view.resource)],
        "serviceAccount": own,
        "permissions": [grant.rule for grant in grants],
        "clusterAdmin": any(rbac.is_admin([grant.rule]) and not grant.namespace for grant in grants),
        "references": references.of(world, view),
        "unknownFields": fields.unknown(view.spec),
    }
    if isinstance(spec.get("replicas"), int):
        out["replicas"] = spec["replicas"]
    return out


def services(world: World, view: PodView) -> list[Any]:
    """The Services of the namespace whose selector picks the pod."""
    if "services-by-pod" not in world.memo:
        found: dict[int, list[Any]] = {}
        for service in world.by_kind.get("Service", ()):
            try:
                backed = dependencies.backing(world, service)
            except WRONG_SHAPE:
                dependencies.unreadable(world, service)
                continue
            for chosen in backed:
                found.setdefault(id(chosen), []).append(service.data)
        world.memo["services-by-pod"] = found
    known: dict[int, list[Any]] = world.memo["services-by-pod"]
    return known.get(id(view), [])


def _selecting(world: World, view: PodView, kind: str, labels: dict[str, Any]) -> list[Any]:
    return [
        resource.data
        for place in selectors.places(view.resource.ref.namespace)
        for resource in world.within(kind, place)
        if selectors.selects((resource.data.get("spec") or {}).get("selector"), labels)
    ]


def scalers(world: World, resource: Resource) -> list[Resource]:
    """What scales a workload: HorizontalPodAutoscalers and KEDA's ScaledObjects."""
    ref = resource.ref
    if "scalers" not in world.memo:
        found: dict[tuple[str, str, str], list[Resource]] = {}
        for kind, default in (("HorizontalPodAutoscaler", ""), ("ScaledObject", "Deployment")):
            for scaler in world.by_kind.get(kind, ()):
                target = (scaler.data.get("spec") or {}).get("scaleTargetRef") or {}
                home = scaler.ref.namespace or selectors.HOME
                at = (home, str(target.get("kind") or default), str(target.get("name", "")))
                found.setdefault(at, []).append(scaler)
        world.memo["scalers"] = found
    known: dict[tuple[str, str, str], list[Resource]] = world.memo["scalers"]
    return known.get((ref.namespace or selectors.HOME, ref.kind, ref.name), [])


def account(world: World, view: PodView) -> dict[str, Any]:
    """The service account; ``automount`` is what holds for the pod (pod over account, true when neither says)."""
    key = ("account", id(view))
    if key not in world.memo:
        world.memo[key] = _account(world, view)
    known: dict[str, Any] = world.memo[key]
    return known


def _account(world: World, view: PodView) -> dict[str, Any]:
    name = view.spec.get("serviceAccountName") or view.spec.get("serviceAccount") or "default"
    name = name if isinstance(name, str) else "default"
    found = next(
        (
            item.data
            for place in selectors.places(view.resource.ref.namespace)
            for item in _accounts(world).get((place, name), ())
        ),
        None,
    )
    automount = view.spec.get("automountServiceAccountToken")
    if automount is None and found is not None:
        automount = found.get("automountServiceAccountToken")
    annotations = ((found or {}).get("metadata") or {}).get("annotations") or {}
    return {
        "name": name,
        "found": found is not None,
        "automount": automount is not False,
        "annotations": annotations,
    }


def _accounts(world: World) -> dict[tuple[str, str], list[Resource]]:
    if "service-accounts" not in world.memo:
        found: dict[tuple[str, str], list[Resource]] = {}
        for item in world.by_kind.get("ServiceAccount", ()):
            found.setdefault((item.ref.namespace, item.ref.name), []).append(item)
        world.memo["service-accounts"] = found
    known: dict[tuple[str, str], list[Resource]] = world.memo["service-accounts"]
    return known
