"""Whether a workload's pods have become what its template says (kubectl rollout status, apps/v1)."""

from __future__ import annotations

from typing import Any, Final

ROLLED: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "DeploymentConfig"})


def waiting(data: dict[str, Any]) -> str:
    """What is still to come; empty when the rollout is done, or the kind has none."""
    if data.get("kind") not in ROLLED or _by_hand(data):
        return ""
    status = data.get("status") or {}
    if int(status.get("observedGeneration") or 0) < int(data["metadata"].get("generation") or 0):
        return "its controller has not seen the change"
    if data["kind"] == "DaemonSet":
        wanted = int(status.get("desiredNumberScheduled") or 0)
        updated, ready = int(status.get("updatedNumberScheduled") or 0), int(status.get("numberAvailable") or 0)
    else:
        replicas = (data.get("spec") or {}).get("replicas")
        wanted = 1 if replicas is None else int(replicas)
        updated, ready = int(status.get("updatedReplicas") or 0), int(status.get("availableReplicas") or 0)
    if updated < wanted:
        return f"{updated} of {wanted} pods are updated"
    if int(status.get("replicas") or 0) > updated and data["kind"] != "DaemonSet":
        return "old pods are still there"
    return f"{ready} of {wanted} pods are available" if ready < wanted else ""


def _by_hand(data: dict[str, Any]) -> bool:
    """Pods that are replaced only when somebody deletes them."""
    return ((data.get("spec") or {}).get("updateStrategy") or {}).get("type") == "OnDelete"


def unfit(data: dict[str, Any]) -> str:
    """Why a change of the template would prove nothing on this workload, as it is now; empty when it would."""
    if data.get("kind") in ROLLED and (data.get("spec") or {}).get("paused") is True:
        return "it is paused"
    return waiting(data)


def failed(data: dict[str, Any]) -> str:
    """The controller's own word that it gave up; empty when it did not, or said so of an earlier template."""
    status = data.get("status") or {}
    if int(status.get("observedGeneration") or 0) < int(data["metadata"].get("generation") or 0):
        return ""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Progressing" and condition.get("status") == "False":
            return str(condition.get("message") or condition.get("reason") or "the rollout failed")[:300]
    return ""
