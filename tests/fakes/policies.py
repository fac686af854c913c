"""A cluster as policies ask it: namespaces, parameters and rights as a test gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bulkhead.engines.admission.review import GroupVersionKind, GroupVersionResource, Operation, Review, User
from bulkhead.engines.admission.selectors import labels_of, selects
from bulkhead.engines.vap import Answer, Attributes

Object = Mapping[str, Any]
ADMIN = User(username="admin", groups=("system:masters", "system:authenticated"))


class Cluster:
    """Nobody may do anything but members of ``system:masters``, unless ``rights`` says otherwise."""

    def __init__(
        self, *, namespaces: Mapping[str, Object] | None = None, parameters: Sequence[Object] = (), rights: Callable[[Attributes], Answer] | None = None
    ) -> None:  # fmt: skip
        self._namespaces = dict(namespaces or {})
        self._parameters = list(parameters)
        self._rights = rights

    def namespace(self, name: str) -> Object | None:
        return self._namespaces.get(name)

    def parameters(
        self, api_version: str, kind: str, *, namespace: str, name: str, selector: Object | None
    ) -> Sequence[Object]:
        return [
            item
            for item in self._parameters
            if (item.get("apiVersion"), item.get("kind")) == (api_version, kind)
            and item["metadata"].get("namespace", namespace) == namespace
            and (item["metadata"].get("name") == name if name else selects(selector, labels_of(item)))
        ]

    def authorize(self, attributes: Attributes) -> Answer:
        if self._rights is not None:
            return self._rights(attributes)
        return Answer(allowed="system:masters" in attributes.groups)


def review_of(
    thing: Object | None, *, old: Object | None = None, operation: Operation = "CREATE", namespace: str = "default", user: User = ADMIN, subresource: str = "", dry_run: bool = False
) -> Review:  # fmt: skip
    """The request that stores an object; its resource is its kind's usual plural."""
    shown = thing if thing is not None else old
    assert shown is not None
    group, _, version = str(shown["apiVersion"]).rpartition("/")
    kind = str(shown["kind"])
    metadata = shown.get("metadata") or {}
    space = str(metadata.get("namespace") or namespace) if kind not in _CLUSTER else ""
    return Review(
        uid="1", kind=GroupVersionKind(group, version, kind), resource=GroupVersionResource(group, version, plural(kind)), sub_resource=subresource,
        name=str(metadata.get("name", "")), namespace=space, operation=operation, user_info=user, object=thing, old_object=old, dry_run=dry_run,
        options={"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    )  # fmt: skip


_CLUSTER = frozenset(
    {"Namespace", "ClusterRole", "ClusterRoleBinding", "Node", "PersistentVolume", "CustomResourceDefinition"}
)


def plural(kind: str) -> str:
    lower = kind.lower()
    if lower.endswith("s"):
        return f"{lower}es"
    return f"{lower[:-1]}ies" if lower.endswith("y") and not lower.endswith(("ay", "ey")) else f"{lower}s"
