"""Exceptions in annotations and labels of Kubernetes objects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from bulkhead.core.resource import Resource, Snapshot
from bulkhead.posture.shapes import WRONG_SHAPE
from bulkhead.posture.suppressions.model import Exemption
from bulkhead.posture.views.pods import pods

# kubeaudit's labels (docs of its auditors) and the findings each of them allows.
_KUBEAUDIT = {
    "allow-privileged": ("PrivilegedTrue", "PrivilegedNil"),
    "allow-privilege-escalation": ("AllowPrivilegeEscalationTrue", "AllowPrivilegeEscalationNil"),
    "allow-run-as-root": ("RunAsUserCSCRoot", "RunAsUserPSCRoot", "RunAsNonRootCSCFalse", "RunAsNonRootPSCNilCSCNil", "RunAsNonRootPSCFalseCSCNil"),
    "allow-read-only-root-filesystem-false": ("ReadOnlyRootFilesystemFalse", "ReadOnlyRootFilesystemNil"),
    "allow-automount-service-account-token": ("AutomountServiceAccountTokenTrueAndDefaultSA",),
    "allow-host-network": ("NamespaceHostNetworkTrue",),
    "allow-namespace-host-network": ("NamespaceHostNetworkTrue",),
    "allow-namespace-host-ipc": ("NamespaceHostIPCTrue",),
    "allow-namespace-host-pid": ("NamespaceHostPIDTrue",),
    "allow-image-tag-missing": ("ImageTagMissing",),
    "allow-disabled-apparmor": ("AppArmorDisabled", "AppArmorAnnotationMissing"),
    "allow-non-default-deny-ingress-network-policy": ("MissingDefaultDenyIngressNetworkPolicy", "MissingDefaultDenyIngressAndEgressNetworkPolicy"),
    "allow-non-default-deny-egress-network-policy": ("MissingDefaultDenyEgressNetworkPolicy", "MissingDefaultDenyIngressAndEgressNetworkPolicy"),
}  # fmt: skip


def read(snapshot: Snapshot) -> Iterator[Exemption]:
    for resource in snapshot.resources:
        if isinstance(resource.data, dict):
            with suppress(*WRONG_SHAPE):  # an exception that cannot be read covers nothing
                yield from _of(resource)


def _of(resource: Resource) -> Iterator[Exemption]:
    for meta in _metadata(resource.data):
        for key, value in _map(meta.get("annotations")).items():
            yield from _annotation(resource, str(key), value)
        labels = _map(meta.get("labels"))
        for key, value in labels.items():
            yield from _label(resource, str(key), value)
        yield from _labelled_everywhere(resource, labels)


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _metadata(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The object's own and its pod template's."""
    yield _map(data.get("metadata"))
    spec = _map(data.get("spec"))
    yield _map(_map(spec.get("template")).get("metadata"))
    yield _map(_map(_map(_map(spec.get("jobTemplate")).get("spec")).get("template")).get("metadata"))


def _annotation(resource: Resource, key: str, value: Any) -> Iterator[Exemption]:
    origin = f"annotation {key}"
    text = value if isinstance(value, str) else ""
    group, _, name = key.partition("/")
    if group in ("checkov.io", "bridgecrew.io", "cortex.io") and name.startswith("skip"):
        control, _, reason = text.partition("=")
        yield Exemption(control.strip(), origin, reason.strip(), ref=resource.ref)
    elif group == "ignore-check.kube-linter.io":
        yield Exemption(f"kube-linter:{name}", origin, text, ref=resource.ref)
    elif key == "kube-linter.io/ignore-all":
        yield Exemption("*", origin, text, ref=resource.ref)
    elif group == "polaris.fairwinds.com" and text.lower() == "true":
        if name == "exempt":
            yield Exemption("*", origin, ref=resource.ref)
        elif name.endswith("-exempt"):
            yield Exemption(f"polaris:{name.removesuffix('-exempt')}", origin, ref=resource.ref)
    elif key == "kube-score/ignore":
        for item in text.split(","):
            yield Exemption(f"kube-score:{item.strip()}", origin, ref=resource.ref)
    elif group == "bulkhead.dev" and name.startswith("ignore"):
        control, _, reason = text.partition(":")
        yield Exemption(control.strip(), origin, reason.strip(), ref=resource.ref)


def _labelled_everywhere(resource: Resource, labels: dict[str, Any]) -> Iterator[Exemption]:
    """A label on every container covers the pod's own setting too."""
    allowed: dict[str, set[str]] = {}
    for key in labels:
        group, _, rest = str(key).partition("/")
        if group == "container.kubeaudit.io":
            container, _, name = rest.rpartition(".")
            allowed.setdefault(name, set()).add(container)
    if not allowed:
        return
    names = {view.data.get("name") for pod in pods(resource) for view in pod.containers}
    for name, containers in allowed.items():
        if names and names <= containers:
            yield from _label(resource, f"kubeaudit.io/{name}", "allowed for every container")


def _label(resource: Resource, key: str, value: Any) -> Iterator[Exemption]:
    group, _, name = key.partition("/")
    container = ""
    if group == "container.kubeaudit.io":
        container, _, name = name.rpartition(".")
    elif group == "container.audit.kubernetes.io":
        container, _, name = name.rpartition(".")
    elif group not in ("kubeaudit.io", "audit.kubernetes.io"):
        return
    names = _KUBEAUDIT.get(name, ())
    if name.startswith("allow-capability-"):
        names = ("CapabilityAdded", "CapabilityShouldDropAll", "CapabilityOrSecurityContextMissing")
    for finding in names:
        yield Exemption(f"kubeaudit:{finding}", f"label {key}", str(value), ref=resource.ref, element=container)
