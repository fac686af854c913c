"""A ValidatingAdmissionPolicyBinding, looked at before it is used: what the API server would refuse is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bulkhead.core.errors import ParseError
from bulkhead.engines.admission.selectors import selects

ACTIONS: Final = ("Deny", "Warn", "Audit")
_SPEC: Final = frozenset({"policyName", "paramRef", "validationActions", "matchResources"})
_REFERENCE: Final = frozenset({"name", "namespace", "selector", "parameterNotFoundAction"})


def check_binding(thing: Mapping[str, Any]) -> str:
    """The name of the policy that it binds.

    Raises:
        ParseError: the API server would refuse it, or there is something in it that is not known.
    """
    metadata = thing.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ParseError("a binding has a name")
    spec = thing.get("spec")
    if not isinstance(spec, Mapping):
        raise ParseError("spec is a mapping", where=name)
    if unknown := set(spec) - _SPEC:
        raise ParseError(f"spec has no {min(unknown)}", where=name)
    policy = spec.get("policyName")
    if not isinstance(policy, str) or not policy:
        raise ParseError("spec.policyName is the name of a policy", where=name)
    _check_actions(spec.get("validationActions"), name)
    _check_reference(spec.get("paramRef"), name)
    _check_match(spec.get("matchResources"), name)
    return policy


def _check_actions(actions: Any, where: str) -> None:
    # Without an action a binding would bind and do nothing.
    if not isinstance(actions, list) or not actions:
        raise ParseError("spec.validationActions is a list with at least one action", where=where)
    for action in actions:
        if action not in ACTIONS:
            raise ParseError(f"'{action}' is no validation action: {', '.join(ACTIONS)}", where=where)
    if len(set(actions)) < len(actions) or {"Deny", "Warn"} <= set(actions):
        raise ParseError("each of spec.validationActions stands once, and Deny and Warn not together", where=where)


def _check_reference(reference: Any, where: str) -> None:
    if reference is None:
        return
    if not isinstance(reference, Mapping) or set(reference) - _REFERENCE:
        raise ParseError("spec.paramRef has a name or a selector, a namespace and parameterNotFoundAction", where=where)
    if bool(reference.get("name")) is (reference.get("selector") is not None):
        raise ParseError("spec.paramRef has either a name or a selector", where=where)
    if reference.get("parameterNotFoundAction") not in ("Allow", "Deny"):
        raise ParseError("spec.paramRef.parameterNotFoundAction is Allow or Deny", where=where)
    selects(reference.get("selector"), {})


def _check_match(match: Any, where: str) -> None:
    if match is None:
        return
    if not isinstance(match, Mapping):
        raise ParseError("spec.matchResources is a mapping", where=where)
    for name in ("namespaceSelector", "objectSelector"):
        selects(match.get(name), {})
