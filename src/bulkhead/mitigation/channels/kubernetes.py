"""Objects of a cluster: what somebody wrote into them, and whose they are.

An object that a GitOps tool or a package manager keeps is put back by it: the repair belongs into its repository. One that a
controller made is made again: the repair belongs to the controller's own object.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bulkhead.core.plan import Risk
from bulkhead.core.resource import DocumentPath
from bulkhead.mitigation.operations import DoesNotApply
from bulkhead.mitigation.records import Kind, Method, without

_BOOKKEEPING = ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink")
# The counters of controllers, and what kubectl keeps for itself.
_NOTES = (
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "kubectl.kubernetes.io/last-applied-configuration",
)
_ROLLED: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "DeploymentConfig", "ReplicationController"})
_IMMUTABLE: Final = {
    "Pod": "a running pod cannot be changed: repair what makes it, or make it again",
    "Job": "a job's pods cannot be changed: repair what makes it",
    "Node": "a node's settings stand on the node",
}


def record(data: Mapping[str, Any]) -> dict[str, Any]:
    """The object without status and the server's own bookkeeping."""
    out = without(data, "status")
    metadata = out.get("metadata")
    if isinstance(metadata, dict):
        kept = without(metadata, *_BOOKKEEPING)
        if isinstance(kept.get("annotations"), dict):
            kept["annotations"] = without(kept["annotations"], *_NOTES)
            if not kept["annotations"]:
                del kept["annotations"]
        out["metadata"] = kept
    return out


def record_like(data: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """The record, with the other record's count of replicas where somebody scales the object.

    Who scales, an autoscaler or a person, writes the count through the part ``scale`` and no other field: that is no change of
    what a plan was made from, and never ours to put back.
    """
    out = record(data)
    entries = (data.get("metadata") or {}).get("managedFields") or ()
    if isinstance(out.get("spec"), dict) and any(entry.get("subresource") == "scale" for entry in entries):
        spec, other = without(out["spec"], "replicas"), like.get("spec")
        count = {"replicas": other["replicas"]} if isinstance(other, dict) and "replicas" in other else {}
        out["spec"] = {**spec, **count}
    return out


def method(found: Mapping[str, Any], changed: frozenset[DocumentPath]) -> Method:
    kind = str(found.get("kind", ""))
    metadata = found.get("metadata") or {}
    place = f" in {metadata['namespace']}" if metadata.get("namespace") else ""
    labels_only = all(path[:1] == ("metadata",) for path in changed)
    if kind in _IMMUTABLE and not labels_only:
        raise DoesNotApply(_IMMUTABLE[kind])
    rolls = kind in _ROLLED and any(path[:2] == ("spec", "template") for path in changed)
    risk: Risk = "restart" if rolls else "none"
    return Method("patch", (f"get and patch {kind}{place}",), "patch the fields back to what they were", risk)


OBJECT: Final = Kind("kubernetes", record, method)


class Owner(msgspec.Struct, frozen=True):
    """Who would put a change back: the tool, and the thing of its that holds the object."""

    tool: str
    name: str = ""


_MANAGERS: Final = {
    "argocd-controller": "Argo CD", "argocd-application-controller": "Argo CD", "kustomize-controller": "Flux",
    "helm-controller": "Flux", "helm": "Helm",
}  # fmt: skip


def owner(data: Mapping[str, Any]) -> Owner | None:
    """The GitOps tool or package manager that keeps the object, by its marks or as a manager of its fields."""
    metadata = data.get("metadata") or {}
    labels, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    tracked = notes.get("argocd.argoproj.io/tracking-id")
    if tracked:
        return Owner("Argo CD", str(tracked).partition(":")[0])
    if labels.get("argocd.argoproj.io/instance"):
        return Owner("Argo CD", str(labels["argocd.argoproj.io/instance"]))
    for mark in ("kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name"):
        if labels.get(mark):
            return Owner("Flux", str(labels[mark]))
    if notes.get("meta.helm.sh/release-name"):
        return Owner("Helm", str(notes["meta.helm.sh/release-name"]))
    if labels.get("app.kubernetes.io/managed-by") == "Helm":
        return Owner("Helm", str(labels.get("app.kubernetes.io/instance", "")))
    for entry in metadata.get("managedFields") or ():
        tool = _MANAGERS.get(str(entry.get("manager", ""))) if isinstance(entry, dict) else None
        if tool:
            return Owner(tool)
    return None


def controller(data: Mapping[str, Any]) -> str:
    """The object whose controller made this one, as ``Kind/name``; empty where there is none."""
    for reference in (data.get("metadata") or {}).get("ownerReferences") or ():
        if isinstance(reference, dict) and reference.get("controller") is True:
            return f"{reference.get('kind', '')}/{reference.get('name', '')}"
    return ""
