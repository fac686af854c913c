"""What a match takes in."""

from __future__ import annotations

from typing import Any

import pytest

from bulkhead.core.errors import ParseError
from bulkhead.engines.gatekeeper.matching import compile_match, matches, wildcard
from tests.unit.engines.gatekeeper.things import namespace, pod

SHOP = namespace("shop", team="a")
NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
ROLE = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r", "namespace": "shop"}}


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [("kube-*", "kube-system", True), ("*-system", "kube-system", True), ("*be-s*", "kube-system", True), ("kube-*", "akube-x", False), ("k*m", "kube-system", False), ("shop", "shops", False), ("*", "", True)],
)  # fmt: skip
def test_wildcards_stand_at_the_ends(pattern: str, text: str, expected: bool) -> None:
    assert wildcard(pattern, text) is expected


@pytest.mark.parametrize(
    ("match", "thing", "expected"),
    [
        ({}, pod(), True),
        ({"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]}, pod(), True),
        ({"kinds": [{"kinds": ["Pod"]}]}, pod(), True),
        ({"kinds": [{"apiGroups": ["apps"], "kinds": ["*"]}]}, pod(), False),
        ({"kinds": [{"apiGroups": ["*"], "kinds": ["Role"]}]}, ROLE, True),
        ({"kinds": [{"apiGroups": ["apps"]}, {"kinds": ["Pod"]}]}, pod(), True),
        ({"scope": "Cluster"}, NODE, True),
        ({"scope": "Cluster"}, pod(), False),
        ({"scope": "Cluster"}, SHOP, True),
        ({"scope": "Namespaced"}, SHOP, False),
        ({"scope": "Namespaced"}, pod(), True),
        ({"namespaces": ["sh*"]}, pod(), True),
        ({"namespaces": ["other"]}, pod(), False),
        ({"namespaces": ["other"]}, NODE, True),
        ({"namespaces": ["other"]}, SHOP, False),
        ({"excludedNamespaces": ["*op"]}, pod(), False),
        ({"excludedNamespaces": ["*op"]}, SHOP, False),
        ({"excludedNamespaces": ["*"]}, NODE, True),
        ({"labelSelector": {"matchLabels": {"a": "b"}}}, pod(a="b"), True),
        ({"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}, pod(), False),
        ({"namespaceSelector": {"matchLabels": {"team": "a"}}}, pod(), True),
        ({"namespaceSelector": {"matchLabels": {"team": "b"}}}, pod(), False),
        ({"namespaceSelector": {"matchLabels": {"team": "b"}}}, NODE, True),
        ({"namespaceSelector": {"matchLabels": {"team": "b"}}}, SHOP, False),
        ({"name": "we*"}, pod(), True),
        ({"name": "api"}, pod(), False),
        ({"name": "web-*"}, {**pod(), "metadata": {"generateName": "web-7-", "namespace": "shop"}}, True),
        ({"name": "web-7-x"}, {**pod(), "metadata": {"generateName": "web-7-", "namespace": "shop"}}, False),
        ({"source": "Generated"}, pod(), False),
        ({"source": "Original"}, pod(), True),
    ],
)  # fmt: skip
def test_what_is_taken_in(match: dict[str, Any], thing: dict[str, Any], expected: bool) -> None:
    space = SHOP if (thing["metadata"].get("namespace")) else None
    assert matches(compile_match(match), thing, space, "Original") is expected


def test_a_namespace_that_is_not_known_is_no_way_out() -> None:
    match = compile_match({"namespaceSelector": {"matchLabels": {"team": "a"}}})
    with pytest.raises(ParseError, match="not known"):
        matches(match, pod(), None, "Original")
