"""Effective permissions (rbac.authorization.k8s.io/v1): aggregation, wildcards, who can do what.

1. A ClusterRole with an aggregationRule has the rules of every ClusterRole that its selectors pick, transitively.
2. A RoleBinding grants the rules of its role inside its own namespace, a ClusterRoleBinding everywhere.
3. Roles that the API server creates by itself (cluster-admin, admin, edit, view) are known without being read.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import msgspec

from bulkhead.core.canonical import canonical
from bulkhead.core.resource import UNKNOWN, Resource
from bulkhead.posture.facts import selectors
from bulkhead.posture.facts.bootstrap_roles import BUILT_IN, Rule
from bulkhead.posture.shapes import WRONG_SHAPE
from bulkhead.posture.world import World

_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_EVERY = frozenset({"create", "delete", "get", "list", "patch", "update", "watch"})
_LISTS = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")


class Grant(msgspec.Struct, frozen=True):
    """One rule for one subject; ``namespace`` is empty when it holds everywhere."""

    kind: str
    name: str
    subject_namespace: str
    namespace: str
    rule: Rule
    binding: Resource


def normalised(rules: Any) -> list[Rule]:
    """Every list present, so that expressions need no optionals.

    Raises:
        TypeError: a rule or a part of one is unknown.
    """
    if rules is not None and not isinstance(rules, list):
        raise TypeError("the rules are no list, or unknown")
    return [_normal(rule) for rule in rules or () if rule is UNKNOWN or rule]


def _normal(rule: Any) -> Rule:
    if not isinstance(rule, dict):
        raise TypeError("a rule is a mapping")
    made = {key: list(rule.get(key) or []) for key in _LISTS}
    if any(not isinstance(item, str) for items in made.values() for item in items):
        raise TypeError("a part of a rule is unknown")
    return made


def allows(rules: Any, verb: Any, group: Any, resource: Any) -> bool:
    """Whether a list of rules allows the verb on the resource (``pods/exec`` for a subresource), wildcards honoured."""
    return any(_allows(rule, str(verb), str(group), str(resource)) for rule in rules or ())


def _allows(rule: Rule, verb: str, group: str, resource: str) -> bool:
    verbs, groups, resources = (rule.get(key) or () for key in ("verbs", "apiGroups", "resources"))
    if "*" not in verbs and verb not in verbs:
        return False
    if "*" not in groups and group not in groups:
        return False
    if "*" in resources or resource in resources:
        return True
    _, slash, sub = resource.partition("/")
    return bool(slash) and f"*/{sub}" in resources


def without(verbs: Any, taken: Any) -> list[str]:
    """The verbs that are left when some are taken away; a wildcard is written out first."""
    have = list(_VERBS) if "*" in (verbs or ()) else list(verbs or ())
    return [verb for verb in have if verb not in taken]


def rules_of(world: World, kind: str, name: str, namespace: str = "") -> list[Rule] | None:
    """The rules of a role by reference; None when it was not read and is not built in."""
    key = ("rbac-rules", kind, name, namespace)
    if key in world.memo:
        known: list[Rule] | None = world.memo[key]
        return known
    found: list[Rule] | None = None
    for resource in _named(world, kind).get(name, ()):
        if kind == "ClusterRole":
            found = _aggregated(world, resource)
        elif selectors.same_namespace(resource.ref.namespace, namespace):
            found = normalised(resource.data.get("rules"))
    if found is None and kind == "ClusterRole":
        found = BUILT_IN.get(name)
    world.memo[key] = found
    return found


def _named(world: World, kind: str) -> dict[str, list[Resource]]:
    """The resources of a kind by name, in whatever namespace."""
    key = ("named", kind)
    if key not in world.memo:
        found: dict[str, list[Resource]] = {}
        for resource in world.by_kind.get(kind, ()):
            found.setdefault(resource.ref.name, []).append(resource)
        world.memo[key] = found
    made: dict[str, list[Resource]] = world.memo[key]
    return made


def _aggregated(world: World, role: Resource) -> list[Rule]:
    """The role's rules and those of every role that it gathers; each role is taken once, however often it is picked."""
    rules: dict[tuple[tuple[str, ...], ...], Rule] = {}
    taken = {id(role)}
    asked: set[bytes] = set()
    waiting = deque([role])
    while waiting:
        here = waiting.popleft()
        # Roles that gather each other hold the same rules many times over.
        rules.update((tuple(tuple(item[key]) for key in _LISTS), item) for item in normalised(here.data.get("rules")))
        rule = here.data.get("aggregationRule")
        for selector in (rule.get("clusterRoleSelectors") or ()) if isinstance(rule, dict) else ():
            key = canonical(selector)
            if key not in asked:
                asked.add(key)
                picked = [item for item in _picked(world, key, selector) if id(item) not in taken]
                taken.update(id(item) for item in picked)
                waiting.extend(picked)
    return list(rules.values())


def _picked(world: World, key: bytes, selector: Any) -> list[Resource]:
    """The ClusterRoles that a selector picks."""
    memo = ("rbac-picked", key)
    if memo not in world.memo:
        world.memo[memo] = [
            other
            for other in world.by_kind.get("ClusterRole", ())
            if selectors.selects(selector, (other.data.get("metadata") or {}).get("labels"))
        ]
    found: list[Resource] = world.memo[memo]
    return found


def grants(world: World) -> list[Grant]:
    """Every rule of every subject. Bindings whose role was not read grant nothing here; they are findings elsewhere."""
    if "rbac-grants" in world.memo:
        known: list[Grant] = world.memo["rbac-grants"]
        return known
    out: list[Grant] = []
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        for binding in world.by_kind.get(kind, ()):
            scope = (binding.ref.namespace or selectors.HOME) if kind == "RoleBinding" else ""
            rules, holders = _granted(world, binding)
            for rule in rules:
                out.extend(
                    Grant(subject["kind"], subject["name"], subject["namespace"], scope, rule, binding)
                    for subject in holders
                )
    world.memo["rbac-grants"] = out
    return out


def _granted(world: World, binding: Resource) -> tuple[list[Rule], list[dict[str, str]]]:
    """The rules and subjects of a binding; none, and the binding noted, when a part of them is unknown."""
    try:
        reference = binding.data.get("roleRef") or {}
        rules = rules_of(world, str(reference.get("kind", "")), str(reference.get("name", "")), binding.ref.namespace)
        return rules or [], subjects(binding)
    except WRONG_SHAPE:
        world.memo["rbac-unread"] = binding.ref.name or f"{binding.ref.kind} without a name"
        return [], []


def unread(world: World) -> str:
    """The name of a binding whose role has rules that could not be told; empty when there is none."""
    grants(world)
    return str(world.memo.get("rbac-unread", ""))


def subjects(binding: Resource) -> list[dict[str, str]]:
    out = []
    for subject in binding.data.get("subjects") or ():
        if isinstance(subject, dict):
            kind = str(subject.get("kind", ""))
            home = str(subject.get("namespace") or (binding.ref.namespace if kind == "ServiceAccount" else ""))
            out.append({"kind": kind, "name": str(subject.get("name", "")), "namespace": home})
    return out


def of_account(world: World, namespace: str, name: str) -> list[Grant]:
    """What a service account may do, through its own name and the groups it is in."""
    key = ("rbac-account", namespace, name)
    if key not in world.memo:
        by_subject = _by_subject(world)
        homes = selectors.places(namespace)
        wanted = [("ServiceAccount", name, home) for home in homes]
        wanted += [("User", f"system:serviceaccount:{home}:{name}", "") for home in homes if home]
        wanted += [("Group", "system:serviceaccounts", ""), ("Group", "system:authenticated", "")]
        wanted += [("Group", f"system:serviceaccounts:{home}", "") for home in homes if home]
        world.memo[key] = [grant for subject in wanted for grant in by_subject.get(subject, ())]
    known: list[Grant] = world.memo[key]
    return known


def of_group(world: World, name: str) -> list[Grant]:
    """What the members of a group may do by being in it."""
    return _by_subject(world).get(("Group", name, ""), [])


def _by_subject(world: World) -> dict[tuple[str, str, str], list[Grant]]:
    if "rbac-by-subject" not in world.memo:
        found: dict[tuple[str, str, str], list[Grant]] = {}
        for grant in grants(world):
            home = grant.subject_namespace if grant.kind == "ServiceAccount" else ""
            found.setdefault((grant.kind, grant.name, home), []).append(grant)
        world.memo["rbac-by-subject"] = found
    made: dict[tuple[str, str, str], list[Grant]] = world.memo["rbac-by-subject"]
    return made


def who_can(world: World, verb: str, group: str, resource: str, namespace: str = "") -> list[Grant]:
    """The grants that allow it: in ``namespace`` when given, otherwise anywhere at all."""
    return [
        grant
        for grant in grants(world)
        if _allows(grant.rule, verb, group, resource)
        and (not namespace or not grant.namespace or selectors.same_namespace(grant.namespace, namespace))
    ]


def is_admin(rules: list[Rule]) -> bool:
    """Everything on everything, by the wildcard or by naming every verb: cluster-admin by any name."""
    return any(
        "*" in rule["apiGroups"] and "*" in rule["resources"] and ("*" in rule["verbs"] or set(rule["verbs"]) >= _EVERY)
        for rule in rules
    )


def facts(world: World, resource: Resource) -> dict[str, Any]:
    """What expressions see as ``rbac`` on a role or a binding. ``rules`` is absent when the role was not read."""
    if resource.ref.kind in ("Role", "ClusterRole"):
        return _role_facts(world, resource)
    reference = resource.data.get("roleRef") or {}
    if not isinstance(reference.get("name"), str):
        raise TypeError("the role's name is unknown")
    kind, name = str(reference.get("kind", "")), reference["name"]
    rules = rules_of(world, kind, name, resource.ref.namespace)
    builtin = name.startswith("system:") or name == "extension-apiserver-authentication-reader"
    found = subjects(resource)
    out: dict[str, Any] = {
        "roleFound": rules is not None or builtin,
        "roleKind": kind,
        "roleName": name,
        "admin": is_admin(rules or []) or (kind == "ClusterRole" and name == "cluster-admin"),
        "subjects": found,
        "missingAccounts": [
            f"{subject['namespace']}/{subject['name']}"
            for subject in found
            if subject["kind"] == "ServiceAccount"
            and subject["name"] != "default"
            and not _account_known(world, subject)
        ],
        "accountsRead": bool(world.by_kind.get("ServiceAccount")),
        "rolesRead": bool(world.by_kind.get(kind)),
        "system": _system(resource.ref.name),
    }
    # A cluster whose roles were all read has no role by that name: the binding gives nothing.
    absent = resource.ref.source == "kubernetes" and bool(world.by_kind.get(kind)) and not world.hides(kind)
    if rules is not None or builtin or absent:
        out["rules"] = rules or []
    return out


def _system(name: str) -> bool:
    """Roles and bindings that the API server or the platform makes by itself."""
    return name.startswith("system:") or name in BUILT_IN or name == "gce:podsecuritypolicy:calico-sa"


def _account_known(world: World, subject: dict[str, str]) -> bool:
    return any(
        not account.ref.namespace or selectors.same_namespace(account.ref.namespace, subject["namespace"])
        for account in _named(world, "ServiceAccount").get(subject["name"], ())
    )


def _role_facts(world: World, role: Resource) -> dict[str, Any]:
    kind, name = role.ref.kind, role.ref.name
    rules = _aggregated(world, role) if kind == "ClusterRole" else normalised(role.data.get("rules"))
    bound = [
        subject
        for binding in _bindings_of(world).get((kind, name), ())
        if kind == "ClusterRole" or selectors.same_namespace(binding.ref.namespace, role.ref.namespace)
        for subject in subjects(binding)
    ]
    return {
        "rules": rules,
        "bound": bound,
        "system": _system(name),
        "aggregated": isinstance(role.data.get("aggregationRule"), dict),
        "admin": is_admin(rules),
        "bindingsRead": any(world.by_kind.get(key) for key in ("RoleBinding", "ClusterRoleBinding")),
    }


def _bindings_of(world: World) -> dict[tuple[str, str], list[Resource]]:
    """The bindings by the kind and name of their role."""
    if "bindings-of" not in world.memo:
        found: dict[tuple[str, str], list[Resource]] = {}
        for kind in ("RoleBinding", "ClusterRoleBinding"):
            for binding in world.by_kind.get(kind, ()):
                reference = binding.data.get("roleRef")
                # One without a readable role is bound to none; it is an error of its own.
                reference = reference if isinstance(reference, dict) else {}
                key = (str(reference.get("kind", "")), str(reference.get("name", "")))
                found.setdefault(key, []).append(binding)
        world.memo["bindings-of"] = found
    made: dict[tuple[str, str], list[Resource]] = world.memo["bindings-of"]
    return made
