"""Pod specs inside Kubernetes objects."""

from __future__ import annotations

from typing import Any

from bulkhead.core.finding import dotted
from bulkhead.core.resource import DocumentPath, Resource
from bulkhead.posture.views.model import ContainerView, Direct, PodView

# Where each kind keeps its pod template. Anything else is looked at by shape: spec.template.spec.containers.
_TEMPLATES: dict[str, DocumentPath] = {
    "Pod": (),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "ScheduledJob": ("spec", "jobTemplate", "spec", "template"),
    "PodTemplate": ("template",),
    "Revision": (),
}
_DEFAULT: DocumentPath = ("spec", "template")
_LISTS = (("containers", "container"), ("initContainers", "init"), ("ephemeralContainers", "ephemeral"))
_NEVER = frozenset({"CustomResourceDefinition"})
WORKLOAD_KINDS = frozenset({
    "Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicationController",
    "PodTemplate", "DeploymentConfig", "Rollout",
})  # fmt: skip


def pods(resource: Resource) -> tuple[PodView, ...]:
    """The pod that ``resource`` is or makes; none when it has nothing of the kind."""
    data = resource.data
    kind = resource.ref.kind
    if not isinstance(data, dict) or kind in _NEVER:
        return ()
    at = _TEMPLATES.get(kind, _DEFAULT)
    holder: Any = data
    for part in at:
        holder = holder.get(part) if isinstance(holder, dict) else None
    spec = holder.get("spec") if isinstance(holder, dict) else None
    if not isinstance(spec, dict):
        return ()
    if kind not in WORKLOAD_KINDS and not isinstance(spec.get("containers"), list):
        return ()
    meta = holder.get("metadata")
    base = (*at, "spec")
    view = PodView(
        resource, "kubernetes", spec, meta if isinstance(meta, dict) else {}, at != (), Direct(base), dotted(base)
    )
    for key, role in _LISTS:
        items = spec.get(key)
        if isinstance(items, list):
            view.containers.extend(
                _container(view, key, role, index, item, base)
                for index, item in enumerate(items)
                if isinstance(item, dict)
            )
    return (view,)


def _container(
    view: PodView, key: str, role: str, index: int, item: dict[str, Any], base: DocumentPath
) -> ContainerView:
    name = item.get("name")
    label = name if isinstance(name, str) else str(index)
    return ContainerView(view, item, role, f"{view.element}.{key}[{label}]", Direct((*base, key, index)))


# Settings of a pod that its containers inherit unless they say otherwise (core/v1 PodSecurityContext).
_INHERITED = (
    "runAsUser",
    "runAsGroup",
    "runAsNonRoot",
    "seLinuxOptions",
    "seccompProfile",
    "appArmorProfile",
    "windowsOptions",
)


def effective(pod: dict[str, Any], container: dict[str, Any]) -> dict[str, Any]:
    """The container's security settings with what it inherits from its pod."""
    own = container.get("securityContext")
    merged: dict[str, Any] = {}
    above = pod.get("securityContext")
    if isinstance(above, dict):
        for key in _INHERITED:
            if above.get(key) is not None:
                merged[key] = above[key]
    if isinstance(own, dict):
        merged.update({key: value for key, value in own.items() if value is not None})
    return merged
