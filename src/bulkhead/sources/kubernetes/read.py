"""One cluster into a Snapshot."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any, Final, Protocol

from bulkhead.clients.kube import ApiResource, Discovered, Forbidden
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import Gap, Ref, Resource, Snapshot
from bulkhead.core.shapes import WRONG_SHAPE
from bulkhead.formats.shapes import kubernetes as shapes
from bulkhead.sources.kubernetes import planes, pods
from bulkhead.sources.kubernetes.objects import lean

_KUBELETS = 500
"""Nodes whose kubelet is asked for its settings."""
_SERVERS = frozenset({"kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler"})
# Long lists of what is no setting: an image for each layer that was ever pushed, a measurement for each pod.
_NEVER = frozenset(
    {
        ("image.openshift.io", "Image"),
        ("metrics.k8s.io", "PodMetrics"),
        ("metrics.k8s.io", "NodeMetrics"),
        ("events.k8s.io", "Event"),
    }
)
# Groups of measurements: they are told by programs that come and go, and hold nothing else.
_MEASURES: Final = {
    "metrics.k8s.io": ("NodeMetrics", "PodMetrics"), "custom.metrics.k8s.io": ("MetricValueList",),
    "external.metrics.k8s.io": ("ExternalMetricValueList",),
}  # fmt: skip
_MADE_HERE: Final = frozenset({"KubernetesCluster", "Component", "ClientTools"})


class Reader(Protocol):
    """What is asked of a cluster; ``clients.kube.KubeClient`` answers."""

    async def discover(self) -> Discovered: ...

    async def collect(self, resource: ApiResource) -> tuple[list[dict[str, Any]], str]: ...

    async def raw(self, path: str) -> Any: ...


async def read(client: Reader, *, context: str, wanted: frozenset[str], notes: tuple[str, ...] = ()) -> Snapshot:
    """Everything of the cluster that is ours to judge, and what could not be read.

    Args:
        client: open, to the cluster.
        context: its name, as it is told in findings.
        wanted: kinds, plain or with their group (``posture.wanted.kinds``).
        notes: what is to be told besides (a connection without verified TLS).

    Raises:
        SourceError: the cluster does not say what it is.
    """
    version = await server_version(client)
    reading = Reading(client, f"kubernetes://{context}", wanted, os.urandom(32))
    kinds = await reading.kinds()
    lists = await asyncio.gather(*(reading.list_of(kind) for kind in kinds))
    return await reading.assembled(version, [item for items, _ in lists for item in items], notes)


async def server_version(client: Reader) -> str:
    """Raises SourceError where the cluster does not say what it is."""
    version = await client.raw("/version")
    if not isinstance(version, dict) or not isinstance(version.get("gitVersion"), str):
        raise SourceError("the server does not say its version", where="/version")
    found: str = version["gitVersion"]
    return found


class Reading:
    """One cluster being read: its kinds, the objects of each, and what they make together. Gaps are of the last reading."""

    def __init__(self, client: Reader, origin: str, wanted: frozenset[str], key: bytes) -> None:
        self._client = client
        self._origin = origin
        self._wanted = wanted
        self._key = key
        self._discovery: list[Gap] = []
        self._unlisted: dict[ApiResource, list[Gap]] = {}
        self._gaps: list[Gap] = []

    async def kinds(self) -> list[ApiResource]:
        """What is to be listed. Raises SourceError where the server does not tell its kinds."""
        found = await self._client.discover()
        self._discovery = []
        there = {item.kind for item in found.resources}
        for group, reason in sorted(found.failures.items()):
            self._discovery.append(self._told(f"/apis/{group}", "B200", reason, *self._behind(group, there)))
        return [item for item in found.resources if self._is_wanted(item)]

    def _behind(self, version: str, there: set[str]) -> tuple[str, ...]:
        """The kinds that may stand behind a group version whose server does not answer."""
        group = version.rpartition("/")[0]
        if group in _MEASURES:
            return _MEASURES[group]
        hidden = {item.rpartition("/")[2] for item in self._wanted if item.rpartition("/")[0] in ("", group)}
        return tuple(sorted(hidden - there - _MADE_HERE))

    async def assembled(self, version: str, listed: list[Resource], notes: tuple[str, ...]) -> Snapshot:
        """The Snapshot that these objects make, with the kubelets asked for their settings."""
        self._gaps = []
        listed, left = pods.told_once(listed)
        nodes = [item.data for item in listed if item.ref.kind == "Node"]
        components = [*self._components(listed), *await self._kubelets(nodes)]
        said = [*notes, *(f"{count} {reason} are not told again" for reason, count in sorted(left.items()))]
        said += self._plane(version, nodes, listed, components)
        server = Resource(
            self._ref("KubernetesCluster", self._origin.removeprefix("kubernetes://")), {"version": version}
        )
        return Snapshot((server, *listed, *components), self.gaps, tuple(said))

    @property
    def gaps(self) -> tuple[Gap, ...]:
        unlisted = (
            gap for kind in sorted(self._unlisted, key=lambda item: item.path()) for gap in self._unlisted[kind]
        )
        return (*self._discovery, *unlisted, *self._gaps)

    def _is_wanted(self, item: ApiResource) -> bool:
        return (
            "list" in item.verbs
            and (item.group, item.kind) not in _NEVER
            and (item.kind in self._wanted or f"{item.group}/{item.kind}" in self._wanted)
        )

    def _ref(self, kind: str, name: str, namespace: str = "", group: str = "", uid: str = "") -> Ref:
        return Ref(
            source="kubernetes", kind=kind, group=group, namespace=namespace, name=name, origin=self._origin, uid=uid
        )

    def _told(self, where: str, code: str, reason: str, *hides: str, hint: str = "") -> Gap:
        return Gap(where=f"{self._origin}{where}", code=code, reason=reason, hint=hint, hides=hides or ("*",))

    def _gap(self, where: str, code: str, reason: str, *hides: str, hint: str = "") -> None:
        self._gaps.append(self._told(where, code, reason, *hides, hint=hint))

    async def list_of(self, kind: ApiResource) -> tuple[list[Resource], str]:
        """The objects of a kind, and the version of the list; a gap where they cannot be listed, or one of them is no object."""
        gaps = self._unlisted[kind] = []
        try:
            items, version = await self._client.collect(kind)
        except SourceError as error:
            gaps.append(self._told(kind.path(), error.code, error.message, kind.kind, hint=error.hint))
            return [], ""
        if not version:
            gaps.append(
                self._told(kind.path(), "B200", "the list changed while it was read: some may be missing", kind.kind)
            )
        out = []
        for item in items:
            try:
                out.append(self.resource(kind, item))
            except WRONG_SHAPE as error:
                gaps.append(self._told(kind.path(), "B200", f"an object has not the shape of one: {error}", kind.kind))
        return out, version

    def resource(self, kind: ApiResource, item: dict[str, Any]) -> Resource:
        """Raises one of ``WRONG_SHAPE`` where the object has not the shape of one."""
        data = lean(item, self._key)
        metadata = data["metadata"]
        name, namespace = str(metadata["name"]), str(metadata.get("namespace") or "")
        return Resource(self._ref(kind.kind, name, namespace, kind.group), data)

    def _components(self, listed: list[Resource]) -> Iterator[Resource]:
        """Programs of the control plane that run in pods."""
        for item in listed:
            if item.ref.namespace != "kube-system" and not item.ref.namespace.startswith("openshift-"):
                continue
            for shape in shapes.shapes(item.data) if item.ref.kind in ("Pod", "DaemonSet", "Deployment") else ():
                if shape.kind == "Component":
                    yield Resource(self._ref("Component", shape.name, uid=shape.owner), shape.data)

    async def _kubelets(self, nodes: list[Any]) -> list[Resource]:
        """Each kubelet's settings in force: its file, its flags over it, and the defaults of its version."""
        names = [str((node.get("metadata") or {}).get("name")) for node in nodes]
        if len(names) > _KUBELETS:
            self._gap(
                "/api/v1/nodes",
                "B210",
                f"the kubelets of {len(names) - _KUBELETS} more nodes were not asked",
                "Component",
            )
        made = await asyncio.gather(*(self._kubelet(name) for name in names[:_KUBELETS]))
        return [item for item in made if item is not None]

    async def _kubelet(self, node: str) -> Resource | None:
        path = f"/api/v1/nodes/{node}/proxy/configz"
        try:
            answer = await self._client.raw(path)
            config = answer["kubeletconfig"]
            if not isinstance(config, dict):
                raise SourceError("the kubelet's answer is not its settings")
        except SourceError as error:
            needs = "it takes get on nodes/proxy" if isinstance(error, Forbidden) else ""
            self._gap(path, error.code, error.message, "Component", hint=error.hint or needs)
            return None
        except WRONG_SHAPE:
            self._gap(path, "B200", "the kubelet's answer is not its settings", "Component")
            return None
        data = {
            "flags": {"config": "configz"}, "config": {"kind": "KubeletConfiguration", **config}, "source": "configz", "env": {}, "node": node,
        }  # fmt: skip
        return Resource(self._ref("Component", "kubelet", uid=node), data)

    def _plane(
        self, version: str, nodes: list[Any], listed: list[Resource], components: list[Resource]
    ) -> Iterator[str]:
        """What is told of a control plane that cannot be seen through the API."""
        seen = {item.ref.name for item in components} & _SERVERS
        if "kube-apiserver" in seen or any(item.ref.kind == "ClusterVersion" for item in listed):
            yield "files of the nodes are read on the nodes: bulkhead scan node://"
            return
        name = planes.managed(version, nodes)
        if name:
            yield f"the control plane is run by {name}: its programs' settings are not visible through the API"
            return
        if not any("Pod" in gap.hides or "*" in gap.hides for gap in self.gaps):
            hint = "scan the node that it runs on: bulkhead scan node://"
            self._gap(
                "", "B200", "the programs of the control plane are not visible through the API", "Component", hint=hint
            )
