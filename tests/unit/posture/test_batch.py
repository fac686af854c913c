"""Like elements are judged once, and nothing that tells them apart is overlooked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulkhead.catalogue.index import Catalogue
from bulkhead.core.control import Check, Control, MitigationClass, Needs, Parameter
from bulkhead.core.outcome import Outcome, Severity
from bulkhead.core.resource import UNKNOWN, Ref, Resource, Snapshot
from bulkhead.posture import batch, bindings
from bulkhead.posture.evaluate import Assessment, Request, evaluate
from bulkhead.posture.judge import judge


def control(name: str, expression: str, message: str = "no", *, token: str = "container", **change: Any) -> Control:
    given_: dict[str, Any] = {
        "id": name, "revision": 1, "title": "T", "severity": Severity.LOW, "status": "active", "mode": MitigationClass.AUTO,
        "applies_to": (token,), "needs": Needs(), "rationale": "r", "attack": "a", "fix": "f", "maps_to": {},
        "check": Check(expression=expression, message=message),
    }  # fmt: skip
    return Control(**{**given_, **change})


CONTROLS = (
    control("t.own", "container.image != 'bad'", "{container.image}"),
    control("t.role", "role == 'container'"),
    control("t.effective", "effective.?runAsNonRoot.orValue(false)"),
    control("t.pod-above", "!pod.?hostPID.orValue(false)", "{pod.hostPID}"),
    control("t.workload", "workload.name != 'w1'", "{workload.name}"),
    control("t.label", "workload.labels.?app.orValue('') == 'a'"),
    control("t.needs-object", "true", needs=Needs(fields=("object.metadata.labels",))),
    control("t.needs-own", "true", needs=Needs(fields=("image",))),
    control(
        "t.parameter", "container.image == params.image",
        parameters={"image": Parameter(default="good", description="d")},
    ),
    control("t.pod", "!pod.?hostPID.orValue(false)", token="pod"),
    control("t.pod-name", "object.metadata.name == 'w0'", "{object.metadata.name}", token="pod"),
)  # fmt: skip


def workload(name: str, *, role: str, image: Any, host: Any, root: Any, labels: bool) -> Resource:
    container = {"name": "c"} | ({} if image is None else {"image": image})
    spec: dict[str, Any] = {role: [container], "securityContext": {"runAsNonRoot": root}}
    if host is not None:
        spec["hostPID"] = host
    metadata: dict[str, Any] = {"name": name} | ({"labels": {"app": "a"}} if labels else {})
    data = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return Resource(Ref(source="file", kind="Pod", name=name), data)


def assess(*resources: Resource) -> Assessment:
    return evaluate(Snapshot(resources), Request(Catalogue(CONTROLS), CONTROLS, keep_passes=True))


def one_by_one(*resources: Resource) -> Assessment:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bindings, "_spelled", lambda _: b"")
        return assess(*resources)


workloads = st.builds(
    workload,
    st.sampled_from(["w0", "w1"]),
    role=st.sampled_from(["containers", "initContainers"]),
    image=st.sampled_from(["good", "bad", None, UNKNOWN, 1, True]),
    host=st.sampled_from([None, True, False, 1, UNKNOWN]),
    root=st.sampled_from([None, True, False, UNKNOWN]),
    labels=st.booleans(),
)


@given(st.lists(workloads, max_size=12))
@settings(max_examples=200, deadline=None)
def test_answers_are_those_that_each_element_would_get_alone(resources: list[Resource]) -> None:
    together, alone = assess(*resources), one_by_one(*resources)
    assert together.findings == alone.findings
    assert together.tallies == alone.tallies


def test_a_like_element_is_not_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    def counting(world: Any, runnable: Any, element: Any) -> Any:
        judged.append(runnable.control.id)
        return judge(world, runnable, element)

    monkeypatch.setattr(batch, "judge", counting)
    same: dict[str, Any] = {"role": "containers", "image": "bad", "host": None, "root": True, "labels": True}
    assessment = assess(*(workload(f"w{number}", **same) for number in range(5)))
    assert judged.count("t.own") == judged.count("t.effective") == judged.count("t.pod") == 1
    assert judged.count("t.needs-object") == 1
    assert judged.count("t.workload") == judged.count("t.label") == judged.count("t.pod-name") == 5
    assert assessment.tallies["t.own"] == {Outcome.FAIL: 5}
    assert len({finding.fingerprint for finding in assessment.findings if finding.control == "t.own"}) == 5


def test_more_spellings_than_are_kept_count_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "KEPT", 3)
    resources = [
        workload(f"w{number}", role="containers", image=f"i{number % 7}", host=None, root=True, labels=True)
        for number in range(30)
    ]
    assert assess(*resources).tallies == one_by_one(*resources).tallies
