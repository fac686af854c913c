"""A cluster of known truth behind the double: verdicts, what is not told twice, secrets, and everything that cannot be read."""

from __future__ import annotations

import asyncio
import json
from functools import lru_cache

import pytest

from bulkhead.app import scan as scanning
from bulkhead.app.scan import Context, Selection
from bulkhead.clients.kube import Cluster, KubeClient, Limits
from bulkhead.clients.kube.config import Identity
from bulkhead.core.errors import SourceError
from bulkhead.core.resource import Snapshot
from bulkhead.posture import wanted
from bulkhead.posture.evaluate import Assessment
from bulkhead.sources import kubernetes
from tests.catalogue_check import catalogue
from tests.fakes.kube import KubeDouble, discovery
from tests.fakes.kube.town import CONFIGZ, Object, binding, deployment, made_by, meta, node, pod_of, town

QUICK = Limits(call_seconds=3.0, tries=2, wait_seconds=0.02)


@lru_cache(maxsize=1)
def kinds() -> frozenset[str]:
    return wanted.kinds(catalogue().controls)


def double_of(objects: list[Object]) -> KubeDouble:
    made = KubeDouble(objects)
    made.raws["/api/v1/nodes/n1/proxy/configz"] = CONFIGZ
    return made


def read(double: KubeDouble) -> Snapshot:
    async def main() -> Snapshot:
        async with KubeClient(Cluster("double", double.url, Identity(token="good")), limits=QUICK) as client:
            return await kubernetes.read(client, context="double", wanted=kinds())

    return asyncio.run(main())


def judged(snapshot: Snapshot) -> Assessment:
    context = Context(catalogue(), lambda: "2026-11-27T10:00:00+00:00")
    selection = Selection(catalogue().controls)
    return scanning.judge(snapshot, "kubernetes://double", context, selection, keep_passes=True).assessment


def verdicts(assessment: Assessment, outcome: str = "fail") -> set[tuple[str, str]]:
    return {
        (item.control, f"{item.resource.kind}/{item.resource.name}")
        for item in assessment.findings
        if item.outcome == outcome
    }


def test_every_verdict_is_right_and_nothing_is_written() -> None:
    with double_of(town()) as double:
        snapshot = read(double)
        assert double.writes == []
    assert snapshot.gaps == ()
    assessment = judged(snapshot)
    failing, passing = verdicts(assessment), verdicts(assessment, "pass")
    for control, name in (
        ("container.privileged", "Deployment/bad"), ("container.memory-limit", "Deployment/bad"), ("container.privileged", "Pod/injected-1"),
        ("k8s.rbac.wildcards", "ClusterRole/everything"), ("k8s.secrets.configmap", "ConfigMap/settings"), ("k8s.secrets.rotation-age", "Secret/db"),
        ("k8s.control-plane.kubelet-anonymous", "Component/kubelet"), ("k8s.control-plane.api-profiling", "Component/kube-apiserver"),
    ):  # fmt: skip
        assert (control, name) in failing, (control, name)
    for control, name in (
        ("container.privileged", "Deployment/good"), ("container.memory-limit", "Deployment/good"), ("k8s.secrets.configmap", "ConfigMap/plain"),
        ("k8s.control-plane.api-anonymous-auth", "Component/kube-apiserver"), ("version.kubernetes", "KubernetesCluster/double"),
    ):  # fmt: skip
        assert (control, name) in passing, (control, name)
    grave = {(control, name) for control, name in failing if name.endswith("/good")}
    assert {control for control, _ in grave if control.startswith("container.")} == set()


def test_what_a_controller_made_is_told_once_unless_it_differs() -> None:
    with double_of(town()) as double:
        snapshot = read(double)
    pods = {item.ref.name for item in snapshot.resources if item.ref.kind == "Pod"}
    assert pods == {"injected-1", "kube-apiserver-n1"}
    assert not [item for item in snapshot.resources if item.ref.kind == "ReplicaSet"]
    assert any("pods and jobs that are what their controllers say" in note for note in snapshot.notes)


def _limited(name: str) -> Object:
    """A template that says how much a container may take, and not how much it asks for."""
    return deployment(name, container={"resources": {"limits": {"memory": "64Mi", "cpu": "100m"}}})


def test_what_the_server_writes_into_every_pod_makes_no_difference() -> None:
    """Requests from limits, the account's pull secrets, a StatefulSet's own volumes: nobody decided them for this pod."""
    made = _limited("asks")
    template = made["spec"]["template"]["spec"]
    asked = {
        **template["containers"][0],
        "resources": {"limits": {"memory": "64Mi", "cpu": "100m"}, "requests": {"memory": "64Mi", "cpu": "100m"}},
    }
    pods = pod_of(made, containers=[asked], imagePullSecrets=[{"name": "asks-dockercfg"}])
    claims = [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}]
    held = deployment("held", pod={"volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "data", "emptyDir": {}}]})
    held |= {"kind": "StatefulSet", "spec": {**held["spec"], "volumeClaimTemplates": claims}}
    spec = held["spec"]["template"]["spec"]
    own = {
        **spec,
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": "data-held-0"}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    other = {**spec, "volumes": [{"name": "data", "hostPath": {"path": "/"}}, {"name": "tmp", "emptyDir": {}}]}
    of_set = [
        {"apiVersion": "v1", "kind": "Pod", "metadata": meta(f"held-{number}", ownerReferences=made_by("StatefulSet", "held")), "spec": pod, "status": {"phase": "Running"}}
        for number, pod in enumerate((own, other))
    ]  # fmt: skip
    with double_of([made, *pods, held, *of_set]) as double:
        snapshot = read(double)
    assert {item.ref.name for item in snapshot.resources if item.ref.kind == "Pod"} == {"held-1"}


def test_values_of_secrets_do_not_enter() -> None:
    twin = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "twin", "namespace": "open"},
        "data": {"password": "aHVudGVyMg=="},
    }
    with double_of([*town(), twin]) as double:
        first, second = read(double), read(double)
    held = [item.data["data"]["password"] for item in first.resources if item.ref.kind == "Secret"]
    assert held[0] == held[1]
    assert held[0].startswith("digest:")
    assert held[0] not in [item.data["data"]["password"] for item in second.resources if item.ref.kind == "Secret"]
    assert "aHVudGVyMg" not in repr(first)


LISTED = sorted({(item["kind"], item["apiVersion"]) for item in town()})


@pytest.mark.parametrize("how", ["403", "410", "500", "garbage"])
def test_blindness_kind_by_kind(how: str) -> None:
    """Each kind in turn cannot be read: a gap names it, and nothing that was not a pass becomes one."""
    with double_of(town()) as double:
        full = judged(read(double))
        passing = verdicts(full, "pass")
        # What a controller made is seen where the controller is hidden; that it passes by itself is no blindness.
        known = {f"{item.resource.kind}/{item.resource.name}" for item in full.findings}
        for kind, _ in LISTED:
            plural = next(item for item in double.kinds if item[2] == kind)
            path = f"/apis/{plural[0]}/{plural[1]}/{plural[3]}" if plural[0] else f"/api/{plural[1]}/{plural[3]}"
            double.answers = (
                {}
                if how == "403"
                else {path: {"410": (410, b"{}"), "500": (500, b"{}"), "garbage": (200, b'{"items": 1}')}[how]}
            )
            double.forbidden = {kind} if how == "403" else set()
            snapshot = read(double)
            assert any(kind in gap.hides for gap in snapshot.gaps), kind
            turned = {item for item in verdicts(judged(snapshot), "pass") - passing if item[1] in known}
            assert turned == set(), kind


def test_a_kubelet_that_may_not_be_asked_is_a_gap() -> None:
    with double_of(town()) as double:
        double.forbidden.add("Node/proxy")
        double.raws.pop("/api/v1/nodes/n1/proxy/configz")
        [gap] = read(double).gaps
    assert gap.hides == ("Component",)
    assert "nodes/proxy" in gap.reason


@pytest.mark.parametrize(
    ("labels", "name"),
    [
        ({"eks.amazonaws.com/nodegroup": "a"}, "EKS"),
        ({"cloud.google.com/gke-nodepool": "a"}, "GKE"),
        ({"kubernetes.azure.com/cluster": "a"}, "AKS"),
    ],
)
def test_a_managed_control_plane_is_a_note_and_a_hidden_one_a_gap(labels: dict[str, str], name: str) -> None:
    objects = [item for item in town() if item["metadata"]["name"] not in ("n1", "kube-apiserver-n1")]
    with double_of([*objects, node("n1", **labels)]) as double:
        snapshot = read(double)
    assert snapshot.gaps == ()
    assert any(f"run by {name}" in note for note in snapshot.notes)
    with double_of([*objects, node("n1")]) as double:
        [gap] = read(double).gaps
    assert gap.hides == ("Component",)
    assert "not visible" in gap.reason


def test_without_a_version_or_kinds_there_is_no_snapshot() -> None:
    for path in ("/version", "/api"):
        with double_of([]) as double:
            double.answers[path] = (200, b"[]")
            with pytest.raises(SourceError):
                read(double)


def test_a_group_that_does_not_answer_hides_its_kinds() -> None:
    with double_of(town()) as double:
        stale = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": [
            {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "freshness": "Stale", "resources": []}]}]}  # fmt: skip
        double.answers["/apis"] = (200, json.dumps(stale).encode())
        gaps = [gap for gap in read(double).gaps if "/apis/apps/v1" in gap.where]
    assert "Deployment" in gaps[0].hides
    assert "does not answer" in gaps[0].reason


@pytest.mark.parametrize(
    ("group", "hides"),
    [
        ("metrics.k8s.io", {"NodeMetrics", "PodMetrics"}),
        ("custom.metrics.k8s.io", {"MetricValueList"}),
        ("keda.sh", {"ScaledObject"}),
    ],
)
def test_a_group_that_does_not_answer_hides_no_more_than_it_may_hold(group: str, hides: set[str]) -> None:
    with double_of(town()) as double:
        answer = discovery.groups(double.kinds, "/apis")
        stale = {"version": "v1", "freshness": "Stale", "resources": []}
        answer["items"].append({"metadata": {"name": group}, "versions": [stale]})
        double.answers["/apis"] = (200, json.dumps(answer).encode())
        snapshot = read(double)
    [gap] = snapshot.gaps
    assert hides <= set(gap.hides)
    assert not {"KubernetesCluster", "Component", "Deployment", "Pod"} & set(gap.hides)
    assert ("version.kubernetes", "KubernetesCluster/double") in verdicts(judged(snapshot), "pass")


def test_a_binding_to_a_role_that_is_not_there_gives_nothing_where_all_roles_were_read() -> None:
    dangling = binding("RoleBinding", "dangling", "shop", "Role", "nothing", "good")
    where = ("k8s.rbac.cluster-admin", "RoleBinding/dangling")
    with double_of([*town(), dangling]) as double:
        assert where in verdicts(judged(read(double)), "pass")
        double.forbidden.add("Role")
        assert where in verdicts(judged(read(double)), "error")


def test_what_the_server_writes_into_both_fields_is_no_deprecated_field() -> None:
    with double_of(town()) as double:
        assert double.get("Deployment", "good", "shop")["spec"]["template"]["spec"]["serviceAccount"] == "good"
        failing = verdicts(judged(read(double)))
    assert not [name for control, name in failing if control == "k8s.pod.service-account-deprecated-field"]


def test_a_kubelet_that_is_not_reached_is_a_gap_that_asks_for_no_right() -> None:
    with double_of(town()) as double:
        double.raws.pop("/api/v1/nodes/n1/proxy/configz")
        [gap] = read(double).gaps
    assert "503" in gap.reason
    assert "nodes/proxy" not in gap.hint


def test_objects_of_another_shape_are_judged_or_gaps() -> None:
    odd = [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "odd", "namespace": "shop", "ownerReferences": [1]},
            "spec": 7,
        }
    ]
    with double_of([*town(), *odd]) as double:
        snapshot = read(double)
        assert ("container.privileged", "Pod/odd") in verdicts(judged(snapshot), "error")


def test_many_pods_are_read_in_pages() -> None:
    objects = town()
    for number in range(200):
        made = deployment(f"d{number:03}")
        objects += [made, *pod_of(made)]
    with double_of(objects) as double:
        snapshot = read(double)
        assert len([item for item in snapshot.resources if item.ref.kind == "Deployment"]) == 203
        assert len([path for _, path in double.requests if path.startswith("/api/v1/pods?")]) == 1
