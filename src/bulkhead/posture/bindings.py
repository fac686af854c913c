"""The names that expressions see, each computed when an expression really uses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from bulkhead.core.resource import DocumentPath, Resource
from bulkhead.engines.cel.errors import CelError
from bulkhead.posture.facts import namespaces, pss, rbac, related, workloads
from bulkhead.posture.views import component
from bulkhead.posture.views.model import ContainerView, Direct, Lens, PodView
from bulkhead.posture.views.pods import effective
from bulkhead.posture.world import World

VARIABLES = frozenset({
    "object", "ref", "params", "cluster", "container", "pod", "effective", "role", "platform", "workload",
    "ns", "rbac", "related", "element", "index", "paths", "item", "pss", "gaps",
})  # fmt: skip

_POD = frozenset({"pod", "platform", "params"})
_POD_NOTED = _POD | {"pss"}
_CONTAINER = frozenset({"container", "role", "platform", "params"})
_CONTAINER_IN_POD = _CONTAINER | {"pod", "effective"}


class Element(msgspec.Struct):
    """What one check judges: an element of a resource with its bindings.

    Attributes:
        name: stable name inside the resource, for the fingerprint.
        lens: from paths below the element to paths in the resource.
        pod_lens: the same below the pod spec, where there is one.
        unread: what of the element could not be read at all; every check of it is then an error.
        providers: names computed on demand.
        ready: sets of names that are all computed.
        missed: what the element lacks of a check's needs, by these; empty when nothing.
        likeness: sets of names, narrow before wide, each with the bytes of all that these names rest on: elements with
            the same bytes are the same for a check that uses no other name. Empty where that cannot be told.
        direct: every path of the view stands in the resource as it is.
    """

    resource: Resource
    name: str
    lens: Lens
    subject: Any
    pod_lens: Lens | None = None
    unread: str = ""
    bound: dict[str, Any] = msgspec.field(default_factory=dict)
    providers: Mapping[str, Callable[[], Any]] = msgspec.field(default_factory=dict)
    missed: dict[Any, str] = msgspec.field(default_factory=dict)
    ready: set[frozenset[str]] = msgspec.field(default_factory=set)
    likeness: tuple[tuple[frozenset[str], bytes], ...] = ()
    direct: bool = False

    def __post_init__(self) -> None:
        self.direct = type(self.lens) is Direct and (self.pod_lens is None or type(self.pod_lens) is Direct)

    def bindings(self, used: frozenset[str]) -> dict[str, Any]:
        """The bindings for an expression that uses these names.

        Raises:
            CelError: a fact rests on data that is unknown or of a shape that its kind does not have.
        """
        bound = self.bound
        for name in used:
            if name not in bound and name in self.providers:
                try:
                    bound[name] = self.providers[name]()
                except (TypeError, AttributeError, KeyError, ValueError) as exc:
                    raise CelError(f"{name} cannot be told: {exc}") from exc
        self.ready.add(used)
        return bound


def _base(world: World, resource: Resource) -> dict[str, Callable[[], Any]]:
    ref = resource.ref
    return {
        "object": lambda: resource.data,
        "cluster": lambda: world.cluster,
        "related": lambda: related.facts(world, resource),
        "ref": lambda: {
            "source": ref.source, "kind": ref.kind, "group": ref.group, "namespace": ref.namespace, "name": ref.name,
            "origin": ref.origin,
        },
    }  # fmt: skip


def whole(world: World, resource: Resource) -> Element:
    # A custom resource may be called Component too; those have a group.
    flagged = resource.ref.kind == "Component" and not resource.ref.group
    lens: Lens = component.lens(resource) if flagged else Direct(())
    return Element(resource, "", lens, resource.data, providers=_base(world, resource))


def unread(resource: Resource, what: str) -> Element:
    """An element that should be there and cannot be seen."""
    return Element(resource, "", Direct(()), resource.data, unread=what)


def items(world: World, resource: Resource, path: DocumentPath) -> list[Element]:
    """One element for each item of the list at ``path``; none where there is no list."""
    value = resource.data
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    if not isinstance(value, list):
        return []
    base = _base(world, resource)
    out = []
    seen: set[str] = set()
    for index, item in enumerate(value):
        name = item.get("name") if isinstance(item, dict) else None
        label = name if isinstance(name, str) and name else str(index)
        # A name that stands twice tells nothing apart; its place does.
        label = f"{label}#{index}" if label in seen else label
        seen.add(label)
        element = Element(
            resource, f"{'.'.join(map(str, path))}[{label}]", Direct((*path, index)), item, providers=base
        )
        element.bound.update(element=item, index=index)
        out.append(element)
    return out


def pod(world: World, view: PodView) -> Element:
    providers = _base(world, view.resource)
    providers["workload"] = lambda: workloads.facts(world, view)
    providers["pss"] = lambda: pss.facts(view.spec, view.meta)
    element = Element(view.resource, view.element, view.lens, view.spec, view.lens, providers=providers)
    element.bound.update(pod=view.spec, platform=view.platform)
    if element.direct:
        own = _spelled_pod(world, view)
        noted = _spelled(view.meta.get("annotations")) if own else b""
        element.likeness = ((_POD, own), (_POD_NOTED, own + noted)) if noted else ()
    return element


def container(world: World, view: ContainerView) -> Element:
    providers = _base(world, view.pod.resource)
    providers["workload"] = lambda: workloads.facts(world, view.pod)
    providers["effective"] = lambda: effective(view.pod.spec, view.data)
    element = Element(view.pod.resource, view.element, view.lens, view.data, view.pod.lens, providers=providers)
    element.bound.update(container=view.data, pod=view.pod.spec, role=view.role, platform=view.pod.platform)
    if element.direct:
        own = _spelled((view.pod.platform, view.role, view.data))
        around = _spelled_pod(world, view.pod) if own else b""
        element.likeness = ((_CONTAINER, own), (_CONTAINER_IN_POD, own + around)) if around else ()
    return element


def _spelled_pod(world: World, view: PodView) -> bytes:
    key = ("spelled", id(view))
    if key not in world.memo:
        world.memo[key] = _spelled((view.platform, view.spec))
    known: bytes = world.memo[key]
    return known


def _spelled(data: Any) -> bytes:
    """The same bytes for the same data; none for what holds a value that is not known."""
    try:
        return blake2b(msgspec.msgpack.encode(data), digest_size=16).digest()
    except (TypeError, ValueError, OverflowError, RecursionError):
        return b""


def namespace(world: World, resource: Resource, name: str) -> Element:
    providers = _base(world, resource)
    providers["ns"] = lambda: namespaces.facts(world, name)
    return Element(resource, "", Direct(()), resource.data, providers=providers)


def access(world: World, resource: Resource) -> Element:
    """A role or a binding."""
    providers = _base(world, resource)
    providers["rbac"] = lambda: rbac.facts(world, resource)
    return Element(resource, "", Direct(()), resource.data, providers=providers)


def cluster(world: World, resource: Resource) -> Element:
    """The snapshot as a whole."""
    providers = _base(world, resource)
    providers["paths"] = lambda: _paths(world)
    providers["gaps"] = lambda: [
        {"where": gap.where, "code": gap.code, "reason": gap.reason, "line": gap.line} for gap in world.snapshot.gaps
    ]
    return Element(resource, "", Direct(()), resource.data, providers=providers)


def _paths(world: World) -> Any:
    # Imported when a control asks for attack paths: few scans of a folder without a cluster do.
    from bulkhead.posture.attack import facts

    return facts.facts(world)
