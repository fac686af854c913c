"""What an object points at: the pods behind a Service, the Services behind an Ingress, the target of a scaler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bulkhead.core.resource import Resource
from bulkhead.posture.facts import dependencies, network, selectors, workloads
from bulkhead.posture.views.model import PodView
from bulkhead.posture.views.pods import WORKLOAD_KINDS
from bulkhead.posture.world import World


def facts(world: World, resource: Resource) -> dict[str, Any]:
    """What expressions see as ``related``; empty for a kind that points at nothing. See docs/controls.md.

    Raises:
        TypeError: a label or a selector that it rests on is unknown.
    """
    maker = _MAKERS.get(resource.ref.kind)
    return {} if maker is None else maker(world, resource)


def _spec(resource: Resource) -> dict[str, Any]:
    spec = resource.data.get("spec")
    return spec if isinstance(spec, dict) else {}


def _pod(view: PodView) -> dict[str, Any]:
    ref = view.resource.ref
    ports = [
        port for container in view.containers for port in container.data.get("ports") or () if isinstance(port, dict)
    ]
    return {"kind": ref.kind, "name": ref.name, "namespace": ref.namespace, "ports": ports}


def _picked(world: World, namespace: str, selector: Any) -> list[PodView]:
    return [
        view
        for view in network.pods(world, namespace)
        if selectors.selects(selector, selectors.certain(view.meta.get("labels")))
    ]


def _service(world: World, resource: Resource) -> dict[str, Any]:
    selector = selectors.certain(_spec(resource).get("selector"))
    found = _picked(world, resource.ref.namespace, selector) if selector else []
    return {"pods": [_pod(view) for view in found]}


def _policy(world: World, resource: Resource) -> dict[str, Any]:
    """``pods`` it is for, and ``peers``: the pod selectors of its rules, with whether they pick anything."""
    spec = _spec(resource)
    peers = []
    for section, side in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(section) or ():
            peers += [
                {"section": section, "found": _peer_found(world, resource, peer)}
                for peer in (rule or {}).get(side) or ()
                if isinstance(peer, dict) and "podSelector" in peer
            ]
    found = _picked(world, resource.ref.namespace, spec.get("podSelector") or {})
    return {"pods": [_pod(view) for view in found], "peers": peers}


def _peer_found(world: World, policy: Resource, peer: dict[str, Any]) -> bool:
    """A peer in namespaces that were not read may be there."""
    selector = peer.get("podSelector") or {}
    if "namespaceSelector" not in peer:
        return bool(_picked(world, policy.ref.namespace, selector))
    homes = [
        name
        for name in world.namespaces
        if selectors.selects(peer["namespaceSelector"] or {}, network.namespace_labels(world, name))
    ]
    return not homes or any(_picked(world, name, selector) for name in homes)


def _named_service(world: World, namespace: str, name: str) -> Resource | None:
    if "services-by-name" not in world.memo:
        world.memo["services-by-name"] = {
            (item.ref.namespace or selectors.HOME, item.ref.name): item for item in world.by_kind.get("Service", ())
        }
    found: Resource | None = world.memo["services-by-name"].get((namespace or selectors.HOME, name))
    return found


def _backends(world: World, wanted: list[tuple[str, str, Any]]) -> dict[str, Any]:
    missing = []
    for namespace, name, port in wanted:
        service = _named_service(world, namespace, name)
        if service is None:
            missing.append(f"Service {name}")
        elif port is not None and not _has_port(service, port):
            missing.append(f"port {port} of Service {name}")
    return {"missing": missing}


def _has_port(service: Resource, port: Any) -> bool:
    return any(
        port in (item.get("port"), item.get("name"))
        for item in _spec(service).get("ports") or ()
        if isinstance(item, dict)
    )


def _ingress(world: World, resource: Resource) -> dict[str, Any]:
    home = resource.ref.namespace
    return _backends(world, [(home, name, port) for name, port in dependencies.ingress_backends(resource.data)])


def _route(world: World, resource: Resource) -> dict[str, Any]:
    return _backends(world, dependencies.route_backends(resource))


def _scaler(world: World, resource: Resource) -> dict[str, Any]:
    """``found`` says whether the target was read; ``judged`` whether its kind is one whose objects are files too."""
    target = _spec(resource).get("scaleTargetRef") or {}
    kind, name = str(target.get("kind") or "Deployment"), str(target.get("name", ""))
    found = any(
        item.ref.name == name
        for place in selectors.places(resource.ref.namespace)
        for item in world.within(kind, place)
    )
    return {"found": found, "judged": kind in WORKLOAD_KINDS, "kind": kind, "name": name}


def _monitor(world: World, resource: Resource) -> dict[str, Any]:
    """The Services that a ServiceMonitor watches (monitoring.coreos.com/v1)."""
    spec = _spec(resource)
    where = spec.get("namespaceSelector") or {}
    homes = where.get("matchNames") or []
    found = [
        service.ref.name
        for service in world.by_kind.get("Service", ())
        if (where.get("any") is True or not homes or service.ref.namespace in homes)
        and selectors.selects(
            spec.get("selector") or {}, selectors.certain((service.data.get("metadata") or {}).get("labels"))
        )
    ]
    return {"services": found}


def _budget(world: World, resource: Resource) -> dict[str, Any]:
    """The workloads a PodDisruptionBudget is for, each with its declared ``replicas`` and scaler's ``least``."""
    spec = _spec(resource)
    if not isinstance(spec.get("selector"), dict):
        return {"workloads": []}
    found = [
        _sized(world, item)
        for place in selectors.places(resource.ref.namespace)
        for kind in ("Deployment", "StatefulSet", "ReplicaSet", "DeploymentConfig")
        for item in world.within(kind, place)
        if selectors.selects(spec["selector"], _template_labels(item))
    ]
    return {"workloads": found}


def _template_labels(resource: Resource) -> dict[str, Any]:
    """The labels of the pods that a workload makes; its own selector's when the template names none."""
    template = (_spec(resource).get("template") or {}).get("metadata") or {}
    selector = _spec(resource).get("selector") or {}
    return selectors.certain(template.get("labels") or selector.get("matchLabels") or {})


def _sized(world: World, resource: Resource) -> dict[str, Any]:
    out: dict[str, Any] = {"kind": resource.ref.kind, "name": resource.ref.name}
    replicas = _spec(resource).get("replicas")
    if isinstance(replicas, int):
        out["replicas"] = replicas
    least = [
        (_spec(scaler).get("minReplicas"), _spec(scaler).get("minReplicaCount"))
        for scaler in workloads.scalers(world, resource)
    ]
    numbers = [number for pair in least for number in pair if isinstance(number, int)]
    if numbers:
        out["least"] = min(numbers)
    out["scaled"] = bool(least)
    return out


_MAKERS: dict[str, Callable[[World, Resource], dict[str, Any]]] = {
    "Service": _service,
    "NetworkPolicy": _policy,
    "Ingress": _ingress,
    "HorizontalPodAutoscaler": _scaler,
    "ScaledObject": _scaler,
    "ServiceMonitor": _monitor,
    "PodDisruptionBudget": _budget,
    **dict.fromkeys(dependencies.ROUTES, _route),
}
