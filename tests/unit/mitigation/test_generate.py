"""Objects that are missing: they close the finding, raise no new one, and keep what is needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from bulkhead.core.control import Control
from bulkhead.core.outcome import Outcome
from bulkhead.core.resource import Snapshot
from bulkhead.formats import recognise
from bulkhead.mitigation import plan as planning
from bulkhead.mitigation.generate import naming
from bulkhead.mitigation.plan import Consent
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.posture.facts import dependencies, network
from bulkhead.posture.world import World
from tests.catalogue_check import catalogue

_BAD = (Outcome.FAIL, Outcome.WARN, Outcome.ERROR)
_SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {owner: shop}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, version: v7}}
    spec:
      serviceAccountName: web
      containers:
        - name: web
          image: web:1
          ports: [{name: http, containerPort: 8080}]
          resources: {requests: {cpu: 250m, memory: 1Gi}, limits: {cpu: "1", memory: 3Gi}}
          env:
            - {name: ORDERS, value: "http://orders:8081/"}
            - {name: PAY, value: "https://pay.example.com/v1"}
            - {name: LEDGER, value: ledger.bank.svc}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  template:
    metadata: {labels: {app: orders}}
    spec:
      containers: [{name: orders, image: orders:1, ports: [{name: api, containerPort: 9000}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: stranger, namespace: bank, labels: {app: stranger}}
spec: {containers: [{name: a, image: a}]}
---
apiVersion: v1
kind: Pod
metadata: {name: edge, namespace: kube-system, labels: {k8s-app: edge}}
spec: {containers: [{name: a, image: a}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ledger, namespace: bank, labels: {app: ledger}}
spec: {containers: [{name: a, image: a, ports: [{containerPort: 7000}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{port: 8081, targetPort: api}]}
---
apiVersion: v1
kind: Service
metadata: {name: ledger, namespace: bank}
spec: {selector: {app: ledger}, ports: [{port: 7000}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}
"""
# What makes an object, and in which namespaces it has something to do.
_CONTROLS = {
    "k8s.network.namespace-default-deny": "NetworkPolicy",
    "k8s.namespace.resource-quota": "ResourceQuota",
    "k8s.namespace.limit-range": "LimitRange",
    "k8s.hygiene.disruption-budget": "PodDisruptionBudget",
    "k8s.namespace.pod-security-labels": "Namespace",
    "k8s.admission.policy-engine": "ValidatingAdmissionPolicy",
    "k8s.admission.image-provenance": "ClusterImagePolicy",
}


def _snapshot(files: dict[str, bytes]) -> Snapshot:
    found = Snapshot()
    for path, data in files.items():
        found = found.merged(recognise.recognise(path, data))
    return found


def _failing(snapshot: Snapshot, controls: list[Control]) -> set[tuple[str, str]]:
    request = Request(catalogue(), controls)
    return {
        (
            finding.control,
            f"{finding.resource.kind}/{finding.resource.namespace}/{finding.resource.name}/{finding.element}",
        )
        for finding in evaluate(snapshot, request).findings
        if finding.outcome in _BAD
    }


def _repaired(identity: str, files: dict[str, bytes]) -> dict[str, bytes]:
    control = catalogue().by_id[identity]
    snapshot = _snapshot(files)
    assessment = evaluate(snapshot, Request(catalogue(), [control]))
    consent = Consent(controls=frozenset({identity}))
    plan = planning.make(World(snapshot), assessment, consent, tenant="default", root="")
    return {**files, **{step.target: step.change for step in plan.steps}}


def _objects(files: dict[str, bytes]) -> Iterator[dict[str, Any]]:
    for path, data in files.items():
        if path != "shop.yaml":
            yield from yaml.safe_load_all(data)


@pytest.mark.parametrize(("identity", "kind"), list(_CONTROLS.items()))
def test_it_closes_the_finding_and_raises_none(identity: str, kind: str) -> None:
    before = {"shop.yaml": _SHOP.encode()}
    after = _repaired(identity, before)
    kinds = {made["kind"] for made in _objects(after)}
    assert kind in kinds
    kubernetes = [
        control for control in catalogue().controls if control.id.startswith(("k8s.", "container.", "attack"))
    ]
    was, now = _failing(_snapshot(before), kubernetes), _failing(_snapshot(after), kubernetes)
    assert any(control == identity for control, _ in was)
    assert not any(control == identity for control, _ in now)
    # A namespace that was only named is now declared; who owns it is for a person to say.
    assert {found for found in now - was if found[0] != "k8s.namespace.owner"} == set()


def _isolated() -> World:
    return World(_snapshot(_repaired("k8s.network.namespace-default-deny", {"shop.yaml": _SHOP.encode()})))


def test_every_need_stays_reachable() -> None:
    here = _isolated()
    needs = dependencies.needs(here)
    assert {(need.source.resource.ref.name, need.service.ref.name) for need in needs} == {
        ("web", "orders"),
        ("web", "ledger"),
    }
    for need in needs:
        for target in need.targets:
            for port, protocol in need.ports:
                assert network.reaches(here, network.Traffic(need.source, target, port, protocol))


def test_nothing_else_is_reachable() -> None:
    here = _isolated()
    pods = {view.resource.ref.name: view for view in here.kubernetes_pods}
    for source, target, port in (
        ("stranger", "orders", 9000),
        ("orders", "web", 9000),
        ("web", "orders", 22),
        ("stranger", "ledger", 7000),
    ):
        assert not network.reaches(here, network.Traffic(pods[source], pods[target], port))
    assert network.reaches(here, network.Traffic(pods["edge"], pods["web"], 8080)), "a load balancer publishes it"
    assert not network.reaches(here, network.Traffic(pods["edge"], pods["web"], 8081))
    assert all(network.blocks(here, view, "169.254.169.254") for name, view in pods.items() if name != "edge")


def test_names_that_are_taken_are_not_used_again() -> None:
    made = [item["metadata"]["name"] for item in _objects(_repaired("k8s.network.namespace-default-deny", {"shop.yaml": _SHOP.encode()})) if item["metadata"]["namespace"] == "shop"]  # fmt: skip
    assert "default-deny-2" in made
    assert len(made) == len(set(made))
    used = {"a", "a-2"}
    assert naming.free("a", used) == "a-3"
    assert naming.free("b", used) == "b"


def test_the_api_server_and_outside_hosts_are_allowed_where_they_are_needed() -> None:
    made = {item["metadata"]["name"]: item for item in _objects(_repaired("k8s.network.namespace-default-deny", {"shop.yaml": _SHOP.encode()}))}  # fmt: skip
    ports = {port["port"] for rule in made["allow-web"]["spec"]["egress"] for port in rule["ports"]}
    assert {443, 6443, 9000, 7000} == ports
    assert "egress" not in made["allow-orders"]["spec"]
    assert made["allow-web"]["spec"]["podSelector"] == {"matchLabels": {"app": "web"}}, "not the version label"


def test_the_quota_is_twice_what_is_declared_with_sizes_for_the_rest() -> None:
    made = {(item["kind"], item["metadata"]["namespace"]): item for item in _objects(_repaired("k8s.namespace.resource-quota", {"shop.yaml": _SHOP.encode()}))}  # fmt: skip
    hard = made["ResourceQuota", "shop"]["spec"]["hard"]
    assert hard == {
        "requests.cpu": "1700m",
        "requests.memory": "6400Mi",
        "limits.cpu": "7000m",
        "limits.memory": "18944Mi",
        "pods": "10",
    }
    assert made["LimitRange", "shop"]["spec"]["limits"][0]["type"] == "Container"


def test_the_ceiling_is_the_largest_declared_size() -> None:
    made = {item["metadata"]["namespace"]: item for item in _objects(_repaired("k8s.namespace.limit-range", {"shop.yaml": _SHOP.encode()}))}  # fmt: skip
    assert made["shop"]["spec"]["limits"][0]["max"] == {"cpu": "1000m", "memory": "3072Mi"}


def test_the_pod_security_level_admits_what_runs() -> None:
    after = _repaired("k8s.namespace.pod-security-labels", {"shop.yaml": _SHOP.encode()})
    namespaces = {item.ref.name: item.data["metadata"]["labels"] for item in _snapshot(after).resources if item.ref.kind == "Namespace"}  # fmt: skip
    assert namespaces["shop"]["pod-security.kubernetes.io/enforce"] == "baseline"
    assert namespaces["bank"]["pod-security.kubernetes.io/enforce"] == "baseline"
    assert namespaces["bank"]["pod-security.kubernetes.io/warn"] == "restricted"


def test_the_budget_selects_the_pods_of_the_workload() -> None:
    made = list(_objects(_repaired("k8s.hygiene.disruption-budget", {"shop.yaml": _SHOP.encode()})))
    assert {item["metadata"]["name"] for item in made} == {"web", "orders"}
    assert all(item["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow" for item in made)


_HOMELESS = """\
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web, image: a, env: [{name: DB, value: "db:5432"}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, labels: {app: db}}
spec: {containers: [{name: db, image: a, ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: bare}
spec: {containers: [{name: bare, image: a}]}
"""


def test_where_no_namespace_is_named_only_the_pods_that_are_there_are_isolated() -> None:
    """A deny for all pods would reach strangers in the namespace that the objects happen to be applied to."""
    files = {"shop.yaml": _HOMELESS.encode(), "other/pod.yaml": _HOMELESS.replace("web", "else").encode()}
    after = _repaired("k8s.network.pod-unselected", files)
    assert set(after) - set(files) == {"bulkhead-network-policies.yaml", "other/bulkhead-network-policies.yaml"}
    made = list(yaml.safe_load_all(after["bulkhead-network-policies.yaml"]))
    assert [item["metadata"] for item in made] == [{"name": "isolate-web"}, {"name": "isolate-db"}]
    assert all(item["spec"]["podSelector"]["matchLabels"] for item in made)
    here = World(_snapshot({name: data for name, data in after.items() if not name.startswith("other/")}))
    pods = {view.resource.ref.name: view for view in here.kubernetes_pods}
    assert network.reaches(here, network.Traffic(pods["web"], pods["db"], 5432))
    assert not network.reaches(here, network.Traffic(pods["web"], pods["db"], 22))
    assert not network.reaches(here, network.Traffic(pods["bare"], pods["web"], 80))
