"""Values where a type is expected (GraphQL, 5.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bulkhead.engines.rego.builtins.graphql.parser import (
    BLOCK,
    BOOLEAN,
    ENUM,
    FLOAT,
    INT,
    LIST,
    NULL,
    OBJECT,
    STRING,
    VARIABLE,
    Node,
)
from bulkhead.engines.rego.builtins.graphql.schema import Schema, base, compatible, named, parts, shown, word, wrong
from bulkhead.engines.rego.builtins.shown import quoted

_STANDARD = frozenset({"Int", "Float", "String", "Boolean", "ID"})
_TAKES = {
    INT: frozenset({"Int", "Float", "ID"}),
    FLOAT: frozenset({"Float"}),
    STRING: frozenset({"String", "ID"}),
    BLOCK: frozenset({"String", "ID"}),
    BOOLEAN: frozenset({"Boolean"}),
}
_REFUSALS = {
    "Int": "Int cannot represent non-integer value: ",
    "Float": "Float cannot represent non numeric value: ",
    "String": "String cannot represent a non string value: ",
    "Boolean": "Boolean cannot represent a non boolean value: ",
    "ID": "ID cannot represent a non-string and non-integer value: ",
}
_MAX_INT = 2**63

Variable = Callable[..., None]


def fits(kind: Node, wanted: Node) -> bool:
    return compatible(kind, wanted)


def text(value: Node) -> str:
    """A value as it is written."""
    kind = value.get("Kind")
    if kind == VARIABLE:
        return f"${value['Raw']}"
    if kind in {STRING, BLOCK}:
        return quoted(word(value, "Raw"))
    if kind == LIST:
        return "[" + ",".join(text(child["Value"]) for child in parts(value, "Children")) + "]"
    if kind == OBJECT:
        return "{" + ",".join(f"{child['Name']}:{text(child['Value'])}" for child in parts(value, "Children")) + "}"
    return word(value, "Raw")


def check(schema: Schema, value: Node, expected: Node | None, default: Node | None, variable: Variable) -> None:
    """Hold a value against the type that is expected.

    Args:
        schema: with the types.
        value: the value.
        expected: the type; None where none is known.
        default: of the place where it stands.
        variable: is called for each variable in it.

    Raises:
        BuiltinError: it is of another type.
    """
    kind = value.get("Kind", 0)
    if kind == VARIABLE:
        variable(value, expected, default)
        return
    if expected is None:
        for child in parts(value, "Children"):
            check(schema, child["Value"], None, None, variable)
        return
    if kind == NULL:
        if expected.get("NonNull"):
            wrong(value, f'Expected value of type "{shown(expected)}", found null.')
        return
    name = base(expected)
    definition = schema.types.get(name, {})
    if kind == LIST:
        element = expected.get("Elem")
        if not isinstance(element, dict) and not (definition.get("Kind") == "SCALAR" and name not in _STANDARD):
            _refuse(value, expected, definition)
        for child in parts(value, "Children"):
            check(schema, child["Value"], element if isinstance(element, dict) else None, None, variable)
        return
    if kind == OBJECT:
        _object(schema, value, expected, definition, variable)
    elif definition.get("Kind") == "SCALAR":
        if name in _STANDARD and name not in _TAKES.get(kind, frozenset()):
            _refuse(value, expected, definition)
        if kind == INT and name in _STANDARD and abs(int(word(value, "Raw"))) >= _MAX_INT:
            _refuse(value, expected, definition)
    elif definition.get("Kind") != "ENUM" or kind != ENUM:
        _refuse(value, expected, definition)
    elif named(parts(definition, "EnumValues"), word(value, "Raw")) is None:
        wrong(value, f'Value "{value["Raw"]}" does not exist in "{shown(expected)}" enum.')


def _refuse(value: Node, expected: Node, definition: Any) -> None:
    found, name = text(value), shown(expected).removesuffix("!")
    if name in _REFUSALS:
        wrong(value, _REFUSALS[name] + found)
    if definition.get("Kind") == "ENUM":
        wrong(value, f'Enum "{shown(expected)}" cannot represent non-enum value: {found}.')
    wrong(value, f'Expected value of type "{shown(expected)}", found {found}.')


def _object(schema: Schema, value: Node, expected: Node, definition: Node, variable: Variable) -> None:
    children = parts(value, "Children")
    name = word(definition, "Name")
    if definition.get("Kind") == "SCALAR" and name not in _STANDARD:
        for child in children:
            check(schema, child["Value"], None, None, variable)
        return
    if definition.get("Kind") != "INPUT_OBJECT":
        _refuse(value, expected, definition)
    fields = parts(definition, "Fields")
    seen: set[str] = set()
    for child in children:
        own = word(child, "Name")
        if own in seen:
            wrong(child, f'There can be only one input field named "{own}".')
        seen.add(own)
        field = named(fields, own)
        if field is None:
            wrong(child, f'Field "{own}" is not defined by type "{name}".')
        check(schema, child["Value"], field["Type"], field.get("DefaultValue"), variable)
    for field in fields:
        if field["Type"].get("NonNull") and field.get("DefaultValue") is None and field["Name"] not in seen:
            text_ = f'Field "{name}.{field["Name"]}" of required type "{shown(field["Type"])}" was not provided.'
            wrong(value, text_)
    if named(parts(definition, "Directives"), "oneOf") is not None:
        _one_of(value, name, children, variable)


def _one_of(value: Node, name: str, children: list[Any], variable: Variable) -> None:
    if len(children) != 1:
        wrong(value, f'OneOf Input Object "{name}" must specify exactly one key.')
    only = children[0]["Value"]
    if only.get("Kind") == NULL:
        wrong(value, f'Field "{name}.{children[0]["Name"]}" must be non-null.')
    if only.get("Kind") == VARIABLE:
        variable(only, None, None, one_of=name)
