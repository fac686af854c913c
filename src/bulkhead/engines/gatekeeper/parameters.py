"""The parameters of a constraint against the schema that its template gives (apiextensions.k8s.io, structural schemas)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bulkhead.core.errors import LimitExceeded, ParseError
from bulkhead.engines.rego.builtins import schemas
from bulkhead.engines.rego.errors import RegoError

_DEPTH: Final = 40
_SHOWN: Final = 10
_KEEP: Final = "x-kubernetes-preserve-unknown-fields"
_EITHER: Final = "x-kubernetes-int-or-string"
_WORDS: Final = frozenset({
    "type", "properties", "required", "items", "enum", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
    "additionalProperties", "allOf", "anyOf", "oneOf", "not",
})  # fmt: skip
_IGNORED: Final = frozenset({
    "description", "title", "default", "example", "format", "nullable", "externalDocs", "x-kubernetes-list-type", "$schema",
    "x-kubernetes-list-map-keys", "x-kubernetes-map-type", "x-kubernetes-embedded-resource", _KEEP, _EITHER,
})  # fmt: skip
"""``format`` decides nothing in a custom resource but for a few words that nobody gives parameters."""


def compiled(schema: Any) -> Mapping[str, Any] | None:
    """The schema as JSON Schema; None where there is none.

    Raises:
        ParseError: there is a word in it that is not known.
    """
    if schema is None:
        return None
    found: Mapping[str, Any] = _converted(schema, "spec.crd.spec.validation.openAPIV3Schema", 0)
    return found


def _converted(schema: Any, where: str, depth: int) -> Any:
    if not isinstance(schema, Mapping):
        raise ParseError("a schema is a mapping", where=where)
    if depth > _DEPTH:
        raise LimitExceeded(f"the schema is deeper than {_DEPTH}", where=where)
    unknown = set(schema) - _WORDS - _IGNORED
    if "x-kubernetes-validations" in unknown:
        raise ParseError("rules in CEL of a schema of parameters are not evaluated", where=where)
    if unknown:
        raise ParseError(f"a schema has no {min(unknown)}", where=where)
    for name, kind in (("allOf", list), ("anyOf", list), ("oneOf", list), ("properties", dict)):
        if not isinstance(schema.get(name, kind()), kind):
            raise ParseError(f"{name} of a schema is a {'mapping' if kind is dict else 'list'}", where=where)
    made: dict[str, Any] = {name: value for name, value in schema.items() if name in _WORDS}
    for name in ("allOf", "anyOf", "oneOf"):
        if name in made:
            made[name] = [_converted(item, f"{where}.{name}", depth + 1) for item in made[name]]
    for name in ("items", "not"):
        if name in made:
            made[name] = _converted(made[name], f"{where}.{name}", depth + 1)
    if isinstance(made.get("additionalProperties"), Mapping):
        made["additionalProperties"] = _converted(made["additionalProperties"], where, depth + 1)
    if "properties" in made:
        made["properties"] = {
            name: _converted(item, f"{where}.properties.{name}", depth + 1) for name, item in made["properties"].items()
        }
        if schema.get("type") == "object" and not schema.get(_KEEP):
            # The API server would drop what the schema does not have: a misspelt parameter would weaken a policy unseen.
            made.setdefault("additionalProperties", False)
    if schema.get(_EITHER):
        made["type"] = ["integer", "string"]
    if schema.get("nullable") and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def check(schema: Mapping[str, Any] | None, parameters: Any) -> None:
    """Raises ParseError where they do not follow the schema."""
    if schema is None:
        if parameters:
            raise ParseError("the template takes no parameters", where="spec.parameters")
        return
    try:
        fits, errors = schemas.match(parameters, schema)
    except RegoError as error:
        raise ParseError(f"the schema of the template cannot be used: {error}", where="spec.parameters") from error
    if not fits:
        said = "; ".join(str(item["error"]) for item in errors[:_SHOWN])
        raise ParseError(f"the parameters do not follow the template's schema: {said}", where="spec.parameters")


def with_defaults(schema: Any, value: Any, depth: int = 0) -> Any:
    """The value with what the schema (as the template has it) says of what is missing."""
    if depth > _DEPTH or not isinstance(schema, Mapping):
        return value
    if isinstance(value, Mapping):
        made = dict(value)
        for name, inner in (schema.get("properties") or {}).items():
            if isinstance(inner, Mapping) and name not in made and "default" in inner:
                made[name] = inner["default"]
            if name in made:
                made[name] = with_defaults(inner, made[name], depth + 1)
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping):
            known = schema.get("properties") or {}
            made |= {name: with_defaults(more, item, depth + 1) for name, item in made.items() if name not in known}
        return made
    if isinstance(value, list):
        return [with_defaults(schema.get("items"), item, depth + 1) for item in value]
    return value
