"""Effective permissions: aggregation, wildcards, subresources, who can do what."""

from __future__ import annotations

import pytest

from bulkhead.formats.recognise import recognise
from bulkhead.posture.evaluate import Request, evaluate
from bulkhead.posture.facts import api, rbac
from bulkhead.posture.world import World
from tests.catalogue_check import catalogue
from tests.unit.posture.worlds import world

_HEAD = "apiVersion: rbac.authorization.k8s.io/v1\n"


def _role(name: str, rules: str, kind: str = "ClusterRole", more: str = "") -> str:
    return f"---\n{_HEAD}kind: {kind}\nmetadata: {{name: {name}{more}}}\nrules: {rules}\n"


def _binding(
    role: str, subject: str, kind: str = "ClusterRoleBinding", namespace: str = "", of: str = "ClusterRole"
) -> str:
    where = f", namespace: {namespace}" if namespace else ""
    return (
        f"---\n{_HEAD}kind: {kind}\nmetadata: {{name: 'b-{role}'{where}}}\n"
        f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {of}, name: '{role}'}}\nsubjects: [{subject}]\n"
    )


_ANN = "{kind: User, name: ann}"


@pytest.mark.parametrize(
    ("rule", "asked", "expected"),
    [
        ({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}, ("get", "", "pods"), True),
        ({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}, ("list", "", "pods"), False),
        ({"verbs": ["*"], "apiGroups": [""], "resources": ["pods"]}, ("create", "", "pods"), True),
        ({"verbs": ["get"], "apiGroups": ["*"], "resources": ["pods"]}, ("get", "apps", "pods"), True),
        ({"verbs": ["get"], "apiGroups": ["apps"], "resources": ["pods"]}, ("get", "", "pods"), False),
        ({"verbs": ["create"], "apiGroups": [""], "resources": ["pods"]}, ("create", "", "pods/exec"), False),
        ({"verbs": ["create"], "apiGroups": [""], "resources": ["pods/*"]}, ("create", "", "pods/exec"), False),
        ({"verbs": ["create"], "apiGroups": [""], "resources": ["*/exec"]}, ("create", "", "pods/exec"), True),
        ({"verbs": ["create"], "apiGroups": [""], "resources": ["*"]}, ("create", "", "pods/exec"), True),
        ({"verbs": ["get"]}, ("get", "", "pods"), False),
    ],
)
def test_rules_allow(rule: dict[str, list[str]], asked: tuple[str, str, str], expected: bool) -> None:
    assert rbac.allows([rule], *asked) is expected


def test_aggregation_is_transitive_and_survives_a_loop() -> None:
    labels = ", labels: {to: all}"
    looped = world(
        f"{_HEAD}kind: ClusterRole\nmetadata: {{name: top}}\naggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{to: all}}}}]}}\n"
        f"---\n{_HEAD}kind: ClusterRole\nmetadata: {{name: middle, labels: {{to: all}}}}\n"
        "aggregationRule: {clusterRoleSelectors: [{matchLabels: {to: middle}}, {matchLabels: {to: all}}]}\n"
        + _role("leaf", "[{apiGroups: [''], resources: [secrets], verbs: [get]}]", more=", labels: {to: middle}")
        + _role("other", "[{apiGroups: [''], resources: [pods], verbs: [list]}]", more=labels)
    )
    rules = rbac.rules_of(looped, "ClusterRole", "top")
    assert rbac.allows(rules, "get", "", "secrets")
    assert rbac.allows(rules, "list", "", "pods")
    assert not rbac.allows(rules, "list", "", "secrets")


def test_a_role_binding_grants_in_its_namespace_only() -> None:
    here = world(
        _role("reader", "[{apiGroups: [''], resources: [secrets], verbs: [get]}]")
        + _binding("reader", _ANN, "RoleBinding", "shop")
    )
    assert [grant.name for grant in rbac.who_can(here, "get", "", "secrets", "shop")] == ["ann"]
    assert rbac.who_can(here, "get", "", "secrets", "bank") == []
    assert len(rbac.who_can(here, "get", "", "secrets")) == 1
    assert rbac.who_can(here, "delete", "", "secrets") == []


def test_a_service_account_has_the_rights_of_its_groups_and_its_user_name() -> None:
    rule = "[{apiGroups: [''], resources: [%s], verbs: [get]}]"
    here = world(
        _role("a", rule % "a") + _binding("a", "{kind: Group, name: 'system:serviceaccounts:shop'}")
        + _role("b", rule % "b") + _binding("b", "{kind: Group, name: 'system:serviceaccounts'}")
        + _role("c", rule % "c") + _binding("c", "{kind: User, name: 'system:serviceaccount:shop:web'}")
        + _role("d", rule % "d") + _binding("d", "{kind: ServiceAccount, name: web, namespace: shop}")
        + _role("e", rule % "e") + _binding("e", "{kind: ServiceAccount, name: web, namespace: bank}")
        + _role("f", rule % "f") + _binding("f", "{kind: Group, name: 'system:authenticated'}")
    )  # fmt: skip
    held = {grant.rule["resources"][0] for grant in rbac.of_account(here, "shop", "web")}
    assert held == {"a", "b", "c", "d", "f"}


def test_objects_without_a_namespace_are_in_the_default_one() -> None:
    here = world(
        _role("r", "[{apiGroups: [''], resources: [pods], verbs: [create]}]", "Role", ", namespace: default")
        + _binding("r", "{kind: ServiceAccount, name: web}", "RoleBinding", "default", "Role")
    )
    assert len(rbac.of_account(here, "", "web")) == 1


@pytest.mark.parametrize("verbs", ["['*']", "[get, list, watch, create, update, patch, delete]"])
def test_cluster_admin_by_another_name(verbs: str) -> None:
    here = world(_role("power", f"[{{apiGroups: ['*'], resources: ['*'], verbs: {verbs}}}]") + _binding("power", _ANN))
    facts = rbac.facts(here, here.by_kind["ClusterRoleBinding"][0])
    assert facts["admin"] is True
    assert facts["rules"]


def test_roles_that_every_server_has_are_known_and_others_are_not() -> None:
    here = world(_binding("edit", _ANN) + _binding("elsewhere", _ANN))
    edit, elsewhere = (rbac.facts(here, binding) for binding in here.by_kind["ClusterRoleBinding"])
    assert edit["roleFound"]
    assert rbac.allows(edit["rules"], "create", "", "pods/exec")
    assert not elsewhere["roleFound"]
    assert "rules" not in elsewhere


def test_rules_that_are_unknown_are_no_answer() -> None:
    here = world(_role("r", "'{{ .Values.rules }}'") + _binding("r", _ANN))
    with pytest.raises(TypeError):
        rbac.facts(here, here.by_kind["ClusterRole"][0])
    assert rbac.grants(here) == []
    assert rbac.unread(here) == "b-r"


def test_missing_accounts_and_who_is_bound() -> None:
    here: World = world(
        _role("r", "[]", "Role", ", namespace: shop")
        + _binding("r", "{kind: ServiceAccount, name: web}, {kind: ServiceAccount, name: gone}", "RoleBinding", "shop", "Role")
        + "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web, namespace: shop}\n"
    )  # fmt: skip
    assert rbac.facts(here, here.by_kind["RoleBinding"][0])["missingAccounts"] == ["shop/gone"]
    bound = rbac.facts(here, here.by_kind["Role"][0])["bound"]
    assert [subject["name"] for subject in bound] == ["web", "gone"]


def test_wildcards_written_out() -> None:
    assert rbac.without(["*"], ["bind", "create"]) == ["delete", "deletecollection", "get", "list", "patch", "update", "watch"]  # fmt: skip
    assert rbac.without(["get", "bind"], ["bind"]) == ["get"]
    assert api.groups(["pods", "deployments"]) == ["", "apps"]
    assert "secrets" not in api.resources([""])


@pytest.mark.parametrize(
    ("control", "group"),
    [("k8s.rbac.anonymous", "system:unauthenticated"), ("k8s.rbac.authenticated-group", "system:authenticated")],
)
def test_what_openshift_tells_everybody_is_no_finding_and_the_same_under_another_name_is(
    control: str, group: str
) -> None:
    controls = [item for item in catalogue().controls if item.id == control]
    names = ("system:openshift:public-info-viewer", "system:openshift:public-info-viewers")
    text = "".join(_binding(name, f"{{kind: Group, name: '{group}'}}") for name in names)
    found = evaluate(recognise("bindings.yaml", text.encode()), Request(catalogue(), controls)).findings
    assert [item.resource.name for item in found] == [f"b-{names[1]}"]
