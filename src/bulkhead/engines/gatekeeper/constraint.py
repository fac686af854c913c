"""A constraint: a template with parameters, what it is about, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bulkhead.core.errors import ParseError
from bulkhead.engines.gatekeeper import parameters
from bulkhead.engines.gatekeeper.matching import Match, compile_match
from bulkhead.engines.gatekeeper.model import POINTS, Object, name_of
from bulkhead.engines.gatekeeper.template import Template

_GROUP: Final = "constraints.gatekeeper.sh"
_VERSIONS: Final = ("v1beta1", "v1alpha1")
_ACTIONS: Final = ("deny", "warn", "dryrun")
_KNOWN: Final = frozenset({"match", "parameters", "enforcementAction", "scopedEnforcementActions"})


class Constraint(msgspec.Struct, frozen=True):
    """A constraint ready to be asked.

    Attributes:
        actions: what it does at each point; a point that is missing is one where it is not enforced.
        parameters: with what the schema says of what is missing.
        thing: the object, with those parameters.
    """

    template: Template
    name: str
    match: Match
    actions: Mapping[str, tuple[str, ...]]
    parameters: Any
    thing: Object


def compile_constraint(template: Template, thing: Object) -> Constraint:
    """The constraint of an object.

    Raises:
        ParseError: it is none of this template, does not follow its schema, or has something that is not known.
    """
    group, _, version = str(thing.get("apiVersion", "")).partition("/")
    name = name_of(thing)
    if group != _GROUP or version not in _VERSIONS or thing.get("kind") != template.kind:
        raise ParseError(
            f"a {thing.get('kind')} of {thing.get('apiVersion')} is no {template.kind} of {_GROUP}", where=name
        )
    if not name:
        raise ParseError(f"a {template.kind} has a name")
    spec = thing.get("spec") or {}
    if not isinstance(spec, Mapping):
        raise ParseError("spec is a mapping", where=name)
    if unknown := set(spec) - _KNOWN:
        raise ParseError(f"spec has no {min(unknown)}", where=name)
    given = parameters.with_defaults(template.schema, spec.get("parameters") or {})
    try:
        parameters.check(template.checked, given)
        match = compile_match(spec.get("match"))
    except ParseError as error:
        raise ParseError(error.message, where=f"{template.kind}/{name}") from error
    shown = {**thing, "spec": {**spec, "parameters": given}} if given else dict(thing)
    return Constraint(template, name, match, _actions(spec, name), given, shown)


def _actions(spec: Mapping[str, Any], name: str) -> Mapping[str, tuple[str, ...]]:
    action = spec.get("enforcementAction") or "deny"
    if action != "scoped":
        _known(action, name)
        return dict.fromkeys(POINTS, (str(action),))
    found: dict[str, list[str]] = {}
    scoped = spec.get("scopedEnforcementActions") or []
    if not isinstance(scoped, list) or not all(isinstance(item, Mapping) for item in scoped):
        raise ParseError("scopedEnforcementActions is a list", where=name)
    for item in scoped:
        _known(item.get("action"), name)
        points = item.get("enforcementPoints") or []
        if not isinstance(points, list):
            raise ParseError("enforcementPoints is a list", where=name)
        for point in points:
            called = point.get("name") if isinstance(point, Mapping) else None
            if called not in (*POINTS, "*"):
                raise ParseError(f"there is no enforcement point '{called}'", where=name)
            for one in POINTS if called == "*" else (called,):
                held = found.setdefault(one, [])
                if item["action"] not in held:
                    held.append(str(item["action"]))
    return {point: tuple(actions) for point, actions in found.items()}


def _known(action: Any, name: str) -> None:
    if action not in _ACTIONS:
        raise ParseError(f"'{action}' is no enforcement action: {', '.join(_ACTIONS)} or scoped", where=name)
