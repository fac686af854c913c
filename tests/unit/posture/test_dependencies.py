"""What the manifests show that a workload calls."""

from __future__ import annotations

import pytest

from bulkhead.posture.facts import dependencies
from tests.unit.posture.worlds import pod, world

_SHOP = """
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Pod
metadata: {name: orders, namespace: shop, labels: {app: orders}}
spec: {containers: [{name: a, image: a, ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {url: "http://orders/api", other: nothing}
---
"""


def _web(container: str, namespace: str = "shop", more: str = "") -> str:
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: {namespace}, labels: {{app: web}}}}\n"
        f"spec: {{containers: [{{name: a, image: a, {container}}}]{more}}}\n"
    )


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        (_web("env: [{name: A, value: 'http://orders:80'}]"), True),
        (_web("env: [{name: A, value: orders}]"), True),
        (_web("env: [{name: A, value: reorders}]"), False),
        (_web("env: [{name: A, value: orders-old}]"), False),
        (_web("args: ['--upstream=orders.shop.svc.cluster.local:80']"), True),
        (_web("args: ['--upstream=orders']", "bank"), False),
        (_web("args: ['--upstream=orders.shop']", "bank"), True),
        (_web("env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: url}}}]"), True),
        (_web("env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: other}}}]"), False),
        (_web("envFrom: [{configMapRef: {name: settings}}]"), True),
        (_web("tty: true", more=", volumes: [{name: v, configMap: {name: settings}}]"), True),
    ],
)
def test_needs(manifest: str, found: bool) -> None:
    here = world(_SHOP + manifest)
    needs = dependencies.needs_of(here, pod(here, "web"))
    assert [(need.service.ref.name, need.ports) for need in needs] == ([("orders", ((8080, "TCP"),))] if found else [])


def test_outside_hosts_have_their_ports() -> None:
    env = "env: [{name: A, value: 'https://api.example.com/v1'}, {name: B, value: 'postgres://u:p@db.example.net:6432/x'}, {name: C, value: 'http://orders.shop/'}]"
    here = world(_SHOP + _web(env))
    assert dependencies.outside(here, pod(here, "web")) == [443, 6432]


def test_what_is_published() -> None:
    here = world(
        _SHOP
        + "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: i, namespace: shop}\n"
        + "spec: {rules: [{http: {paths: [{backend: {service: {name: orders, port: {number: 80}}}}]}}]}\n---\n"
        + "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: r, namespace: shop}\n"
        + "spec: {rules: [{backendRefs: [{name: pay, port: 80}]}]}\n"
    )
    assert dependencies.routed(here, "shop") == {"orders", "pay"}
    assert dependencies.routed(here, "bank") == set()
