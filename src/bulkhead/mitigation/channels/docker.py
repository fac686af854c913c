"""Containers and swarms of an engine (Engine API 1.41: ContainerUpdate, ContainerCreate, SwarmUpdate)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bulkhead.core.control import MitigationClass
from bulkhead.core.resource import DocumentPath
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.mitigation.records import Kind, Method, pick, refuse_outside

UPDATABLE: Final = frozenset({
    "Memory", "MemorySwap", "MemoryReservation", "NanoCpus", "CpuShares", "CpuQuota", "CpuPeriod", "PidsLimit", "RestartPolicy",
})  # fmt: skip
"""Settings of ``HostConfig`` that a running container takes."""
_ENDPOINT = ("IPAMConfig", "Links", "Aliases", "DriverOpts")
_NETWORKS = ("NetworkSettings", "Networks")
_SOCKET = ("write access to the engine's socket",)
_ASKS = MitigationClass.PROPOSE
_OWNERS: Final = {
    "com.docker.swarm.service.name": "Swarm makes it again from its service: repair the service",
    "io.kubernetes.pod.name": "a kubelet makes it again from its pod: repair the pod",
}


def container(data: Mapping[str, Any]) -> dict[str, Any]:
    """What ``docker run`` decided: the engine's inspect answer without state, addresses and observations."""
    out = pick(data, "Name", "Image", "Config", "HostConfig", "Mounts")
    if isinstance(out.get("Mounts"), list):
        # The engine tells them in any order.
        out["Mounts"] = sorted(out["Mounts"], key=lambda mount: str(mount.get("Destination")))
    settings = data.get("NetworkSettings")
    networks = settings.get("Networks") if isinstance(settings, dict) else None
    if isinstance(networks, dict):
        own = str(data.get("Id", ""))[:12]
        out["NetworkSettings"] = {"Networks": {str(name): endpoint(facts, own) for name, facts in networks.items()}}
    return out


def endpoint(facts: Any, own: str) -> dict[str, Any]:
    """A container's place in a network, without its addresses and without the alias that the engine makes of its id."""
    kept = pick(facts, *_ENDPOINT) if isinstance(facts, dict) else {}
    if isinstance(kept.get("Aliases"), list):
        kept["Aliases"] = [alias for alias in kept["Aliases"] if alias != own] or None
    return kept


def container_method(record: Mapping[str, Any], changed: frozenset[DocumentPath]) -> Method:
    """``update`` where the running container takes every change, ``networks`` for moves alone, else ``recreate``."""
    labels = (record.get("Config") or {}).get("Labels") or {}
    for label, reason in _OWNERS.items():
        if label in labels:
            raise DoesNotApply(reason)
    if all(path[:1] == ("HostConfig",) and len(path) > 1 and path[1] in UPDATABLE for path in changed):
        undo = "update the container with the former values; a limit that was not set becomes the machine's size, since the engine ignores 0"
        return Method("update", _SOCKET, undo)
    if all(path[:2] == _NETWORKS for path in changed):
        return Method("networks", _SOCKET, "connect the container to the networks that it was in", "restart", _ASKS)
    refuse_outside(changed, _recreatable, "a container")
    if (record.get("HostConfig") or {}).get("AutoRemove"):
        raise DoesNotApply("it was started with --rm: stopping it would remove it, and nothing could be put back")
    undo = "remove the new container and start the old one, which is kept with its id and its files"
    return Method("recreate", _SOCKET, undo, "restart", _ASKS)


def _recreatable(path: DocumentPath) -> bool:
    return path[:1] in (("Config",), ("HostConfig",), ("Mounts",), ("Image",)) or path[:1] == _NETWORKS[:1]


def swarm(data: Mapping[str, Any]) -> dict[str, Any]:
    return pick(data, "id", "Spec")


def swarm_method(_: Mapping[str, Any], changed: frozenset[DocumentPath]) -> Method:
    allowed = ("Spec",)
    refuse_outside(changed, lambda path: path[:1] == allowed, "a swarm update")
    return Method("swarm", _SOCKET, "update the swarm with the former settings")


KINDS: Final = {
    "DockerContainer": Kind("docker", container, container_method),
    "SwarmCluster": Kind("docker", swarm, swarm_method),
}
