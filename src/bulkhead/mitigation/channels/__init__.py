"""Which live resource is changed by which channel, and how: pure tables and rules, one module for each channel."""

from __future__ import annotations

from bulkhead.core.resource import Ref
from bulkhead.mitigation.channels import aws, docker, kubernetes, node
from bulkhead.mitigation.records import Kind

_KINDS: dict[str, Kind] = {**docker.KINDS, **node.KINDS, **aws.KINDS}
_CLUSTERS = frozenset({"kubernetes", "live"})
_NOT_OBJECTS = frozenset({"Component", "KubernetesCluster", "ClientTools", "Probe", "Cluster"})


def kind_of(ref: Ref) -> Kind | None:
    """The kind of a resource; None for what no channel changes."""
    if ref.kind in _KINDS and not ref.group:
        return _KINDS[ref.kind]
    if ref.source in _CLUSTERS and ref.kind not in _NOT_OBJECTS and ref.source == "kubernetes":
        return kubernetes.OBJECT
    return None
