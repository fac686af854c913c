"""Attack paths: edges, the smallest cut, and what it costs on a large cluster."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest

from bulkhead.core.resource import Ref, Resource, Snapshot
from bulkhead.formats import recognise
from bulkhead.posture.attack import analyse, facts, graph, hitting
from bulkhead.posture.attack.model import ADMIN, INTERNET, NODE, Edge, Fix, Vertex
from bulkhead.posture.world import World
from tests import corpora
from tests.unit.posture.worlds import world

_ATTACKS = ("posture", "kubehound", "setup", "test-cluster", "attacks")
# Pod or account that the manifest makes, and the edge that the file is named for.
_EDGES = {
    "CE_MODULE_LOAD": ("modload-pod", "CE_MODULE_LOAD"),
    "CE_NET_MITM": ("netadmin-pod", "CE_NET_MITM"),
    "CE_NSENTER": ("nsenter-pod", "CE_NSENTER"),
    "CE_PRIV_MOUNT": ("priv-pod", "CE_PRIV_MOUNT"),
    "CE_SYS_PTRACE": ("sys-ptrace-pod", "CE_SYS_PTRACE"),
    "CE_UMH_CORE_PATTERN": ("umh-core-pod", "CE_UMH_CORE_PATTERN"),
    "CE_VAR_LOG_SYMLINK": ("varlog-pod", "CE_VAR_LOG_SYMLINK"),
    "ENDPOINT_EXPLOIT": ("endpoints-pod", "ENDPOINT_EXPLOIT"),
    "EXPLOIT_HOST_READ_TRAVERSE": ("host-read-exploit-pod", "EXPLOIT_HOST_READ"),
    "EXPLOIT_HOST_WRITE": ("host-write-exploit-pod", "EXPLOIT_HOST_WRITE"),
    "IDENTITY_ASSUME": ("system:nodes", "IDENTITY_ASSUME"),
    "POD_CREATE": ("pod-create-sa", "POD_CREATE"),
    "POD_EXEC": ("pod-exec-sa", "POD_EXEC"),
    "POD_PATCH": ("pod-patch-sa", "POD_PATCH"),
    "ROLE_BIND_CRB_CR": ("rolebind-sa-crb-cr-crb-cr", "ROLE_BIND_CRB_CR"),
    "ROLE_BIND_RB_CR-SA": ("rolebind-sa-rb-cr-rb-r", "ROLE_BIND"),
    "ROLE_BIND_RB_R-SA": ("rolebind-sa-rb-r-rb-r", "ROLE_BIND"),
    "TOKEN_BRUTEFORCE": ("tokenget-sa", "TOKEN_BRUTEFORCE"),
    "TOKEN_LIST": ("tokenlist-sa", "TOKEN_LIST"),
}
# No edge of ours, with the reason.
_NOT_SHOWN = {
    "CONTROL_POD": "the pod that has no edge at all",
    "IDENTITY_IMPERSONATE": "users and groups are cluster-wide; a RoleBinding does not let anybody impersonate them",
    "ROLE_BIND_ALL": "roles that nobody is bound to",
    "ROLE_BIND_RB_R-UG": "bindings of users and groups, which no manifest leads to",
    "SHARE_PS_NAMESPACE": "a step between containers of one pod; the pod is one vertex here",
}


def _attacks() -> World:
    """All of the test cluster at once: several edges need another file's accounts as targets."""
    snapshot = Snapshot()
    for path in sorted(corpora.folder(*_ATTACKS).glob("*.yaml")):
        snapshot = snapshot.merged(recognise.recognise(path.name, path.read_bytes()))
    return World(snapshot)


def test_every_manifest_of_kubehound_gives_its_edge() -> None:
    folder: Path = corpora.folder(*_ATTACKS)
    assert {path.stem for path in folder.glob("*.yaml")} == set(_EDGES) | set(_NOT_SHOWN)
    edges = [edge for group in graph.build(_attacks()).values() for edge in group]
    missing = [
        name
        for name, (where, technique) in _EDGES.items()
        if not any(
            edge.technique == technique and (edge.source.name.endswith(where) or edge.target.name.endswith(where))
            for edge in edges
        )
    ]
    assert missing == []


def test_a_pod_without_anything_goes_nowhere() -> None:
    edges = [edge for group in graph.build(_attacks()).values() for edge in group]
    assert {edge.technique for edge in edges if edge.source.name.endswith("/control-pod")} == {"IDENTITY_ASSUME"}


def test_impersonation_needs_a_cluster_role_binding() -> None:
    edges = [edge for group in graph.build(_attacks()).values() for edge in group]
    assert not any(edge.technique == "IDENTITY_IMPERSONATE" for edge in edges)


_SHOP = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {serviceAccountName: web, containers: [{name: a, image: a, env: [{name: DB, value: db}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {automountServiceAccountToken: false, containers: [{name: a, image: a, securityContext: {privileged: true}}]}
"""
_BOUND = """---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: web, namespace: shop}]
"""
_DENY = """---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}
"""


def test_a_path_from_the_outside_to_a_node_over_another_pod() -> None:
    found = facts.facts(world(_SHOP))
    assert found["toNode"] == ["internet -ENDPOINT_EXPLOIT-> shop/Pod/web -LATERAL-> shop/Pod/db -CE_PRIV_MOUNT-> node"]
    assert found["toAdmin"] == []
    assert found["escapes"] == ["shop/Pod/db"]


def test_a_network_policy_cuts_the_way_to_the_other_pod() -> None:
    assert facts.facts(world(_SHOP + _DENY))["toNode"] == []


def test_a_token_that_is_mounted_leads_to_admin() -> None:
    found = facts.facts(world(_SHOP + _BOUND))
    assert found["shortest"] == 3
    assert found["takeover"] == ["shop/Pod/web"]
    assert facts.facts(world(_SHOP))["shortest"] == 0


def test_an_unknown_value_is_an_error_and_takes_nothing_else_with_it() -> None:
    unknown = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: odd, namespace: shop}\nspec: {containers: [{name: a, image: a, env: '{{ .Values.env }}'}]}\n"
    here = world(_SHOP + unknown)
    assert graph.unread(here) == "odd"
    assert any(edge.target == NODE for group in graph.build(here).values() for edge in group)
    with pytest.raises(TypeError):
        facts.facts(here)


def _graph(edges: list[tuple[str, str, tuple[str, ...]]]) -> analyse.Graph:
    special = {"in": INTERNET, "node": NODE, "admin": ADMIN}
    out: analyse.Graph = {}
    for source, target, fixes in edges:
        here, there = (special.get(name, Vertex("pod", name)) for name in (source, target))
        made = tuple(Fix(fix, "r") for fix in fixes)
        out.setdefault(here, []).append(Edge(here, there, f"{source}-{target}", "because", made))
    return out


def _names(fixes: tuple[Fix, ...]) -> set[str]:
    return {fix.control for fix in fixes}


def test_the_cut_takes_the_edge_that_all_paths_share() -> None:
    found = analyse.analyse(
        _graph([
            ("in", "a", ("x",)), ("in", "b", ("y",)), ("a", "c", ("p",)), ("b", "c", ("q",)), ("c", "node", ("z",)),
        ])
    )  # fmt: skip
    assert _names(found.cut) == {"z"}
    assert found.exact
    assert len(found.paths) == 2


def test_paths_without_a_fix_are_named_and_the_rest_is_cut() -> None:
    found = analyse.analyse(_graph([("in", "a", ()), ("a", "node", ()), ("a", "b", ("x",)), ("b", "node", ())]))
    assert [edge.technique for edge in found.uncut[0]] == ["in-a", "a-node"]
    assert _names(found.cut) == {"x"}


def test_a_cycle_ends() -> None:
    found = analyse.analyse(
        _graph([("in", "a", ("x",)), ("a", "b", ("y",)), ("b", "a", ("z",)), ("b", "admin", ("x",))])
    )
    assert _names(found.cut) == {"x"}


def test_the_cut_is_the_smallest_on_small_graphs() -> None:
    rng = random.Random(7)
    for _ in range(60):
        names = ["in", "a", "b", "c", "d", "node"]
        pool = "pqrstu"
        edges = [
            (one, two, tuple(rng.sample(pool, rng.randint(1, 2))))
            for one, two in itertools.permutations(names, 2)
            if one != "node" and two != "in" and rng.random() < 0.4
        ]
        made = _graph(edges)
        found = analyse.analyse(made)
        assert found.exact
        assert analyse.shortest(made, INTERNET, NODE, frozenset(found.cut)) is None
        for size in range(len(found.cut)):
            for smaller in itertools.combinations(pool, size):
                fixes = frozenset(Fix(name, "r") for name in smaller)
                assert analyse.shortest(made, INTERNET, NODE, fixes) is not None


def test_a_hitting_set_that_greedy_misses() -> None:
    """The member in most sets is in no smallest answer."""
    fix = {name: Fix(name, "r") for name in "gabcd"}
    sets = [frozenset({fix["g"], fix[name]}) for name in "abcd"]
    sets += [frozenset({fix["a"], fix["b"]}), frozenset({fix["c"], fix["d"]})]
    found, exact = hitting.smallest(sets)
    assert exact
    assert len(found) == 3
    assert all(found & item for item in sets)


def large_cluster(pods: int) -> World:
    """Synthetic: 250 namespaces, a tenth of the workloads published, some privileged, some with strong accounts."""
    resources = []

    def add(kind: str, namespace: str, name: str, group: str = "", **data: object) -> None:
        body = {
            "apiVersion": f"{group}/v1".lstrip("/"),
            "kind": kind,
            "metadata": {"name": name, "namespace": namespace},
        }
        resources.append(
            Resource(Ref(source="live", kind=kind, group=group, namespace=namespace, name=name), {**body, **data})
        )

    for number in range(pods):
        namespace, app = f"n{number % 250}", f"a{number}"
        context = {"privileged": True} if number % 97 == 0 else {}
        env = [{"name": "UP", "value": f"http://s{number + 250}"}] if number % 5 == 0 else []
        add("Pod", namespace, app, metadata={"name": app, "namespace": namespace, "labels": {"app": app}},
            spec={"serviceAccountName": f"sa{number % 1000}", "containers": [{"name": "c", "image": "i", "securityContext": context, "env": env}]})  # fmt: skip
        if number % 5 == 0:
            kind = "LoadBalancer" if number % 10 == 0 else "ClusterIP"
            add(
                "Service",
                namespace,
                f"s{number}",
                spec={"type": kind, "selector": {"app": app}, "ports": [{"port": 80}]},
            )
    rules = [
        {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]},
    ]
    add("ClusterRole", "", "strong", "rbac.authorization.k8s.io", rules=rules)
    for number in range(0, 250, 5):
        kind = "ClusterRoleBinding" if number % 50 == 0 else "RoleBinding"
        role = "cluster-admin" if number % 125 == 0 else "strong"
        add(kind, f"n{number}", f"b{number}", "rbac.authorization.k8s.io", roleRef={"kind": "ClusterRole", "name": role},
            subjects=[{"kind": "ServiceAccount", "name": f"sa{number}", "namespace": f"n{number}"}])  # fmt: skip
    return World(Snapshot(tuple(resources)))
