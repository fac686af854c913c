"""What objects point at, what pods refer to, and fields that do not exist."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.posture.facts import fields, references, related
from bulkhead.posture.world import World
from tests.unit.posture.worlds import pod, world

_SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: a, image: a, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: shop}
spec: {minReplicas: 2, maxReplicas: 9, scaleTargetRef: {kind: Deployment, name: web}}
---
"""


def _facts(manifest: str, kind: str) -> dict[str, Any]:
    here = world(_SHOP + manifest)
    return related.facts(here, here.by_kind[kind][-1])


def test_the_pods_behind_a_service() -> None:
    found = _facts("", "Service")["pods"]
    assert [(item["kind"], item["name"]) for item in found] == [("Deployment", "web")]
    other = "apiVersion: v1\nkind: Service\nmetadata: {name: x, namespace: bank}\nspec: {selector: {app: web}}\n"
    assert _facts(other, "Service")["pods"] == []


@pytest.mark.parametrize(
    ("backend", "missing"),
    [
        ("{service: {name: web, port: {number: 80}}}", []),
        ("{service: {name: web, port: {name: http}}}", []),
        ("{serviceName: web, servicePort: http}", []),
        ("{service: {name: web, port: {number: 81}}}", ["port 81 of Service web"]),
        ("{service: {name: gone, port: {number: 80}}}", ["Service gone"]),
    ],
)
def test_the_backends_of_an_ingress(backend: str, missing: list[str]) -> None:
    manifest = (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: shop}\n"
        f"spec: {{rules: [{{http: {{paths: [{{backend: {backend}}}]}}}}]}}\n"
    )
    assert _facts(manifest, "Ingress")["missing"] == missing


def test_a_scaler_and_a_budget() -> None:
    assert _facts("", "HorizontalPodAutoscaler") == {"found": True, "judged": True, "kind": "Deployment", "name": "web"}
    manifest = (
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b, namespace: shop}\n"
        "spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}\n"
    )
    assert _facts(manifest, "PodDisruptionBudget")["workloads"] == [
        {"kind": "Deployment", "name": "web", "replicas": 3, "least": 2, "scaled": True}
    ]


def test_peers_of_a_policy_in_namespaces_that_were_not_read_may_be_there() -> None:
    manifest = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: shop}\n"
        "spec: {podSelector: {matchLabels: {app: web}}, ingress: [{from: [{podSelector: {matchLabels: {app: gone}}},"
        " {podSelector: {matchLabels: {app: gone}}, namespaceSelector: {matchLabels: {team: far}}}]}]}\n"
    )
    found = _facts(manifest, "NetworkPolicy")
    assert [peer["found"] for peer in found["peers"]] == [False, True]
    assert len(found["pods"]) == 1


def test_labels_that_are_unknown_are_no_answer() -> None:
    manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop, labels: {app: '{{ .Values.app }}'}}\nspec: {containers: []}\n"
    with pytest.raises(TypeError):
        _facts(manifest, "Service")


def test_references() -> None:
    here: World = world(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {level: info}\n---\n"
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: a\n      image: a\n      env:\n"
        "        - {name: A, valueFrom: {configMapKeyRef: {name: c, key: level}}}\n"
        "        - {name: B, valueFrom: {configMapKeyRef: {name: c, key: lvel}}}\n"
        "        - {name: C, valueFrom: {secretKeyRef: {name: s, key: k, optional: true}}}\n"
        "  volumes: [{name: v, projected: {sources: [{secret: {name: t}}]}}]\n"
    )
    found = [
        (item["name"], item["found"], item["keyFound"], item["optional"])
        for item in references.of(here, pod(here, "p"))
    ]
    assert found == [
        ("c", True, True, False),
        ("c", True, False, False),
        ("s", False, True, True),
        ("t", False, True, False),
    ]


@pytest.mark.parametrize(
    ("spec", "paths"),
    [
        ({"containers": [{"name": "a", "securityContext": {"readOnlyRootFilesystem": True}}]}, []),
        ({"containers": [{"name": "a", "securityContext": {"readonlyRootFilesystem": True}}]}, ["containers[0].securityContext.readonlyRootFilesystem"]),
        ({"containers": [{"name": "a", "resources": {"limit": {}}}]}, ["containers[0].resources.limit"]),
        ({"containers": [], "runAsNonRoot": True}, ["runAsNonRoot"]),
        ({"containers": [], "securityContext": {"privileged": True}}, ["securityContext.privileged"]),
    ],
)  # fmt: skip
def test_unknown_fields(spec: dict[str, Any], paths: list[str]) -> None:
    assert [item["path"] for item in fields.unknown(spec)] == paths


def test_the_nearest_field_is_named() -> None:
    assert fields.unknown({"hostNetwrok": True})[0]["nearest"] == "hostNetwork"
    assert fields.unknown({"zzz": True})[0]["nearest"] == ""
