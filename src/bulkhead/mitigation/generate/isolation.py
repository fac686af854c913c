"""A default deny with the allows that the manifests show are needed.

Allowed are: DNS; what settings and arguments call, inside and outside the cluster; the API server for programs that
hold rights there; and what an Ingress, a route, a node port or a load balancer publishes. The metadata address stays
closed.
"""

from __future__ import annotations

from typing import Any

from bulkhead.core.resource import UNKNOWN, Resource
from bulkhead.mitigation.generate import naming
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.posture.evaluate import Verdict
from bulkhead.posture.facts import dependencies, network, rbac, selectors, workloads
from bulkhead.posture.views.model import PodView
from bulkhead.posture.world import World

_DNS = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}
_OUTSIDE = [
    {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}},
    {"ipBlock": {"cidr": "::/0", "except": ["fd00:ec2::254/128"]}},
]
# The Service's port and the usual ports of the server itself, which policies see after translation.
_API_SERVER = ((443, "TCP"), (6443, "TCP"))


def default_deny(world: World, verdict: Verdict, namespace: str) -> tuple[str, str, list[dict[str, Any]]]:
    """Deny everything; then allow what is needed."""
    if not namespace:
        return _each(world, verdict)
    taken = naming.taken(world, "NetworkPolicy", namespace)
    objects = [
        _policy(namespace, naming.free("default-deny", taken), {}, {"policyTypes": ["Ingress", "Egress"]}),
        _policy(namespace, naming.free("allow-dns", taken), {}, {"policyTypes": ["Egress"], "egress": [_DNS]}),
    ]
    for view in network.pods(world, namespace):
        egress = _egress(world, view)
        ingress = _ingress(world, view)
        if not _labels(view) or not (egress or ingress):
            continue
        spec: dict[str, Any] = {
            "policyTypes": [kind for kind, rules in (("Ingress", ingress), ("Egress", egress)) if rules]
        }
        if ingress:
            spec["ingress"] = ingress
        if egress:
            spec["egress"] = egress
        name = naming.free(f"allow-{view.resource.ref.name}", taken)
        objects.append(_policy(namespace, name, {"matchLabels": _labels(view)}, spec))
    return "nothing may talk unless it is listed here", f"{namespace}-network-policies", objects


def _each(world: World, verdict: Verdict) -> tuple[str, str, list[dict[str, Any]]]:
    """Where no namespace is named nobody knows who else lives where the objects will go: each pod of the folder is
    isolated by a policy of its own, and nobody else.
    """
    folder = _home(verdict.element.resource)
    taken = naming.taken(world, "NetworkPolicy", "")
    objects = []
    for view in network.pods(world, ""):
        if view.resource.ref.namespace or _home(view.resource) != folder or not _labels(view):
            continue
        spec: dict[str, Any] = {"policyTypes": ["Ingress", "Egress"], "egress": [_DNS, *_egress(world, view)]}
        if ingress := _ingress(world, view):
            spec["ingress"] = ingress
        name = naming.free(f"isolate-{view.resource.ref.name}", taken)
        objects.append(_policy("", name, {"matchLabels": _labels(view)}, spec))
    if not objects:
        raise DoesNotApply("the pods have no labels to select them by")
    return "these pods may talk only where it is listed here", "network-policies", objects


def _home(resource: Resource) -> str | None:
    """The folder of a file that can be added to; None for what was rendered or has none."""
    text = resource.text
    return None if text is None or text.generated else text.path.rpartition("/")[0]


def _policy(namespace: str, name: str, selector: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace} if namespace else {"name": name},
        "spec": {"podSelector": selector, **spec},
    }


def _labels(view: PodView) -> dict[str, Any]:
    """What the workload itself selects its pods by, which no release changes; else the pod's labels."""
    spec = view.resource.data.get("spec")
    own = (spec.get("selector") or {}).get("matchLabels") if isinstance(spec, dict) and view.template else None
    labels = network.labels(view)
    chosen = own if isinstance(own, dict) and own and selectors.selects(own, labels) else labels
    if any(value is UNKNOWN for value in chosen.values()):
        raise DoesNotApply(f"the labels of {view.resource.ref.name} are not known here")
    return dict(sorted(chosen.items()))


def _peer(view: PodView, home: str) -> dict[str, Any]:
    peer: dict[str, Any] = {"podSelector": {"matchLabels": _labels(view)}}
    if not selectors.same_namespace(view.resource.ref.namespace, home):
        own = view.resource.ref.namespace or selectors.HOME
        peer["namespaceSelector"] = {"matchLabels": {"kubernetes.io/metadata.name": own}}
    return peer


def _ports(ports: tuple[tuple[int, str], ...]) -> list[dict[str, Any]]:
    return [{"protocol": protocol, "port": number} for number, protocol in ports]


def _egress(world: World, view: PodView) -> list[dict[str, Any]]:
    home = view.resource.ref.namespace
    rules = [
        {"to": [_peer(target, home) for target in need.targets], "ports": _ports(need.ports)}
        for need in dependencies.needs_of(world, view)
        if need.ports
    ]
    beyond = [(number, "TCP") for number in dependencies.outside(world, view)]
    account = workloads.account(world, view)
    if account["automount"] and rbac.of_account(world, home, account["name"]):
        beyond += [port for port in _API_SERVER if port not in beyond]
    if beyond:
        rules.append({"to": _OUTSIDE, "ports": _ports(tuple(beyond))})
    return rules


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
    home = view.resource.ref.namespace
    routed = dependencies.routed(world, home)
    out: list[tuple[int, str]] = []
    for place in selectors.places(home):
        for service in world.within("Service", place):
            spec = service.data.get("spec") or {}
            outside = spec.get("type") in ("NodePort", "LoadBalancer") or service.ref.name in routed
            if outside and view in dependencies.backing(world, service):
                out.extend(port for port in dependencies.ports(service, view) if port not in out)
    return out
