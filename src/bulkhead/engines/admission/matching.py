"""Whether rules of a policy or of a webhook are about a request (admissionregistration.k8s.io/v1, MatchResources)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bulkhead.core.errors import ParseError
from bulkhead.engines.admission.review import Review
from bulkhead.engines.admission.selectors import labels_of, selects

_EVERYWHERE = "*"


def matches(constraints: Mapping[str, Any] | None, review: Review, namespace: Mapping[str, Any] | None) -> bool:
    """Whether the constraints take the request in.

    Args:
        constraints: resourceRules, excludeResourceRules, namespaceSelector, objectSelector; None takes in everything.
        review: the request.
        namespace: the object of its namespace; None for what is in none.

    Raises:
        ParseError: a selector is none, or the namespace's labels are needed and not known.
    """
    if constraints is None:
        return True
    if not _in_namespaces(constraints.get("namespaceSelector"), review, namespace):
        return False
    if not _has_labels(constraints.get("objectSelector"), review):
        return False
    if any(rule_matches(rule, review) for rule in _rules(constraints, "excludeResourceRules")):
        return False
    rules = list(_rules(constraints, "resourceRules"))
    return not rules or any(rule_matches(rule, review) for rule in rules)


def _rules(constraints: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    found = constraints.get(name) or ()
    if not isinstance(found, list | tuple) or not all(isinstance(rule, Mapping) for rule in found):
        raise ParseError(f"{name} is a list of rules")
    return found


def rule_matches(rule: Mapping[str, Any], review: Review) -> bool:
    """One rule with operations: groups, versions, resources, scope and names."""
    return (
        _listed(rule.get("operations"), review.operation)
        and _listed(rule.get("apiGroups"), review.resource.group)
        and _listed(rule.get("apiVersions"), review.resource.version)
        and _of_resource(rule.get("resources"), review)
        and _in_scope(rule.get("scope"), review)
        and _named(rule.get("resourceNames"), review)
    )


def _listed(values: Any, value: str) -> bool:
    return isinstance(values, list) and (_EVERYWHERE in values or value in values)


def _of_resource(values: Any, review: Review) -> bool:
    """``pods``, ``pods/exec``, ``pods/*``, ``*/scale``, ``*``, ``*/*``; one star alone has no subresources."""
    for value in values if isinstance(values, list) else ():
        resource, slash, subresource = str(value).partition("/")
        if resource not in (_EVERYWHERE, review.resource.resource):
            continue
        if (slash and subresource == _EVERYWHERE) or subresource == review.sub_resource:
            return True
    return False


def _in_scope(scope: Any, review: Review) -> bool:
    if scope in (None, "", _EVERYWHERE):
        return True
    # A Namespace is itself of the cluster, whatever its own name says.
    namespaced = bool(review.namespace) and review.resource.resource != "namespaces"
    return (scope == "Namespaced") is namespaced


def _named(names: Any, review: Review) -> bool:
    return not names or review.name in names


def _in_namespaces(selector: Any, review: Review, namespace: Mapping[str, Any] | None) -> bool:
    if not selector:
        return True
    if review.kind.group == "" and review.kind.kind == "Namespace":
        return selects(selector, labels_of(review.object if review.object is not None else review.old_object))
    if not review.namespace:
        return True
    if namespace is None:
        raise ParseError("the labels of the namespace are not known", where=review.namespace)
    return selects(selector, labels_of(namespace))


def _has_labels(selector: Any, review: Review) -> bool:
    if not selector:
        return True
    return any(
        thing is not None and selects(selector, labels_of(thing)) for thing in (review.object, review.old_object)
    )
