"""The practices that controls answer to: K for Kubernetes, D for Docker, O for OpenShift, C for the cloud, P for all."""

from __future__ import annotations

from collections.abc import Mapping

PRACTICES: Mapping[str, str] = {
    "K1": "Role-based access control",
    "K2": "Namespaces keep tenants apart",
    "K3": "Kubernetes is up to date",
    "K4": "Network policies",
    "K5": "Audit logging",
    "K6": "Resource quotas and limits",
    "K7": "Admission control",
    "D1": "Docker bench: host, daemon and containers",
    "D2": "Containers run as a non-root user",
    "D3": "Docker is up to date",
    "D4": "Seccomp, AppArmor, SELinux and capabilities",
    "D5": "Images from trusted sources",
    "D6": "Content trust",
    "D7": "Container limits",
    "D8": "Logging and monitoring",
    "O1": "OAuth and identity providers",
    "O2": "Role-based access control on OpenShift",
    "O3": "OpenShift is up to date",
    "O4": "Network isolation on OpenShift",
    "O5": "Audit logging on OpenShift",
    "O6": "Secrets on OpenShift",
    "O7": "Quotas and limits on OpenShift",
    "O8": "Security context constraints",
    "O9": "Image streams and trusted registries",
    "O10": "Health checks",
    "C1": "Private, scanned registries",
    "C2": "Minimal image layers",
    "C3": "Services and nodes are up to date",
    "C4": "Least privilege in cloud IAM",
    "C5": "Cloud network boundaries",
    "P1": "Secrets management",
    "P2": "Mutual TLS",
    "P3": "Runtime protection",
    "P4": "Intrusion detection",
    "P5": "Zero trust",
    "P6": "Policies as code",
    "P7": "Admission decisions",
    "P8": "Signing and provenance",
}
_RANK = {practice: rank for rank, practice in enumerate(PRACTICES)}


def name(practice: str) -> str:
    """The practice in words; the id itself when it is not one of ours."""
    return PRACTICES.get(practice, practice)


def rank(practice: str) -> tuple[int, str]:
    """A sort key: our order first, foreign ids after it."""
    return _RANK.get(practice, len(_RANK)), practice
