"""A template and its constraints as the ValidatingAdmissionPolicy and bindings that mean the same, for the API server itself.

The constraint is the policy's parameter, and its match is part of the policy: what it is about is decided where Gatekeeper is not.
"""

from __future__ import annotations

from typing import Any, Final

from bulkhead.core.errors import ParseError
from bulkhead.engines.gatekeeper import cel_source
from bulkhead.engines.gatekeeper.constraint import Constraint
from bulkhead.engines.gatekeeper.model import VAP
from bulkhead.engines.gatekeeper.template import Template

_API: Final = "admissionregistration.k8s.io/v1"
_ACTIONS: Final = {"deny": "Deny", "warn": "Warn", "dryrun": "Audit"}
_OPERATIONS: Final = ("CREATE", "UPDATE", "DELETE", "CONNECT")
_SPACE: Final = "has(params.spec) && has(params.spec.match) && has(params.spec.match.{name})"
_GLOB: Final = 'string({text}).matches("^" + string({pattern}).replace("*", ".*") + "$")'


def policy(template: Template) -> dict[str, Any]:
    """The policy of a template; where that names no operations, of what is created and changed, as Gatekeeper's webhook is asked.

    Raises:
        ParseError: its code is Rego, which no API server evaluates.
    """
    if template.source is None:
        raise ParseError("only a template in CEL can be a ValidatingAdmissionPolicy", where=template.kind)
    spec = cel_source.specification(template.source, template.kind)
    spec["matchConditions"] = [*_conditions(), *spec["matchConditions"]]
    rule = {
        "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*", "pods/ephemeralcontainers"], "operations": list(template.operations or _OPERATIONS[:2]),
    }  # fmt: skip
    spec["matchConstraints"] = {"matchPolicy": "Equivalent", "resourceRules": [rule]}
    return {
        "apiVersion": _API, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": f"gatekeeper-{template.kind.lower()}"}, "spec": spec,
    }  # fmt: skip


def binding(constraint: Constraint) -> dict[str, Any]:
    """The binding of a constraint.

    Raises:
        ParseError: it is not enforced there, or its match says something that no policy of the API server can.
    """
    actions = constraint.actions.get(VAP) or ()
    if not actions:
        raise ParseError(f"the constraint is not enforced at {VAP}", where=constraint.name)
    match = constraint.match
    if match.source == "Generated" or match.scope != "*":
        raise ParseError("scope and source of a match cannot be said in a binding", where=constraint.name)
    found: dict[str, Any] = {}
    if match.labelSelector is not None:
        found["objectSelector"] = match.labelSelector
    if match.namespaceSelector is not None:
        found["namespaceSelector"] = match.namespaceSelector
    name = constraint.template.kind.lower()
    return {
        "apiVersion": _API,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": f"gatekeeper-{name}-{constraint.name}"},
        "spec": {
            "policyName": f"gatekeeper-{name}",
            "paramRef": {"name": constraint.name, "parameterNotFoundAction": "Allow"},
            "validationActions": [_ACTIONS[action] for action in actions],
            **({"matchResources": found} if found else {}),
        },
    }


def _conditions() -> list[dict[str, str]]:
    """What a constraint's match says, as conditions over it."""
    kinds = (
        "size(params.spec.match.kinds) == 0 || params.spec.match.kinds.exists(k, (!has(k.kinds) || size(k.kinds) == 0 || '*' in k.kinds || request.kind.kind in k.kinds)"
        " && (!has(k.apiGroups) || size(k.apiGroups) == 0 || '*' in k.apiGroups || request.kind.group in k.apiGroups))"
    )
    space = "(request.kind.group == '' && request.kind.kind == 'Namespace' ? request.name : request.namespace)"
    fits = _GLOB.format(text=space, pattern="n")
    metadata = "(object == null ? oldObject : object).metadata"
    glob = "params.spec.match.name"
    name = (
        f"{glob} == '' || (has({metadata}.name) && {_GLOB.format(text=f'{metadata}.name', pattern=glob)})"
        f" || ({glob}.endsWith('*') && has({metadata}.generateName) && {_GLOB.format(text=f'{metadata}.generateName', pattern=glob)})"
    )
    rules = {
        "kinds": kinds,
        "namespaces": f"{space} == '' || size(params.spec.match.namespaces) == 0 || params.spec.match.namespaces.exists(n, {fits})",
        "excludedNamespaces": f"{space} == '' || !params.spec.match.excludedNamespaces.exists(n, {fits})",
        "name": name,
    }
    return [
        {
            "name": f"gatekeeper_internal_match_{what.lower()}",
            "expression": f"!({_SPACE.format(name=what)}) || ({rule})",
        }
        for what, rule in rules.items()
    ]
