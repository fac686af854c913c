"""A default deny with the allows that the manifests show are needed."""

from __future__ import annotations

from typing import Any

from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture.evaluate import Verdict
from bulkhead.posture.facts import dependencies, network
from bulkhead.posture.views.model import PodView
from bulkhead.posture.world import World

_DNS = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}


def default_deny(world: World, verdict: Verdict, namespace: str) -> tuple[str, str, list[dict[str, Any]]]:  # noqa: ARG001 (one shape for all generators)
    """Deny everything; then allow DNS, what the manifests call, and what is published to the outside."""
    if not namespace:
        raise DoesNotApply("the manifests name no namespace")
    objects = [_policy(namespace, "default-deny", {}, {"policyTypes": ["Ingress", "Egress"]})]
    objects.append(_policy(namespace, "allow-dns", {}, {"policyTypes": ["Egress"], "egress": [_DNS]}))
    views = [view for view in world.kubernetes_pods if view.resource.ref.namespace == namespace]
    for view in views:
        egress = _egress(world, view)
        ingress = _ingress(world, view)
        if not network.labels(view) or not (egress or ingress):
            continue
        spec: dict[str, Any] = {
            "policyTypes": [kind for kind, rules in (("Ingress", ingress), ("Egress", egress)) if rules]
        }
        if ingress:
            spec["ingress"] = ingress
        if egress:
            spec["egress"] = egress
        objects.append(_policy(namespace, f"allow-{view.resource.ref.name}", {"matchLabels": _labels(view)}, spec))
    return "nothing may talk unless it is listed here", f"{namespace}-network-policies", objects


def _policy(namespace: str, name: str, selector: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": selector, **spec},
    }


def _labels(view: PodView) -> dict[str, Any]:
    return dict(sorted(network.labels(view).items()))


def _peer(view: PodView, home: str) -> dict[str, Any]:
    peer: dict[str, Any] = {"podSelector": {"matchLabels": _labels(view)}}
    if view.resource.ref.namespace != home:
        peer["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": view.resource.ref.namespace}}
    return peer


def _ports(ports: tuple[tuple[int, str], ...]) -> list[dict[str, Any]]:
    return [{"protocol": protocol, "port": number} for number, protocol in ports]


def _egress(world: World, view: PodView) -> list[dict[str, Any]]:
    home = view.resource.ref.namespace
    return [
        {"to": [_peer(target, home) for target in need.targets], "ports": _ports(need.ports)}
        for need in dependencies.needs(world)
        if need.source is view and need.ports
    ]


def _ingress(world: World, view: PodView) -> list[dict[str, Any]]:
    home = view.resource.ref.namespace
    rules = [
        {"from": [_peer(need.source, home)], "ports": _ports(need.ports)}
        for need in dependencies.needs(world)
        if view in need.targets and need.ports
    ]
    published = _published(world, view)
    if published:
        rules.append({"ports": _ports(tuple(published))})
    return rules


def _published(world: World, view: PodView) -> list[tuple[int, str]]:
    """Ports that an Ingress, a Gateway route, a NodePort or a load balancer brings in: their sources are not pods here."""
    routed = dependencies.routed(world, view.resource.ref.namespace)
    out: list[tuple[int, str]] = []
    for service in world.within("Service", view.resource.ref.namespace):
        spec = service.data.get("spec") or {}
        outside = spec.get("type") in ("NodePort", "LoadBalancer") or service.ref.name in routed
        if outside and view in dependencies.backing(world, service):
            out.extend(port for port in dependencies.ports(service, view) if port not in out)
    return out
