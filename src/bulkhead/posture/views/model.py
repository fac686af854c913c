"""The shapes that the views share."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from bulkhead.core.plan import Edit
from bulkhead.core.resource import DocumentPath, Resource


class Lens(Protocol):
    """Translates paths of a view into paths of the resource it was made from.

    Paths in a view are relative to its element (a container or a pod spec); answers are relative to the resource.
    """

    def target(self, path: DocumentPath) -> DocumentPath | None:
        """Where the view's field stands in the source, or None when this platform has no such field."""

    def edits(self, op: str, path: DocumentPath, value: Any) -> tuple[Edit, ...] | None:
        """The change of the source that makes the change of the view, or None when there is none."""


class Direct(msgspec.Struct, frozen=True):
    """The view is the source itself, below ``base``."""

    base: DocumentPath

    def target(self, path: DocumentPath) -> DocumentPath | None:
        return self.base + path

    def edits(self, op: str, path: DocumentPath, value: Any) -> tuple[Edit, ...] | None:
        if op not in ("set", "remove", "append"):
            return None
        return (Edit(op=op, path=self.base + path, value=value),)  # type: ignore[arg-type]  # narrowed above


class PodView(msgspec.Struct, frozen=True, eq=False):
    """A pod spec, wherever it came from.

    Attributes:
        platform: kubernetes, compose, ecs or docker.
        spec: Kubernetes-shaped.
        meta: the pod's own metadata (labels, annotations), which a template may lack.
        template: True when a controller makes the pods.
        lens: from paths below ``spec``.
    """

    resource: Resource
    platform: str
    spec: dict[str, Any]
    meta: dict[str, Any]
    template: bool
    lens: Lens
    element: str = ""
    containers: list[ContainerView] = msgspec.field(default_factory=list)


class ContainerView(msgspec.Struct, frozen=True, eq=False):
    """One container; ``role`` is container, init or ephemeral; ``element`` its stable name for fingerprints."""

    pod: PodView
    data: dict[str, Any]
    role: str
    element: str
    lens: Lens


def is_number(text: str) -> bool:
    """Whether a user or group is told by number, in the digits that an engine takes."""
    return text.isascii() and text.isdecimal()
