"""A template's CEL, which is a ValidatingAdmissionPolicy without its match (engine K8sNativeValidation)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from bulkhead.core.errors import ParseError
from bulkhead.engines.vap.policy import Policy, compile_policy

_RESERVED: Final = "gatekeeper_internal_"
_VERSION: Final = "constraints.gatekeeper.sh/v1beta1"
OBJECT: Final = {
    "name": "anyObject",
    "expression": 'has(request.operation) && request.operation == "DELETE" && object == null ? oldObject : object',
}
PARAMETERS: Final = {
    "name": "params",
    "expression": "!has(params.spec) ? null : !has(params.spec.parameters) ? null: params.spec.parameters",
}


class Validation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    expression: str
    message: str = ""
    messageExpression: str = ""  # noqa: N815 (the wire's own word)


class Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    expression: str


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The source as the template has it."""

    validations: tuple[Validation, ...] = ()
    failurePolicy: Literal["Fail", "Ignore"] = "Fail"  # noqa: N815
    matchCondition: tuple[Named, ...] = ()  # noqa: N815
    variables: tuple[Named, ...] = ()
    generateVAP: bool | None = None  # noqa: N815


def read(value: Any, where: str) -> Source:
    """Raises ParseError where it is none."""
    if isinstance(value, Mapping) and "matchConditions" in value:
        # The type calls it matchCondition, the documentation matchConditions: one that is not read would be no condition.
        value = {
            "matchCondition": value["matchConditions"],
            **{k: v for k, v in value.items() if k != "matchConditions"},
        }
    try:
        found = msgspec.convert(value, Source)
    except msgspec.ValidationError as error:
        raise ParseError(f"the source of K8sNativeValidation: {error}", where=where) from error
    for named in (*found.variables, *found.matchCondition):
        if named.name.startswith(_RESERVED):
            raise ParseError(f"'{named.name}' begins with {_RESERVED}, which is Gatekeeper's own", where=where)
    for variable in found.variables:
        if variable.name in ("params", "anyObject"):
            raise ParseError(f"variables.{variable.name} is Gatekeeper's own", where=where)
    return found


def specification(source: Source, kind: str) -> dict[str, Any]:
    """The spec of the policy that means the same, without what it matches."""
    validations = [
        {name: value for name, value in msgspec.to_builtins(item).items() if value} for item in source.validations
    ]
    return {
        "failurePolicy": source.failurePolicy,
        "paramKind": {"apiVersion": _VERSION, "kind": kind},
        "matchConditions": [msgspec.to_builtins(item) for item in source.matchCondition],
        "variables": [OBJECT, PARAMETERS, *(msgspec.to_builtins(item) for item in source.variables)],
        "validations": validations,
    }


def compile_source(source: Source, kind: str) -> Policy:
    """The policy; a constraint's own match comes before it.

    Raises:
        ParseError: the API server would refuse it.
    """
    spec = specification(source, kind) | {"matchConstraints": {}}
    return compile_policy({"metadata": {"name": kind.lower()}, "spec": spec})
