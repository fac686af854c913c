"""Ways out of a container to its node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bulkhead.posture.attack.model import NODE, Edge, Fix, Vertex
from bulkhead.posture.views.model import ContainerView, PodView

_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock")
_SENSITIVE = ("/", "/etc", "/root", "/boot", "/dev", "/lib", "/usr", "/proc", "/sys", "/var/lib/kubelet", "/var/lib/docker", "/etc/kubernetes", "/var/run", "/run", "/var/lib", "/var", "/home", "/opt")  # fmt: skip


def edges(view: PodView, vertex: Vertex) -> Iterator[Edge]:
    label = vertex.name
    for container in view.containers:
        yield from _container(view, container, vertex, label)


def _container(view: PodView, container: ContainerView, vertex: Vertex, label: str) -> Iterator[Edge]:
    context = container.data.get("securityContext")
    context = context if isinstance(context, dict) else {}
    name = container.data.get("name", "?")
    privileged = context.get("privileged") is True
    added = (context.get("capabilities") or {}).get("add") if isinstance(context.get("capabilities"), dict) else None
    capabilities = {str(item).upper().removeprefix("CAP_") for item in added or ()}
    host_pid = view.spec.get("hostPID") is True

    def edge(technique: str, because: str, *controls: str) -> Edge:
        return Edge(
            vertex, NODE, technique, f"container {name}: {because}", tuple(Fix(control, label) for control in controls)
        )

    if privileged:
        yield edge("CE_PRIV_MOUNT", "privileged, can mount the node's disks", "wl-privileged")
        yield edge("CE_MODULE_LOAD", "privileged, can load kernel modules", "wl-privileged")
    if privileged and host_pid:
        yield edge("CE_NSENTER", "privileged in the node's process namespace", "wl-privileged", "wl-host-pid")
    if capabilities & {"SYS_MODULE", "ALL"}:
        yield edge("CE_MODULE_LOAD", "has SYS_MODULE", "wl-cap-sys-module")
    if capabilities & {"SYS_PTRACE", "ALL"} and host_pid:
        yield edge(
            "CE_SYS_PTRACE",
            "has SYS_PTRACE in the node's process namespace",
            "wl-cap-sys-ptrace-hostpid",
            "wl-host-pid",
        )
    if capabilities & {"SYS_ADMIN", "ALL"}:
        yield edge("CE_CGROUP", "has SYS_ADMIN", "wl-cap-sys-admin")
    if view.spec.get("hostNetwork") is True and (privileged or capabilities & {"NET_ADMIN", "ALL"}):
        yield edge("CE_NET_MITM", "can listen to the node's network", "wl-host-network")
    for path, read_only in mounts(view, container):
        yield from _mounted(path, edge, read_only=read_only)


def _mounted(path: str, edge: Any, *, read_only: bool) -> Iterator[Edge]:
    if path.endswith(_SOCKETS) or path in ("/var/run", "/run"):
        yield edge(
            "EXPLOIT_CONTAINERD_SOCK", f"mounts {path}, which controls the container runtime", "wl-runtime-socket"
        )
    if path in ("/var/log", "/var") or path.startswith("/var/log/"):
        yield edge("CE_VAR_LOG_SYMLINK", f"mounts {path}, whose links the kubelet follows", "wl-hostpath-var-log")
    if path in ("/proc", "/") or path.startswith("/proc/sys"):
        if not read_only:
            yield edge(
                "CE_UMH_CORE_PATTERN",
                f"mounts {path} writable, can set the core pattern",
                "wl-hostpath-sensitive",
                "wl-hostpath-writable",
            )
    if path.startswith(("/var/lib/kubelet", "/etc/kubernetes")) or path in ("/", "/var", "/var/lib"):
        yield edge("EXPLOIT_HOST_READ", f"mounts {path}, can read other workloads' tokens", "wl-hostpath-sensitive")
    if not read_only and (path in _SENSITIVE or path.startswith(tuple(f"{item}/" for item in _SENSITIVE[1:14]))):
        yield edge("EXPLOIT_HOST_WRITE", f"mounts {path} writable", "wl-hostpath-writable")


def mounts(view: PodView, container: ContainerView) -> Iterator[tuple[str, bool]]:
    """Host paths that the container mounts, with whether they are read-only."""
    volumes = {
        volume.get("name"): volume["hostPath"].get("path")
        for volume in view.spec.get("volumes") or ()
        if isinstance(volume, dict) and isinstance(volume.get("hostPath"), dict)
    }
    for mount in container.data.get("volumeMounts") or ():
        if isinstance(mount, dict) and isinstance(volumes.get(mount.get("name")), str):
            path = str(volumes[mount.get("name")]).rstrip("/") or "/"
            yield path, mount.get("readOnly") is True
