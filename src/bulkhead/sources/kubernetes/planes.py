"""Whose control plane it is, by what is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

_LABELS: Final = {
    "eks.amazonaws.com/": "EKS", "cloud.google.com/gke-": "GKE", "kubernetes.azure.com/": "AKS", "alibabacloud.com/": "ACK",
    "doks.digitalocean.com/": "DOKS",
}  # fmt: skip
_PROVIDERS: Final = {"azure://": "AKS", "alicloud://": "ACK"}
_VERSIONS: Final = {"+k3s": "k3s", "+rke2": "RKE2", "-eks-": "EKS", "-gke.": "GKE"}


def managed(version: str, nodes: Iterable[Any]) -> str:
    """The service or distribution that runs the control plane outside of pods; empty where nothing says so.

    A node's labels can be written by whoever may write nodes; the server's own version cannot.
    """
    for mark, name in _VERSIONS.items():
        if mark in version:
            return name
    for node in nodes:
        labels = (node.get("metadata") or {}).get("labels") or {}
        for mark, name in _LABELS.items():
            if any(str(label).startswith(mark) for label in labels):
                return name
        provider = str((node.get("spec") or {}).get("providerID") or "")
        for mark, name in _PROVIDERS.items():
            if provider.startswith(mark):
                return name
    return ""
