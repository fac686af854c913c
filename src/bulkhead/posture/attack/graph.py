"""The graph of a snapshot.

Where a pod will run is not known from manifests, so there is one vertex for "some node"; an attacker who has it has the
tokens of the pods that run on every node, which are those of DaemonSets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bulkhead.posture.attack import escapes, powers
from bulkhead.posture.attack.groups import Groups
from bulkhead.posture.attack.model import INTERNET, NODE, Edge, Fix, Vertex
from bulkhead.posture.facts import dependencies, network, rbac, selectors, workloads
from bulkhead.posture.shapes import WRONG_SHAPE
from bulkhead.posture.views.model import PodView
from bulkhead.posture.world import World


def vertex(view: PodView) -> Vertex:
    ref = view.resource.ref
    return Vertex("pod", "/".join((ref.namespace or "-", ref.kind, ref.name)))


def build(world: World) -> dict[Vertex, list[Edge]]:
    """Edges by source."""
    if "attack-graph" in world.memo:
        known: dict[Vertex, list[Edge]] = world.memo["attack-graph"]
        return known
    pods: dict[str, dict[Vertex, None]] = {"": {}}
    accounts: dict[str, dict[Vertex, None]] = {"": {}}
    for view in world.kubernetes_pods:
        namespace = view.resource.ref.namespace or selectors.HOME
        try:
            account = _account(world, view)
        except WRONG_SHAPE:
            dependencies.unreadable(world, view.resource)
            continue
        for table, item in ((pods, vertex(view)), (accounts, account)):
            table[""][item] = None
            table.setdefault(namespace, {})[item] = None
    graph: dict[Vertex, list[Edge]] = {}
    groups = Groups(pods, accounts)
    for edge in (*_of_pods(world), *_of_accounts(world, groups, accounts[""])):
        graph.setdefault(edge.source, []).append(edge)
    for edge in groups.edges():
        graph.setdefault(edge.source, []).append(edge)
    world.memo["attack-graph"] = graph
    return graph


def _account(world: World, view: PodView) -> Vertex:
    account = workloads.account(world, view)
    return Vertex("account", f"{view.resource.ref.namespace or '-'}/{account['name']}")


def _of_pods(world: World) -> Iterator[Edge]:
    for view in world.kubernetes_pods:
        try:
            yield from list(_of_pod(world, view))
        except WRONG_SHAPE:
            dependencies.unreadable(world, view.resource)


def unread(world: World) -> str:
    """The name of a pod or a binding whose steps could not be told, because a value of it is unknown or of another shape."""
    build(world)
    return next(iter(world.memo.get("unread-pods", ())), "") or rbac.unread(world)


def _of_pod(world: World, view: PodView) -> Iterator[Edge]:
    here = vertex(view)
    yield from _entries(world, view, here)
    yield from escapes.edges(view, here)
    if workloads.account(world, view)["automount"]:
        account, fixes = _account(world, view), (Fix("wl-sa-token-automount", here.name),)
        yield Edge(here, account, "IDENTITY_ASSUME", "the service account's token is mounted", fixes)
        if view.resource.ref.kind == "DaemonSet":
            yield Edge(NODE, account, "TOKEN_STEAL", f"{here.name} runs on every node", fixes)
    yield from _lateral(world, view, here)


def _entries(world: World, view: PodView, here: Vertex) -> Iterator[Edge]:
    for service in workloads.services(world, view):
        spec, name = service.get("spec") or {}, (service.get("metadata") or {}).get("name")
        if spec.get("type") in ("NodePort", "LoadBalancer"):
            control = "net-nodeport" if spec["type"] == "NodePort" else "net-loadbalancer-open"
            yield Edge(
                INTERNET,
                here,
                "ENDPOINT_EXPLOIT",
                f"Service {name} is a {spec['type']}",
                (Fix(control, f"Service/{name}"),),
            )
        elif spec.get("externalIPs"):
            yield Edge(
                INTERNET,
                here,
                "ENDPOINT_EXPLOIT",
                f"Service {name} has external addresses",
                (Fix("net-external-ips", f"Service/{name}"),),
            )
        elif name in dependencies.routed(world, view.resource.ref.namespace):
            yield Edge(INTERNET, here, "ENDPOINT_EXPLOIT", f"an Ingress or route leads to Service {name}")
    if view.spec.get("hostNetwork") is True:
        yield Edge(
            INTERNET,
            here,
            "ENDPOINT_EXPLOIT",
            "it listens on the node's own network",
            (Fix("wl-host-network", here.name),),
        )
    for container in view.containers:
        for port in container.data.get("ports") or ():
            if isinstance(port, dict) and port.get("hostPort"):
                yield Edge(
                    INTERNET,
                    here,
                    "ENDPOINT_EXPLOIT",
                    f"host port {port['hostPort']}",
                    (Fix("wl-host-port", here.name),),
                )


def _lateral(world: World, view: PodView, here: Vertex) -> Iterator[Edge]:
    """To what the manifests show it calls, where network policies let it."""
    for need in dependencies.needs_of(world, view):
        for target in need.targets:
            if any(
                network.reaches(world, network.Traffic(view, target, port, protocol)) for port, protocol in need.ports
            ):
                yield Edge(here, vertex(target), "LATERAL", f"it calls Service {need.service.ref.name}")


def _of_accounts(world: World, groups: Groups, accounts: Iterable[Vertex]) -> Iterator[Edge]:
    nodes = rbac.of_group(world, "system:nodes")
    if nodes:
        own = Vertex("account", "system:nodes")
        yield Edge(NODE, own, "IDENTITY_ASSUME", "a node has its kubelet's certificate")
        yield from powers.edges(own, nodes, groups)
    for account in accounts:
        namespace, _, name = account.name.partition("/")
        yield from powers.edges(account, rbac.of_account(world, namespace.removeprefix("-"), name), groups)
