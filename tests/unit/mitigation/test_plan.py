"""Plans: consent, order, limits, contradictions, and pods that a general repair must not touch."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bulkhead.catalogue.index import Catalogue
from bulkhead.core.control import Control, MitigationClass
from bulkhead.core.plan import Plan
from bulkhead.core.resource import Snapshot
from bulkhead.formats import recognise
from bulkhead.mitigation import diff
from bulkhead.mitigation import plan as planning
from bulkhead.mitigation.plan import Consent
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.posture.world import World
from tests.catalogue_check import catalogue

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  hostNetwork: true   # why?
  containers:
    - {name: app, image: a, securityContext: {privileged: true}}
"""
API_SERVER = """\
apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver, namespace: kube-system}
spec:
  hostNetwork: true
  containers:
    - name: kube-apiserver
      image: registry.example/kube-apiserver:v1.34.0
      command: [kube-apiserver, --anonymous-auth=true]
"""


def planned(text: str, consent: Consent, controls: Iterable[Control] | None = None) -> Plan:
    snapshot = Snapshot().merged(recognise.recognise("p.yaml", text.encode()))
    chosen = list(controls or catalogue().controls)
    request = Request(Catalogue(chosen, catalogue().programs), chosen, keep_verdicts=True)
    return planning.make(World(snapshot), evaluate(snapshot, request), consent, tenant="default", root="/")


def repaired(plan: Plan) -> set[str]:
    return {repair.control for step in plan.steps for repair in step.repairs}


def test_a_text_that_no_server_would_take_is_not_written() -> None:
    plan = planned(POD, Consent())
    assert "container.privilege-escalation" not in repaired(plan)
    [left] = [item for item in plan.unfixed if item.control == "container.privilege-escalation"]
    assert "privileged: true: repair that first" in left.reason
    assert "container.privilege-escalation" in repaired(planned(POD, Consent(MitigationClass.GUARDED)))
    listed = "apiVersion: v1\nkind: List\nitems:\n- " + POD.replace("\n", "\n  ")
    assert "container.privilege-escalation" not in repaired(planned(listed, Consent()))


def test_consent_decides_what_is_applied_and_naming_goes_over_it() -> None:
    assert "container.privileged" not in repaired(planned(POD, Consent()))
    assert "container.privileged" in repaired(planned(POD, Consent(MitigationClass.GUARDED)))
    assert "container.high-uid" not in repaired(planned(POD, Consent(MitigationClass.GUARDED)))
    assert "container.high-uid" in repaired(planned(POD, Consent(controls=frozenset({"container.high-uid"}))))


def test_a_part_of_the_control_plane_is_not_changed_by_repairs_that_hold_for_pods() -> None:
    plan = planned(API_SERVER, Consent(MitigationClass.PROPOSE))
    assert "k8s.pod.host-network" not in repaired(plan)
    assert any("control plane" in item.reason for item in plan.unfixed if item.control == "k8s.pod.host-network")
    named = planned(API_SERVER, Consent(controls=frozenset({"k8s.pod.host-network"})))
    assert "k8s.pod.host-network" in repaired(named)
    assert "k8s.control-plane.api-anonymous-auth" in repaired(plan), "its own controls still repair it"


def test_a_sweep_beyond_its_limit_is_refused_whole() -> None:
    [control] = catalogue().named("container.privileged")
    bounded = msgspec.structs.replace(
        control, mitigation=tuple(msgspec.structs.replace(item, limit=1) for item in control.mitigation)
    )
    two = POD + "---\n" + POD.replace("name: p", "name: q")
    plan = planned(two, Consent(MitigationClass.GUARDED), [bounded])
    assert plan.steps == ()
    assert all("limit" in item.reason for item in plan.unfixed)


def test_every_finding_is_repaired_or_left_with_a_reason_and_never_both() -> None:
    plan = planned(POD, Consent(MitigationClass.GUARDED))
    done = {repair.fingerprint for step in plan.steps for repair in step.repairs}
    left = {item.fingerprint for item in plan.unfixed}
    assert done
    assert left
    assert not done & left
    assert all(item.reason for item in plan.unfixed)


def test_the_same_input_gives_the_same_plan() -> None:
    assert planned(POD, Consent(MitigationClass.GUARDED)).id == planned(POD, Consent(MitigationClass.GUARDED)).id


def test_the_diff_is_one_that_patch_reads_and_says_when_a_file_has_no_last_line_end() -> None:
    plan = planned(POD.rstrip("\n"), Consent(controls=frozenset({"container.privileged"})))
    shown = diff.text(plan)
    assert "--- a/p.yaml" in shown
    assert "+++ b/p.yaml" in shown
    assert "\\ No newline at end of file" in shown


NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {owner: a}}\n---\n" + POD.replace(
    "{name: p}", "{name: p, namespace: shop, labels: {app: p}}"
)


def test_a_new_object_that_its_kustomization_cannot_list_is_not_made() -> None:
    def steps(resources: str) -> Plan:
        kustomization = f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n{resources}"
        snapshot = recognise.recognise("p.yaml", NAMESPACE.encode())
        snapshot = snapshot.merged(recognise.recognise("kustomization.yaml", kustomization.encode()))
        request = Request(catalogue(), catalogue().controls, keep_verdicts=True)
        consent = Consent(controls=frozenset({"k8s.network.namespace-default-deny"}))
        return planning.make(World(snapshot), evaluate(snapshot, request), consent, tenant="default", root="/")

    good = {step.target for step in steps("resources: [p.yaml]\n").steps}
    assert any(target.startswith("bulkhead-") for target in good)
    assert "kustomization.yaml" in good
    bad = steps("resources: word\n")
    assert not any(step.target.startswith("bulkhead-") for step in bad.steps)
    assert any("cannot be listed" in item.reason for item in bad.unfixed)
