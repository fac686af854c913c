"""Attack paths as expressions see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bulkhead.posture.attack import analyse, graph
from bulkhead.posture.attack.model import ADMIN, INTERNET, NODE, Edge
from bulkhead.posture.facts import workloads
from bulkhead.posture.world import World

_TOKENS = frozenset({"TOKEN_STEAL", "TOKEN_LIST", "TOKEN_BRUTEFORCE", "TOKEN_CREATE"})
_CLOUD = ("eks.amazonaws.com/role-arn", "iam.gke.io/gcp-service-account", "azure.workload.identity/client-id")


def facts(world: World) -> dict[str, Any]:
    """What expressions see as ``paths``. See docs/controls.md for the names.

    Raises:
        TypeError: a value that a path may rest on is unknown.
    """
    if "path-facts" not in world.memo:
        found = graph.build(world)
        if graph.unread(world):
            raise TypeError(f"{graph.unread(world)} holds a value that is unknown")
        world.memo["path-facts"] = _facts(world, found)
    made: dict[str, Any] = world.memo["path-facts"]
    return made


def _facts(world: World, found: analyse.Graph) -> dict[str, Any]:
    analysis = analyse.analyse(found)
    edges = [edge for group in found.values() for edge in group]
    escapes = sorted({edge.source.name for edge in edges if edge.target == NODE and edge.source.kind == "pod"})
    to_admin = [path for path in analysis.paths if path[-1].target == ADMIN]
    admins = analyse.reaching(found, ADMIN)
    thefts = {
        edge.target.name
        for edge in edges
        if edge.technique in _TOKENS and edge.target in admins and (escapes or edge.technique != "TOKEN_STEAL")
    }
    held = {edge.target.name.partition("/")[0] for edge in found.get(NODE, ()) if edge.technique == "TOKEN_STEAL"}
    return {
        "toNode": [describe(path) for path in analysis.paths if path[-1].target == NODE],
        "toAdmin": [describe(path) for path in to_admin],
        "shortest": min(map(len, to_admin), default=0),
        "escapes": escapes,
        "tokenTheft": sorted(thefts),
        "takeover": sorted(vertex.name for vertex in admins if vertex.kind == "pod"),
        "cloud": sorted(_cloud(world, found)),
        "nodeNamespaces": sorted(held) if escapes else [],
        "cut": [f"{fix.control} on {fix.resource}" for fix in analysis.cut],
    }


def _cloud(world: World, found: analyse.Graph) -> Iterator[str]:
    """Pods that are exposed or can leave their container, and whose service account is an identity in a cloud."""
    open_to_all = {edge.target for edge in found.get(INTERNET, ())}
    for view in world.kubernetes_pods:
        here = graph.vertex(view)
        leaves = any(edge.target == NODE for edge in found.get(here, ()))
        if (here in open_to_all or leaves) and any(
            key in workloads.account(world, view)["annotations"] for key in _CLOUD
        ):
            yield here.name


def describe(path: tuple[Edge, ...]) -> str:
    steps = [path[0].source.kind]
    for edge in path:
        target = edge.target.kind if edge.target in (NODE, ADMIN) else edge.target.name
        steps.append(f"-{edge.technique}-> {target}")
    return " ".join(steps)
