"""kubescape's SecurityException and ClusterSecurityException (``kubescape.io/v1beta1``).

1. An exception names controls (``spec.posture``), each with an action: ``ignore`` or ``alert_only``, which is the default.
2. It is about the resources that ``spec.match`` picks: any of ``resources``, and also ``objectSelector`` and, for the
   cluster's kind, ``namespaceSelector``. Without them it is about its namespace, or the whole cluster.
3. What cannot be read in it, a date or an action that is none, or a framework of kubescape's that our controls do not
   belong to, makes it cover nothing: an exception that covers more than was agreed is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from bulkhead.core.patterns import later
from bulkhead.core.resource import Resource, Snapshot
from bulkhead.posture.facts import selectors
from bulkhead.posture.shapes import WRONG_SHAPE
from bulkhead.posture.suppressions.model import Exemption
from bulkhead.posture.views.pods import WORKLOAD_KINDS
from bulkhead.posture.world import is_kubernetes

_GROUP = "kubescape.io"
_KINDS = ("SecurityException", "ClusterSecurityException")
# Kinds that, where they name no namespace, are in the default one; others may be the whole cluster's.
_NAMESPACED = WORKLOAD_KINDS | {
    "ConfigMap", "Endpoints", "HorizontalPodAutoscaler", "Ingress", "LimitRange", "NetworkPolicy", "PersistentVolumeClaim",
    "PodDisruptionBudget", "ResourceQuota", "Role", "RoleBinding", "Secret", "Service", "ServiceAccount",
}  # fmt: skip
_ACTIONS = ("ignore", "alert_only", "", None)
_INSTANT = later(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


def read(snapshot: Snapshot) -> Iterator[Exemption]:
    for resource in snapshot.resources:
        if resource.ref.kind in _KINDS and resource.ref.group == _GROUP:
            with suppress(*WRONG_SHAPE):  # an exception that cannot be read covers nothing
                yield from list(_of(resource, snapshot))


def _of(resource: Resource, snapshot: Snapshot) -> Iterator[Exemption]:
    spec = resource.data["spec"]
    expires = spec.get("expiresAt") or ""
    if expires and not _INSTANT.fullmatch(expires):
        return
    agreed: list[str] = [
        item["controlID"]
        for item in spec.get("posture") or ()
        if item.get("action") in _ACTIONS
        and item.get("frameworkName") in (None, "", "AllControls")
        and item["controlID"]
    ]
    match = spec.get("match") or {}
    reason, origin = str(spec.get("reason") or resource.ref.name), resource.ref.origin
    for control in agreed:
        if resource.ref.kind == "ClusterSecurityException" and not match:
            yield Exemption(control, origin, reason, expires=expires[:10])
            continue
        for item in snapshot.resources:
            if is_kubernetes(item) and _covers(resource, match, item, snapshot):
                yield Exemption(control, origin, reason, expires=expires[:10], ref=item.ref)


def _covers(exception: Resource, match: dict[str, Any], item: Resource, snapshot: Snapshot) -> bool:
    ref = item.ref
    if exception.ref.kind == "SecurityException":
        if not selectors.same_namespace(exception.ref.namespace, ref.namespace):
            return False
        if not ref.namespace and ref.kind not in _NAMESPACED:
            return False
    elif "namespaceSelector" in match and not _in_namespace(match["namespaceSelector"], ref.namespace, snapshot):
        return False
    wanted = match.get("resources") or ()
    if wanted and not any(_named(one, item) for one in wanted):
        return False
    selector = match.get("objectSelector")
    return not selector or selectors.selects(selector, (item.data.get("metadata") or {}).get("labels"))


def _in_namespace(selector: dict[str, Any], namespace: str, snapshot: Snapshot) -> bool:
    return any(
        item.ref.kind == "Namespace"
        and item.ref.name == (namespace or selectors.HOME)
        and selectors.selects(selector, (item.data.get("metadata") or {}).get("labels"))
        for item in snapshot.resources
    )


def _named(wanted: dict[str, Any], item: Resource) -> bool:
    ref = item.ref
    return (
        bool(wanted)
        and wanted.get("kind") in (None, "", "*", ref.kind)
        and wanted.get("apiGroup") in (None, "", ref.group)
        and _same(str(wanted.get("name") or ""), ref.name)
    )


def _same(pattern: str, name: str) -> bool:
    """kubescape compares by regular expression; of those only a beginning (``web-.*``, ``web-*``) is taken over."""
    if pattern.endswith("*"):
        return name.startswith(pattern.removesuffix("*").removesuffix("."))
    return pattern in ("", name)
