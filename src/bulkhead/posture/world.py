"""A Snapshot indexed for judging: by kind, by view, and what its gaps may hide."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from bulkhead.core.resource import Resource, Snapshot
from bulkhead.posture.shapes import WRONG_SHAPE
from bulkhead.posture.views import compose, docker, ecs, pods
from bulkhead.posture.views.model import PodView

KUBERNETES = "kubernetes"


def is_kubernetes(resource: Resource) -> bool:
    """Whether it is an object of the API; settings files of programs have its shape and none of its metadata."""
    data = resource.data
    return (
        isinstance(data, dict)
        and "apiVersion" in data
        and "kind" in data
        and not resource.ref.kind.startswith("Component")
        and not _is_settings(resource.ref.group, resource.ref.kind)
    )


def _is_settings(group: str, kind: str) -> bool:
    return group.endswith(".config.k8s.io") or group == "kubeadm.k8s.io" or (group, kind) == ("audit.k8s.io", "Policy")


class World:
    """Read-only; every index is made when first asked for."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.memo: dict[Any, Any] = {}

    @cached_property
    def by_kind(self) -> dict[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.snapshot.resources:
            found.setdefault(resource.ref.kind, []).append(resource)
        return found

    @cached_property
    def _by_namespace(self) -> dict[tuple[str, str], list[Resource]]:
        found: dict[tuple[str, str], list[Resource]] = {}
        for resource in self.snapshot.resources:
            found.setdefault((resource.ref.kind, resource.ref.namespace), []).append(resource)
        return found

    def within(self, kind: str, namespace: str) -> list[Resource]:
        """The resources of a kind in one namespace (the empty one: those that name none)."""
        return self._by_namespace.get((kind, namespace), [])

    @cached_property
    def cluster(self) -> dict[str, list[Any]]:
        """Kind to the data of every Kubernetes object of that kind, as expressions see it."""
        return {
            kind: [resource.data for resource in resources if is_kubernetes(resource)]
            for kind, resources in self.by_kind.items()
        }

    def pods_of(self, resource: Resource) -> tuple[PodView, ...]:
        key = ("pods", id(resource))
        if key not in self.memo:
            try:
                self.memo[key] = views(resource)
            except WRONG_SHAPE:
                self.memo[key] = ()
                self.memo["unviewed", id(resource)] = True
        made: tuple[PodView, ...] = self.memo[key]
        return made

    def unviewed(self, resource: Resource) -> str:
        """The platform of a resource whose pods could not be made out; empty when they could, or it has none."""
        self.pods_of(resource)
        if ("unviewed", id(resource)) in self.memo:
            return platform(resource)
        return ""

    @cached_property
    def kubernetes_pods(self) -> tuple[PodView, ...]:
        return tuple(
            view for resource in self.snapshot.resources if is_kubernetes(resource) for view in self.pods_of(resource)
        )

    @cached_property
    def namespaces(self) -> tuple[str, ...]:
        """Every namespace that is declared or that a namespaced resource names, sorted; never the empty one."""
        names = {resource.ref.name for resource in self.by_kind.get("Namespace", ())}
        names.update(resource.ref.namespace for resource in self.snapshot.resources if is_kubernetes(resource))
        return tuple(sorted(name for name in names if name))

    @cached_property
    def _hidden(self) -> frozenset[str]:
        return frozenset(kind for gap in self.snapshot.gaps for kind in gap.hides)

    def hides(self, kind: str) -> str:
        """The place of a gap that may hide a resource of ``kind``; empty when none may."""
        if not self._hidden or not ({"*", kind} & self._hidden):
            return ""
        return next(gap.where for gap in self.snapshot.gaps if kind in gap.hides or "*" in gap.hides)


def platform(resource: Resource) -> str:
    kind = resource.ref.kind
    if kind in ("Compose", "DockerContainer"):
        return "compose" if kind == "Compose" else "docker"
    return "ecs" if kind in ecs.KINDS else KUBERNETES


def views(resource: Resource) -> tuple[PodView, ...]:
    """The pods that a resource is, makes or resembles, whatever platform it belongs to."""
    kind = resource.ref.kind
    if kind == "Compose":
        return compose.pods(resource)
    if kind == "DockerContainer":
        return docker.pods(resource)
    if kind in ecs.KINDS:
        return ecs.pods(resource)
    return pods.pods(resource) if is_kubernetes(resource) else ()
