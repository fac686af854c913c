"""Live repairs of a cluster behind the double: rehearsed by the server, rolled out, proved, taken back; and what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
import pytest

from bulkhead.actuators.kube import KubeHands
from bulkhead.app import live
from bulkhead.app.live import Applied, Site, Trial
from bulkhead.app.ports import EntryState
from bulkhead.app.scan import Context, Scan, Selection
from bulkhead.bootstrap import running
from bulkhead.clients.kube import Cluster, KubeClient
from bulkhead.clients.kube.config import Identity
from bulkhead.core.control import MitigationClass
from bulkhead.core.errors import BulkheadError, Conflict, PlanRefused, SourceError
from bulkhead.core.plan import Rollout, Window
from bulkhead.core.resource import Snapshot
from bulkhead.mitigation.channels import kubernetes as channel
from bulkhead.mitigation.choosing import Consent
from bulkhead.posture import wanted
from bulkhead.sources import kubernetes
from tests.catalogue_check import catalogue
from tests.fakes.kube import KubeDouble
from tests.fakes.kube.town import CONFIGZ, deployment, town
from tests.fakes.store import MemoryJournal

AT_ONCE = Rollout(canary=0, watch_seconds=0)


@lru_cache(maxsize=1)
def kinds() -> frozenset[str]:
    return wanted.kinds(catalogue().controls)


class ClusterWorld:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def root(self) -> str:
        return "kubernetes://double"

    async def read(self) -> Snapshot:
        async with KubeClient(self._cluster) as client:
            return await kubernetes.read(client, context="double", wanted=kinds())


class Work:
    def __init__(self, double: KubeDouble, *, rollout_seconds: float = 3.0) -> None:
        self.double = double
        cluster = Cluster("double", double.url, Identity(token="good"))
        self.world = ClusterWorld(cluster)
        self.journal = MemoryJournal()
        self.hands = {"kubernetes": KubeHands(cluster, rollout_seconds=rollout_seconds)}
        self.said: list[str] = []
        self.now = "2026-11-27T10:00:00+00:00"
        self.context = Context(catalogue(), lambda: self.now)
        self.selection = Selection(catalogue().controls)

    def plan(self, *controls: str, rollout: Rollout = AT_ONCE, rehearsed: bool = True) -> tuple[Trial, Scan]:
        scan = live.judged(running.run(self.world.read()), self.world.root, self.context, self.selection, self.journal)
        named = frozenset(controls)
        trial = live.propose(scan, self.context, Consent(MitigationClass.AUTO, named, named), rollout)
        return (running.run(live.rehearse(trial, self.hands)) if rehearsed else trial), scan

    def apply(self, trial: Trial, scan: Scan) -> Applied:
        site = Site(self.world, self.hands, self.journal, asyncio.sleep, self.said.append)
        return running.run(live.apply(trial, scan, site, self.context, actor="ada"))

    def undo(self, done: Applied) -> tuple[str, ...]:
        return running.run(live.undo(done.entry, self.hands, self.journal, tenant="default"))


@pytest.fixture
def double() -> Iterator[KubeDouble]:
    made = KubeDouble(town())
    made.raws["/api/v1/nodes/n1/proxy/configz"] = CONFIGZ
    with made:
        yield made


def record(double: KubeDouble, kind: str, name: str, namespace: str = "shop") -> Any:
    found = channel.record(double.get(kind, name, namespace))
    return msgspec.json.decode(msgspec.json.encode(found))


@pytest.mark.parametrize(
    ("control", "kind", "name", "namespace"),
    [
        ("container.memory-limit", "Deployment", "bad", "shop"), ("container.privileged", "Deployment", "bad", "shop"),
        ("k8s.rbac.wildcards", "ClusterRole", "everything", ""), ("k8s.admission.webhook-failure-policy", "ValidatingWebhookConfiguration", "lax", ""),
    ],
)  # fmt: skip
def test_an_object_is_patched_proved_and_put_back(
    double: KubeDouble, control: str, kind: str, name: str, namespace: str
) -> None:
    work = Work(double)
    before = record(double, kind, name, namespace)
    trial, scan = work.plan(control)
    steps = [step for step in trial.plan.steps if step.target.endswith(name)]
    if not steps:
        reasons = {item.reason for item in trial.plan.unfixed}
        assert control == "k8s.rbac.wildcards" or control == "k8s.admission.webhook-failure-policy", reasons
        return
    done = work.apply(trial, scan)
    assert done.reason == ""
    assert record(double, kind, name, namespace) != before
    work.undo(done)
    after = record(double, kind, name, namespace)
    after.get("metadata", {}).pop("annotations", None)
    before.get("metadata", {}).pop("annotations", None)
    assert after == before


def test_a_new_object_is_made_and_taken_away(double: KubeDouble) -> None:
    work = Work(double)
    trial, scan = work.plan("k8s.network.namespace-default-deny")
    made = [step for step in trial.plan.steps if step.before is None]
    assert {step.method for step in made} == {"create"}
    done = work.apply(trial, scan)
    assert done.reason == ""
    ref = made[0].ref
    assert ref is not None
    assert double.get("NetworkPolicy", ref.name, ref.namespace)["metadata"]["managedFields"][0]["manager"] == "bulkhead"
    work.undo(done)
    with pytest.raises(KeyError):
        double.get("NetworkPolicy", ref.name, ref.namespace)


def test_what_is_made_for_a_finding_of_the_whole_cluster_is_seen_again(double: KubeDouble) -> None:
    for name in ("shop", "open", "kube-system", "default"):
        double.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    work = Work(double)
    trial, scan = work.plan("k8s.admission.policy-engine")
    assert {(step.method, step.ref.kind) for step in trial.plan.steps if step.ref} == {
        ("create", "ValidatingAdmissionPolicy"), ("create", "ValidatingAdmissionPolicyBinding")
    }  # fmt: skip
    done = work.apply(trial, scan)
    assert done.reason == ""
    work.undo(done)
    with pytest.raises(KeyError):
        double.get("ValidatingAdmissionPolicy", "bulkhead-baseline", "")


def test_a_rehearsal_writes_nothing(double: KubeDouble) -> None:
    version = double.store.version
    work = Work(double)
    trial, _ = work.plan("container.memory-limit", "k8s.network.namespace-default-deny")
    assert trial.plan.steps
    assert double.store.version == version
    assert double.writes
    assert all("dryRun=All" in path for _, path in double.writes)


def test_an_object_that_changes_between_plan_and_apply_is_a_conflict_and_not_an_overwrite(double: KubeDouble) -> None:
    work = Work(double)
    trial, scan = work.plan("container.memory-limit")

    def meddle(method: str, path: str) -> None:
        double.before_write = None
        found = double.get("Deployment", "bad", "shop")
        double.put({**found, "spec": {**found["spec"], "replicas": 7}})

    double.before_write = meddle
    done = work.apply(trial, scan)
    assert "409" in done.reason or "422" in done.reason or "changed" in done.reason
    found = double.get("Deployment", "bad", "shop")
    assert found["spec"]["replicas"] == 7
    assert found["spec"]["template"]["spec"]["containers"][0]["resources"] == {}
    assert work.journal.entry(done.entry).summary.state is EntryState.FAILED


def test_a_rollout_that_never_becomes_ready_is_rolled_back(double: KubeDouble) -> None:
    work = Work(double, rollout_seconds=1.0)
    before = record(double, "Deployment", "bad")
    trial, scan = work.plan("container.memory-limit")
    double.rollout_seconds = None

    def later(method: str, path: str) -> None:
        if len(double.writes) > 2:
            double.rollout_seconds = 0.0

    double.before_write = later
    done = work.apply(trial, scan)
    assert "rollout" in done.reason
    assert any("waiting for 1 seconds at most" in text for text in work.said)
    after = record(double, "Deployment", "bad")
    assert after["spec"] == before["spec"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"availableReplicas": 0}, "0 of 2 pods are available"), ({"updatedReplicas": 1}, "1 of 2 pods are updated")],
)
def test_a_workload_that_does_not_run_as_it_should_is_left_since_nothing_would_prove_its_repair(
    double: KubeDouble, change: dict[str, int], reason: str
) -> None:
    found = double.get("Deployment", "bad", "shop")
    double.put({**found, "status": {**found["status"], **change}})
    trial, _ = Work(double).plan("container.memory-limit")
    assert not [step for step in trial.plan.steps if step.target == "Deployment/shop/bad"]
    [item] = [item for item in trial.plan.unfixed if item.resource == "Deployment/shop/bad"]
    assert reason in item.reason


def test_what_a_controller_said_before_the_change_does_not_fail_it(double: KubeDouble) -> None:
    """The status of the old template stands there until the controller has seen the new one."""
    double.rollout_seconds = 1.0
    said = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    found = double.get("Deployment", "bad", "shop")
    double.put({**found, "status": {**found["status"], "conditions": [said]}})
    work = Work(double)
    trial, scan = work.plan("container.memory-limit")
    assert work.apply(trial, scan).reason == ""


def test_pods_that_do_not_come_back_after_an_undo_are_told_and_the_object_is_what_it_was(double: KubeDouble) -> None:
    work = Work(double, rollout_seconds=0.5)
    before = record(double, "Deployment", "bad")
    trial, scan = work.plan("container.memory-limit")
    done = work.apply(trial, scan)
    assert done.reason == ""
    double.rollout_seconds = None
    with pytest.raises(SourceError, match="the object is what it was, and its pods have not come back") as caught:
        work.undo(done)
    assert "bulkhead undo --recover" in caught.value.hint
    assert record(double, "Deployment", "bad")["spec"] == before["spec"]
    running.run(live.recover(done.entry, work.hands, work.journal, tenant="default"))
    assert work.journal.entry(done.entry).summary.state is EntryState.FAILED


@pytest.mark.parametrize(
    ("metadata", "tool"),
    [
        ({"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:shop/web"}}, "Argo CD (shop)"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}}, "Flux (apps)"),
        ({"annotations": {"meta.helm.sh/release-name": "web"}}, "Helm (web)"),
        ({"managedFields": [{"manager": "argocd-controller", "operation": "Apply"}]}, "Argo CD"),
    ],
)
def test_what_a_tool_would_put_back_is_proposed_as_a_patch_for_its_repository(
    double: KubeDouble, metadata: dict[str, Any], tool: str
) -> None:
    made = deployment("web", container={"resources": {}})
    made["metadata"] |= metadata
    double.put(made)
    trial, _ = Work(double).plan("container.memory-limit")
    assert not [step for step in trial.plan.steps if step.target.endswith("/web")]
    [item] = [item for item in trial.plan.unfixed if item.resource.endswith("/web")]
    assert item.reason.startswith(f"{tool} keeps this object")
    assert "kind: Deployment" in item.proposal
    assert "memory: 256Mi" in item.proposal
    assert "image:" not in item.proposal


def test_a_repair_that_raises_something_takes_no_other_with_it(double: KubeDouble) -> None:
    """A secret in an environment becomes a reference, and a reference in the environment is a finding too."""
    literal = {"resources": {}, "env": [{"name": "DB_PASSWORD", "value": "Tr0ub4dor3x"}]}
    double.put(deployment("literal", container=literal))
    trial, _ = Work(double).plan("k8s.secrets.env-literal", "container.memory-limit")
    [step] = [step for step in trial.plan.steps if step.target == "Deployment/shop/literal"]
    assert {repair.control for repair in step.repairs} == {"container.memory-limit"}
    left = {item.control: item.reason for item in trial.plan.unfixed if item.resource == "Deployment/shop/literal"}
    assert left["k8s.secrets.env-literal"].startswith("it would raise k8s.secrets.env-from-secret")


def test_what_no_server_takes_is_not_tried_and_takes_nothing_else_with_it(double: KubeDouble) -> None:
    """allowPrivilegeEscalation: false goes with neither privileged: true nor CAP_SYS_ADMIN."""
    context = {"capabilities": {"add": ["CAP_SYS_ADMIN"]}}
    double.put(deployment("admin", container={"resources": {}, "securityContext": context}))
    trial, _ = Work(double).plan("container.privilege-escalation", "container.memory-limit")
    repaired = {step.target: {repair.control for repair in step.repairs} for step in trial.plan.steps}
    for name, hindrance in (("bad", "privileged: true"), ("admin", "the capability CAP_SYS_ADMIN")):
        assert repaired[f"Deployment/shop/{name}"] == {"container.memory-limit"}
        [reason] = [
            item.reason
            for item in trial.plan.unfixed
            if item.resource == f"Deployment/shop/{name}" and item.control == "container.privilege-escalation"
        ]
        assert hindrance in reason
    mount = {"name": "pods", "mountPath": "/pods", "mountPropagation": "Bidirectional"}
    volumes = {"volumes": [{"name": "pods", "hostPath": {"path": "/pods"}}]}
    driver = {"resources": {}, "securityContext": {"privileged": True}, "volumeMounts": [mount]}
    double.put(deployment("driver", container=driver, pod=volumes))
    trial, _ = Work(double).plan("container.privilege-escalation", "container.privileged", "container.memory-limit")
    [step] = [step for step in trial.plan.steps if step.target == "Deployment/shop/driver"]
    # Privileged has to stay, and so the escalation too.
    assert {repair.control for repair in step.repairs} == {"container.memory-limit"}
    trial, _ = Work(double).plan("container.privilege-escalation", "container.privileged")
    [step] = [step for step in trial.plan.steps if step.target == "Deployment/shop/bad"]
    assert {repair.control for repair in step.repairs} == {"container.privilege-escalation", "container.privileged"}


def test_an_admission_policy_has_the_last_word(double: KubeDouble) -> None:
    double.deny = lambda made: "frozen" if made["kind"] == "Deployment" else ""
    trial, _ = Work(double).plan("container.memory-limit")
    assert not trial.plan.steps
    assert any("frozen" in item.reason for item in trial.plan.unfixed)


def test_without_the_right_to_patch_nothing_is_planned(double: KubeDouble) -> None:
    double.forbidden.add("patch:Deployment")
    trial, _ = Work(double).plan("container.memory-limit")
    assert not trial.plan.steps
    assert any("cannot patch" in item.reason for item in trial.plan.unfixed)


def test_outside_the_maintenance_window_nothing_is_done(double: KubeDouble) -> None:
    work = Work(double)
    window = Rollout(canary=0, watch_seconds=0, windows=(Window(days=("sat", "sun"), start="22:00", end="04:00"),))
    trial, scan = work.plan("container.memory-limit", rollout=window)
    with pytest.raises(PlanRefused, match="outside the maintenance windows: sat,sun 22:00-04:00 UTC"):
        work.apply(trial, scan)
    assert work.journal.entries() == ()
    work.now = "2026-11-29T03:59:00+00:00"
    assert work.apply(trial, scan).reason == ""


def test_a_share_of_a_namespace_is_the_most(double: KubeDouble) -> None:
    for name in ("one", "two", "three"):
        double.put(deployment(name, "open", container={"resources": {}}))
    trial, _ = Work(double).plan("container.memory-limit", rollout=Rollout(share=40, canary=0))
    assert len([step for step in trial.plan.steps if "/open/" in step.target]) == 1
    assert any("40 % of kubernetes://double/open" in item.reason for item in trial.plan.unfixed)


def test_undo_leaves_alone_what_somebody_changed_since(double: KubeDouble) -> None:
    work = Work(double)
    trial, scan = work.plan("container.memory-limit")
    done = work.apply(trial, scan)
    found = double.get("Deployment", "bad", "shop")
    double.put({**found, "spec": {**found["spec"], "replicas": 9}})
    with pytest.raises(Conflict, match="not what was written"):
        work.undo(done)
    assert double.get("Deployment", "bad", "shop")["spec"]["replicas"] == 9


def test_who_scales_an_object_neither_hinders_a_repair_nor_loses_the_count(double: KubeDouble) -> None:
    """An autoscaler writes the count through the part ``scale``, at any time."""

    def scaled(count: int) -> None:
        found = double.get("Deployment", "bad", "shop")
        entry = {
            "manager": "kube-controller-manager",
            "operation": "Update",
            "subresource": "scale",
            "fieldsV1": {"f:spec": {"f:replicas": {}}},
        }
        status = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), count)
        metadata = {**found["metadata"], "managedFields": [*found["metadata"].get("managedFields", ()), entry]}
        double.put(
            {
                **found,
                "metadata": metadata,
                "spec": {**found["spec"], "replicas": count},
                "status": {**found["status"], **status},
            }
        )

    work = Work(double)
    trial, scan = work.plan("container.memory-limit")
    scaled(5)
    done = work.apply(trial, scan)
    assert done.reason == ""
    assert double.get("Deployment", "bad", "shop")["spec"]["replicas"] == 5
    scaled(4)
    work.undo(done)
    after = double.get("Deployment", "bad", "shop")["spec"]
    assert (after["replicas"], after["template"]["spec"]["containers"][0]["resources"]) == (4, {})


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_server_that_goes_away_in_the_middle_is_put_back_later(double: KubeDouble, after: int) -> None:
    for name in ("one", "two", "three"):
        double.put(deployment(name, "open", container={"resources": {}}))
    work = Work(double)
    before = {name: record(double, "Deployment", name, "open")["spec"] for name in ("one", "two", "three")}
    trial, scan = work.plan("container.memory-limit")
    left = {"writes": after}

    def cut(method: str, path: str) -> None:
        left["writes"] -= 1
        if left["writes"] < 0:
            double.token = "renewed"

    double.before_write = cut
    entry = ""
    try:
        entry = work.apply(trial, scan).entry
    except BulkheadError:
        entry = work.journal.entries()[0].id
    double.token, double.before_write = "good", None
    summary = work.journal.entry(entry).summary
    if summary.state is EntryState.APPLIED:
        running.run(live.undo(entry, work.hands, work.journal, tenant="default"))
    elif summary.state is not EntryState.FAILED:
        running.run(live.recover(entry, work.hands, work.journal, tenant="default"))
    assert {name: record(double, "Deployment", name, "open")["spec"] for name in before} == before
