"""NetworkPolicy reachability (networking.k8s.io/v1).

A pod is isolated in a direction as soon as one policy of its namespace selects it and covers that direction;
the allowed traffic is the union over those policies. ``policyTypes`` defaults to Ingress, plus Egress when the policy has an
egress section.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

import msgspec

from bulkhead.core.resource import Resource
from bulkhead.posture.facts import selectors
from bulkhead.posture.views.model import PodView
from bulkhead.posture.world import World


class Traffic(msgspec.Struct, frozen=True):
    """One attempted connection inside the cluster. ``port`` may be a number or a name."""

    source: PodView
    target: PodView
    port: int | str
    protocol: str = "TCP"


def policies(world: World, namespace: str) -> list[Resource]:
    """The policies that hold in a namespace; objects that name none are taken to be in the default one."""
    return [policy for place in selectors.places(namespace) for policy in world.within("NetworkPolicy", place)]


def pods(world: World, namespace: str) -> list[PodView]:
    """The Kubernetes pods of a namespace."""
    if "pods-by-namespace" not in world.memo:
        found: dict[str, list[PodView]] = {}
        for view in world.kubernetes_pods:
            found.setdefault(view.resource.ref.namespace or selectors.HOME, []).append(view)
        world.memo["pods-by-namespace"] = found
    known: dict[str, list[PodView]] = world.memo["pods-by-namespace"]
    return known.get(namespace or selectors.HOME, [])


def labelled(world: World, namespace: str, wanted: dict[str, Any]) -> list[PodView]:
    """The pods of a namespace with all of these labels, found through the rarest of them."""
    home = namespace or selectors.HOME
    if "pods-by-label" not in world.memo:
        found: dict[tuple[str, str, str], list[PodView]] = {}
        for view in world.kubernetes_pods:
            place = view.resource.ref.namespace or selectors.HOME
            for key, value in labels(view).items():
                if isinstance(value, str):
                    found.setdefault((place, key, value), []).append(view)
        world.memo["pods-by-label"] = found
    known: dict[tuple[str, str, str], list[PodView]] = world.memo["pods-by-label"]
    groups = [known.get((home, key, value), []) for key, value in wanted.items() if isinstance(value, str)]
    candidates = min(groups, key=len, default=[])
    return [view for view in candidates if selectors.selects(wanted, labels(view))]


def types(spec: dict[str, Any]) -> tuple[str, ...]:
    given = spec.get("policyTypes")
    if isinstance(given, list) and given:
        return tuple(map(str, given))
    return ("Ingress", "Egress") if spec.get("egress") else ("Ingress",)


def labels(view: PodView) -> dict[str, Any]:
    found = view.meta.get("labels")
    return found if isinstance(found, dict) else {}


def selecting(world: World, view: PodView) -> list[Resource]:
    """The policies of the pod's namespace that select it."""
    key = ("np-selecting", id(view))
    if key not in world.memo:
        world.memo[key] = [
            policy
            for policy in policies(world, view.resource.ref.namespace)
            if isinstance(policy.data.get("spec"), dict)
            and selectors.selects(policy.data["spec"].get("podSelector") or {}, labels(view))
        ]
    found: list[Resource] = world.memo[key]
    return found


def isolated(world: World, view: PodView, direction: str) -> bool:
    return any(direction in types(policy.data["spec"]) for policy in selecting(world, view))


def default_denies(world: World, namespace: str, direction: str) -> bool:
    """Whether one policy selects every pod of the namespace in that direction and allows nothing."""
    for policy in policies(world, namespace):
        spec = policy.data.get("spec")
        if not isinstance(spec, dict) or direction not in types(spec):
            continue
        selector = spec.get("podSelector") or {}
        everything = not selector.get("matchLabels") and not selector.get("matchExpressions")
        if everything and not spec.get(direction.lower()):
            return True
    return False


def reaches(world: World, traffic: Traffic) -> bool:
    """Whether policies let the connection through, leaving the source and entering the target."""
    return _open(world, traffic, "Egress") and _open(world, traffic, "Ingress")


def _open(world: World, traffic: Traffic, direction: str) -> bool:
    here, there = (traffic.source, traffic.target) if direction == "Egress" else (traffic.target, traffic.source)
    if not isolated(world, here, direction):
        return True
    section, side = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    for policy in selecting(world, here):
        spec = policy.data["spec"]
        if direction not in types(spec):
            continue
        for rule in spec.get(section) or ():
            if _peers(world, policy, (rule or {}).get(side), there) and _ports((rule or {}).get("ports"), traffic):
                return True
    return False


def blocks(world: World, view: PodView, address: str) -> bool:
    """Whether egress policies keep the pod from an address outside the cluster."""
    if not isolated(world, view, "Egress"):
        return False
    for policy in selecting(world, view):
        spec = policy.data["spec"]
        if "Egress" in types(spec):
            for rule in spec.get("egress") or ():
                peers = (rule or {}).get("to")
                if not peers or any(_holds(peer.get("ipBlock"), address) for peer in peers if isinstance(peer, dict)):
                    return False
    return True


def _holds(block: Any, address: str) -> bool:
    if not isinstance(block, dict):
        return False
    wanted = ip_address(address)
    cut = any(wanted in ip_network(str(item), strict=False) for item in block.get("except") or ())
    return wanted in ip_network(str(block.get("cidr")), strict=False) and not cut


def _peers(world: World, policy: Resource, peers: Any, other: PodView) -> bool:
    """An absent or empty list of peers means every peer, those outside the cluster too."""
    if not peers:
        return True
    return any(_peer(world, policy, peer, other) for peer in peers if isinstance(peer, dict))


def _peer(world: World, policy: Resource, peer: dict[str, Any], other: PodView) -> bool:
    if "ipBlock" in peer:
        return False  # addresses of pods are not known from manifests; a block is for the outside
    home = other.resource.ref.namespace
    if "namespaceSelector" in peer:
        if not selectors.selects(peer["namespaceSelector"] or {}, namespace_labels(world, home)):
            return False
    elif not selectors.same_namespace(home, policy.ref.namespace):
        return False
    return "podSelector" not in peer or selectors.selects(peer["podSelector"] or {}, labels(other))


def namespace_labels(world: World, name: str) -> dict[str, Any]:
    """With the label that the API server puts on every namespace."""
    found = {"kubernetes.io/metadata.name": name or selectors.HOME}
    for resource in world.by_kind.get("Namespace", ()):
        if selectors.same_namespace(resource.ref.name, name):
            found.update((resource.data.get("metadata") or {}).get("labels") or {})
    return found


def _ports(ports: Any, traffic: Traffic) -> bool:
    if not ports:
        return True
    return any(_port(port, traffic) for port in ports if isinstance(port, dict))


def _port(port: dict[str, Any], traffic: Traffic) -> bool:
    if port.get("protocol", "TCP") != traffic.protocol:
        return False
    wanted = port.get("port")
    if wanted is None:
        return True
    number = resolve(traffic.target, traffic.port)
    if isinstance(wanted, str) and not wanted.isdigit():
        return resolve(traffic.target, wanted) == number
    end = port.get("endPort")
    return isinstance(number, int) and int(wanted) <= number <= int(end if end is not None else wanted)


def resolve(view: PodView, port: int | str) -> int | None:
    """A port's number; a name is looked up among the containers' ports."""
    if isinstance(port, int):
        return port
    if port.isdigit():
        return int(port)
    for container in view.containers:
        for item in container.data.get("ports") or ():
            if isinstance(item, dict) and item.get("name") == port and isinstance(item.get("containerPort"), int):
                return int(item["containerPort"])
    return None
