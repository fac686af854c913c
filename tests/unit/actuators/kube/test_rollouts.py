"""Whether a rollout is done, has failed, or could prove anything at all: by what controllers write into a status."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.actuators.kube import rollouts

GAVE_UP = {
    "type": "Progressing",
    "status": "False",
    "reason": "ProgressDeadlineExceeded",
    "message": "has timed out progressing",
}


def workload(
    kind: str = "Deployment", *, generation: int = 2, spec: dict[str, Any] | None = None, **status: Any
) -> dict[str, Any]:
    return {
        "kind": kind, "metadata": {"generation": generation}, "spec": {"replicas": 2, **(spec or {})},
        "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, **status},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "left"),
    [
        (workload(), ""),
        (workload(generation=3), "its controller has not seen the change"),
        (workload(updatedReplicas=1), "1 of 2 pods are updated"),
        (workload(replicas=3), "old pods are still there"),
        (workload(availableReplicas=1), "1 of 2 pods are available"),
        (workload(spec={"replicas": 0}, replicas=0, updatedReplicas=0, availableReplicas=0), ""),
        (workload("StatefulSet", spec={"updateStrategy": {"type": "OnDelete"}}, updatedReplicas=0), ""),
        (workload("DaemonSet", desiredNumberScheduled=2, updatedNumberScheduled=2, numberAvailable=1), "1 of 2 pods are available"),
        ({"kind": "ConfigMap", "metadata": {}}, ""),
    ],
)  # fmt: skip
def test_what_is_still_to_come(data: dict[str, Any], left: str) -> None:
    assert rollouts.waiting(data) == left
    assert rollouts.unfit(data) == left


def test_what_a_controller_said_of_an_earlier_template_is_no_failure_of_this_one() -> None:
    assert rollouts.failed(workload(conditions=[GAVE_UP])) == "has timed out progressing"
    assert rollouts.failed(workload(generation=3, conditions=[GAVE_UP])) == ""
    assert rollouts.failed(workload()) == ""


def test_a_paused_rollout_proves_nothing() -> None:
    assert rollouts.unfit(workload(spec={"paused": True})) == "it is paused"
