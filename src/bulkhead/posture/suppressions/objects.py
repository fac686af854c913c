"""kubescape's SecurityException and ClusterSecurityException (``kubescape.io/v1beta1``).

1. An exception names controls by kubescape's ids (``spec.posture``), each with an action: ``ignore`` or ``alert_only``, which
   is the default.
2. It is about the Kubernetes objects that ``spec.match`` picks: any of ``resources``, and also ``objectSelector`` and, for the
   cluster's kind, ``namespaceSelector``. Without them it is about its namespace, or the whole cluster.
3. What cannot be read in it, a field that is not known, a date or an action that is none, a framework of kubescape's that our
   controls do not belong to, makes it cover nothing: an exception that covers more than was agreed is worse than none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import msgspec

from bulkhead.core.patterns import later
from bulkhead.core.resource import Resource, Snapshot
from bulkhead.posture.facts import selectors
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
_CONTROL = later(r"C-\d{4}")
_NAME = later(r"[A-Za-z0-9:_-]*(?:\.\*)?")


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    pass


class _Agreed(
    _Part, frozen=True, forbid_unknown_fields=True, rename={"control_id": "controlID", "framework": "frameworkName"}
):
    control_id: str
    action: Literal["ignore", "alert_only", ""] = ""
    framework: str = ""


class _Requirement(_Part, frozen=True):
    key: str
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    values: tuple[str, ...] = ()


class _Selector(_Part, frozen=True):
    match_labels: dict[str, str] = {}
    match_expressions: tuple[_Requirement, ...] = ()


class _Wanted(_Part, frozen=True):
    kind: str = ""
    name: str = ""
    api_group: str = ""


class _Match(_Part, frozen=True):
    resources: tuple[_Wanted, ...] = ()
    object_selector: _Selector | None = None
    namespace_selector: _Selector | None = None


class _Spec(_Part, frozen=True):
    posture: tuple[_Agreed, ...] = ()
    match: _Match = _Match()
    reason: str = ""
    author: str = ""
    expires_at: str = ""
    vulnerabilities: Any = None


def read(snapshot: Snapshot) -> Iterator[Exemption]:
    for resource in snapshot.resources:
        if resource.ref.kind in _KINDS and resource.ref.group == _GROUP:
            try:
                spec = msgspec.convert(resource.data.get("spec"), _Spec)
                expires = _last_day(spec.expires_at)
            except (msgspec.ValidationError, ValueError, TypeError):
                continue
            yield from _of(resource, spec, expires, snapshot)


def _last_day(text: str) -> str:
    """The last whole day before the instant: exceptions end with a day here. Empty where it never ends.

    Raises:
        ValueError: it is no instant.
    """
    if not text:
        return ""
    end = datetime.fromisoformat(text)
    if end.tzinfo is None:
        raise ValueError("an instant has an offset")
    day: date = (end.astimezone(UTC) - timedelta(days=1)).date()
    return day.isoformat()


def _of(resource: Resource, spec: _Spec, expires: str, snapshot: Snapshot) -> Iterator[Exemption]:
    agreed = [
        item.control_id
        for item in spec.posture
        if item.framework in ("", "AllControls") and _CONTROL.fullmatch(item.control_id)
    ]
    if not agreed or not all(_NAME.fullmatch(wanted.name) or "*" not in wanted.name for wanted in spec.match.resources):
        return
    reason, origin = spec.reason or resource.ref.name, resource.ref.origin
    for item in snapshot.resources:
        if is_kubernetes(item) and _covers(resource, spec.match, item, snapshot):
            for control in agreed:
                yield Exemption(control, origin, reason, owner=spec.author, expires=expires, ref=item.ref)


def _covers(exception: Resource, match: _Match, item: Resource, snapshot: Snapshot) -> bool:
    ref = item.ref
    if exception.ref.kind == "SecurityException":
        if match.namespace_selector is not None or not selectors.same_namespace(exception.ref.namespace, ref.namespace):
            return False
        if not ref.namespace and ref.kind not in _NAMESPACED:
            return False
    elif match.namespace_selector is not None and not _in_namespace(match.namespace_selector, ref.namespace, snapshot):
        return False
    if match.resources and not any(_named(one, item) for one in match.resources):
        return False
    return match.object_selector is None or _selects(match.object_selector, item)


def _in_namespace(selector: _Selector, namespace: str, snapshot: Snapshot) -> bool:
    return any(
        item.ref.kind == "Namespace" and item.ref.name == (namespace or selectors.HOME) and _selects(selector, item)
        for item in snapshot.resources
    )


def _selects(selector: _Selector, item: Resource) -> bool:
    """Whether the object's own labels are picked; labels that are not known are not."""
    metadata = item.data.get("metadata")
    try:
        labels = selectors.certain(metadata.get("labels") if isinstance(metadata, dict) else None)
    except TypeError:
        return False
    return selectors.selects(msgspec.to_builtins(selector), labels)


def _named(wanted: _Wanted, item: Resource) -> bool:
    """kubescape compares names by regular expression; of those only a beginning (``web-.*``) is taken over."""
    ref = item.ref
    if wanted == _Wanted():
        return False
    name = ref.name.startswith(wanted.name[:-2]) if wanted.name.endswith(".*") else wanted.name in ("", ref.name)
    return name and wanted.kind in ("", "*", ref.kind) and wanted.api_group in ("", ref.group)
