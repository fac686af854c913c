"""Attack paths as expressions see them."""

from __future__ import annotations

from typing import Any

from bulkhead.posture.attack import analyse, graph
from bulkhead.posture.attack.model import ADMIN, NODE, Edge
from bulkhead.posture.world import World


def facts(world: World) -> dict[str, Any]:
    """``toNode``, ``toAdmin``: paths from the outside as text. ``escapes``: pods with a way out to their node."""
    if "path-facts" not in world.memo:
        found = graph.build(world)
        analysis = analyse.analyse(found)
        world.memo["path-facts"] = {
            "toNode": [describe(path) for path in analysis.paths if path[-1].target == NODE],
            "toAdmin": [describe(path) for path in analysis.paths if path[-1].target == ADMIN],
            "escapes": sorted(
                {
                    edge.source.name
                    for edges in found.values()
                    for edge in edges
                    if edge.target == NODE and edge.source.kind == "pod"
                }
            ),
            "tokenTheft": sorted({edge.target.name for edge in found.get(NODE, ()) if edge.technique == "TOKEN_STEAL"}),
        }
    made: dict[str, Any] = world.memo["path-facts"]
    return made


def describe(path: tuple[Edge, ...]) -> str:
    steps = [path[0].source.kind]
    for edge in path:
        target = edge.target.kind if edge.target in (NODE, ADMIN) else edge.target.name
        steps.append(f"-{edge.technique}-> {target}")
    return " ".join(steps)
