"""NetworkPolicy: isolation, peers, ports."""

from __future__ import annotations

import pytest

from bulkhead.posture.facts import network
from bulkhead.posture.world import World
from tests.unit.posture.worlds import pod, world

_PODS = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
apiVersion: v1
kind: Namespace
metadata: {name: bank, labels: {team: b}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: a, image: a}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: a, image: a, ports: [{name: sql, containerPort: 5432}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: bank, labels: {app: web}}
spec: {containers: [{name: a, image: a}]}
"""


def _with(*specs: str, namespace: str = "shop") -> World:
    return world(
        _PODS
        + "".join(
            f"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{number}, namespace: {namespace}}}\n"
            f"spec: {spec}\n"
            for number, spec in enumerate(specs)
        )
    )


def _reaches(here: World, source: str, target: str, port: int | str = 5432, protocol: str = "TCP") -> bool:
    return network.reaches(here, network.Traffic(pod(here, source), pod(here, target), port, protocol))


def test_without_policies_everything_is_open() -> None:
    here = _with()
    assert _reaches(here, "job", "db")
    assert not network.isolated(here, pod(here, "db"), "Ingress")


def test_a_policy_isolates_only_what_it_selects_and_only_its_directions() -> None:
    here = _with("{podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}")
    assert network.isolated(here, pod(here, "db"), "Ingress")
    assert not network.isolated(here, pod(here, "db"), "Egress")
    assert not network.isolated(here, pod(here, "web"), "Ingress")
    assert not _reaches(here, "web", "db")
    assert _reaches(here, "db", "web")


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({"podSelector": {}}, ("Ingress",)),
        ({"podSelector": {}, "egress": [{}]}, ("Ingress", "Egress")),
        ({"podSelector": {}, "egress": [{}], "policyTypes": ["Egress"]}, ("Egress",)),
    ],
)
def test_policy_types_default(spec: dict[str, object], types: tuple[str, ...]) -> None:
    assert network.types(spec) == types


@pytest.mark.parametrize(
    ("peer", "web", "job"),
    [
        ("{podSelector: {matchLabels: {app: web}}}", True, False),
        ("{namespaceSelector: {matchLabels: {team: b}}}", False, True),
        ("{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}", True, True),
        ("{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: bank}}, podSelector: {matchLabels: {app: db}}}", False, False),
        ("{namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [a, b]}]}}", True, True),
        ("{namespaceSelector: {matchExpressions: [{key: team, operator: NotIn, values: [a]}]}}", False, True),
        ("{ipBlock: {cidr: 10.0.0.0/8}}", False, False),
    ],
)  # fmt: skip
def test_peers(peer: str, web: bool, job: bool) -> None:
    here = _with(f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{from: [{peer}]}}]}}")
    assert _reaches(here, "web", "db") is web
    assert _reaches(here, "job", "db") is job


def test_policies_add_up() -> None:
    here = _with(
        "{podSelector: {}, policyTypes: [Ingress]}",
        "{podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]}",
    )
    assert _reaches(here, "web", "db")
    assert not _reaches(here, "db", "web")


@pytest.mark.parametrize(
    ("ports", "port", "protocol", "expected"),
    [
        ("[{port: 5432}]", 5432, "TCP", True),
        ("[{port: 5432}]", 5433, "TCP", False),
        ("[{port: 5432}]", 5432, "UDP", False),
        ("[{port: 5000, endPort: 6000}]", 5432, "TCP", True),
        ("[{port: 5000, endPort: 5100}]", 5432, "TCP", False),
        ("[{port: sql}]", 5432, "TCP", True),
        ("[{port: sql}]", "sql", "TCP", True),
        ("[{port: other}]", 5432, "TCP", False),
        ("[{protocol: UDP}]", 5432, "UDP", True),
    ],
)
def test_ports(ports: str, port: int | str, protocol: str, expected: bool) -> None:
    here = _with(f"{{podSelector: {{matchLabels: {{app: db}}}}, ingress: [{{ports: {ports}}}]}}")
    assert _reaches(here, "web", "db", port, protocol) is expected


def test_both_ends_have_to_agree() -> None:
    here = _with("{podSelector: {matchLabels: {app: web}}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}]}")
    assert not _reaches(here, "web", "db")
    assert _reaches(here, "job", "db")


def test_default_denies() -> None:
    assert network.default_denies(_with("{podSelector: {}, policyTypes: [Ingress]}"), "shop", "Ingress")
    assert not network.default_denies(_with("{podSelector: {}, policyTypes: [Ingress]}"), "shop", "Egress")
    assert not network.default_denies(_with("{podSelector: {}, ingress: [{}]}"), "shop", "Ingress")
    assert not network.default_denies(_with("{podSelector: {matchLabels: {app: db}}}"), "shop", "Ingress")


@pytest.mark.parametrize(
    ("spec", "blocked"),
    [
        ("{podSelector: {}, policyTypes: [Ingress]}", False),
        ("{podSelector: {}, policyTypes: [Egress]}", True),
        ("{podSelector: {}, egress: [{}]}", False),
        ("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}", False),
        ("{podSelector: {}, egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [169.254.0.0/16]}}]}]}", True),
        ("{podSelector: {}, egress: [{to: [{podSelector: {}}]}]}", True),
    ],
)
def test_the_metadata_address(spec: str, blocked: bool) -> None:
    here = _with(spec)
    assert network.blocks(here, pod(here, "web"), "169.254.169.254") is blocked
