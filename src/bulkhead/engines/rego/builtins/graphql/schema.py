"""Schemas: what is declared and extended put together, and held to the rules of the language (GraphQL, 3)."""

from __future__ import annotations

from functools import cache
from typing import Any, NoReturn

from bulkhead.engines.rego.builtins.graphql.lexer import located
from bulkhead.engines.rego.builtins.graphql.parser import NULL, Node, schema_document
from bulkhead.engines.rego.errors import BuiltinError

MAX_TYPES = 20_000
_REPEATED = frozenset({"include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"})
_INPUT = ("SCALAR", "ENUM", "INPUT_OBJECT")
_COMPOSITE = frozenset({"OBJECT", "INTERFACE", "UNION"})
_OUTPUT = ("SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM")
_LISTS = ("Directives", "Interfaces", "Fields", "Types", "EnumValues")
_STANDARD = """
scalar Int scalar Float scalar String scalar Boolean scalar ID
directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @deprecated(reason: String = "No longer supported")
  on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
directive @specifiedBy(url: String!) on SCALAR
directive @oneOf on INPUT_OBJECT
type __Schema {
  description: String types: [__Type!]! queryType: __Type! mutationType: __Type subscriptionType: __Type
  directives: [__Directive!]!
}
type __Type {
  kind: __TypeKind! name: String description: String specifiedByURL: String
  fields(includeDeprecated: Boolean = false): [__Field!] interfaces: [__Type!] possibleTypes: [__Type!]
  enumValues(includeDeprecated: Boolean = false): [__EnumValue!]
  inputFields(includeDeprecated: Boolean = false): [__InputValue!] ofType: __Type isOneOf: Boolean
}
enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL }
type __Field {
  name: String! description: String args(includeDeprecated: Boolean = false): [__InputValue!]! type: __Type!
  isDeprecated: Boolean! deprecationReason: String
}
type __InputValue {
  name: String! description: String type: __Type! defaultValue: String isDeprecated: Boolean! deprecationReason: String
}
type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String }
type __Directive {
  name: String! description: String isRepeatable: Boolean! locations: [__DirectiveLocation!]!
  args(includeDeprecated: Boolean = false): [__InputValue!]!
}
enum __DirectiveLocation {
  QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT VARIABLE_DEFINITION SCHEMA SCALAR OBJECT
  FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE INPUT_OBJECT INPUT_FIELD_DEFINITION
}
"""


@cache
def _standard() -> Node:
    found = schema_document(_STANDARD)
    for definition in found["Definitions"]:
        definition["BuiltIn"] = True
    return found


def wrong(node: Node | None, message: str) -> NoReturn:
    """Refuse, with the place of a node where it has one."""
    place = (node or {}).get("Position")
    if isinstance(place, list) and len(place) == 2:
        raise located(message.removesuffix("."), place[0], place[1])
    raise BuiltinError(f"GraphQL parse error: {message}")


def parts(node: Node, name: str) -> list[Any]:
    """A list of a tree; one that is left out is empty.

    Raises:
        BuiltinError: it is none.
    """
    found = node.get(name) or []
    if not isinstance(found, list) or not all(isinstance(item, (dict, str)) for item in found):
        raise BuiltinError(f"GraphQL parse error: {name} is no list of objects")
    return found


def word(node: Node, name: str) -> str:
    found = node.get(name) or ""
    if not isinstance(found, str):
        raise BuiltinError(f"GraphQL parse error: {name} is no string")
    return found


def base(kind: Node | None) -> str:
    """The name inside lists."""
    depth = 0
    while isinstance(kind, dict) and isinstance(kind.get("Elem"), dict) and not kind.get("NamedType"):
        kind = kind["Elem"]
        depth += 1
        if depth > 100:
            raise BuiltinError("GraphQL parse error: a type is nested too deep")
    return word(kind, "NamedType") if isinstance(kind, dict) else ""


def shown(kind: Node | None) -> str:
    if not isinstance(kind, dict):
        return ""
    inner = kind.get("Elem")
    text = f"[{shown(inner)}]" if isinstance(inner, dict) and not kind.get("NamedType") else word(kind, "NamedType")
    return f"{text}!" if kind.get("NonNull") else text


def named(nodes: list[Any], name: str) -> Node | None:
    return next((node for node in nodes if isinstance(node, dict) and node.get("Name") == name), None)


class Schema:
    """A schema, ready to be asked.

    Attributes:
        types: by name; extensions are in.
        directives: by name.
        roots: operation → type.
    """

    def __init__(self) -> None:
        self.types: dict[str, Node] = {}
        self.directives: dict[str, Node] = {}
        self.roots: dict[str, Node] = {}
        self.possible: dict[str, list[str]] = {}

    def kind(self, name: str) -> str:
        return word(self.types.get(name, {}), "Kind")

    def fields(self, name: str) -> list[Any]:
        return parts(self.types.get(name, {}), "Fields")


def converted(document: Node) -> Schema:
    """A schema of its tree and what every schema has.

    Raises:
        BuiltinError: it breaks a rule.
    """
    schema = Schema()
    standard = _standard()
    _declare(schema, [*standard["Definitions"], *parts(document, "Definitions")], parts(document, "Extensions"))
    for directive in [*standard["Directives"], *parts(document, "Directives")]:
        name = word(directive, "Name")
        if name in schema.directives and name not in _REPEATED:
            wrong(directive, f"Cannot redeclare directive {name}.")
        schema.directives[name] = directive
    given = parts(document, "Schema")
    if len(given) > 1:
        wrong(given[1], "Cannot have multiple schema entry points, consider schema extensions instead.")
    for node in [*given, *parts(document, "SchemaExtension")]:
        for entry in parts(node, "OperationTypes"):
            kind = schema.types.get(word(entry, "Type"))
            if kind is None:
                operation, name = word(entry, "Operation"), word(entry, "Type")
                wrong(entry, f"Schema root {operation} refers to a type {name} that does not exist.")
            schema.roots[word(entry, "Operation")] = kind
        _directives(schema, parts(node, "Directives"), "SCHEMA")
    for name in sorted(schema.types):
        _definition(schema, schema.types[name])
    for name in sorted(schema.directives):
        _name(schema.directives[name])
        _arguments(schema, parts(schema.directives[name], "Arguments"), name)
    if not given:
        for operation in ("Query", "Mutation", "Subscription"):
            if operation in schema.types:
                schema.roots.setdefault(operation.lower(), schema.types[operation])
    return schema


def _declare(schema: Schema, definitions: list[Any], extensions: list[Any]) -> None:
    if len(definitions) > MAX_TYPES:
        raise BuiltinError("GraphQL parse error: too many types")
    for definition in definitions:
        name = word(definition, "Name")
        if name in schema.types:
            wrong(definition, f"Cannot redeclare type {name}.")
        schema.types[name] = {**definition, **{part: list(parts(definition, part)) for part in _LISTS}}
    for extension in extensions:
        name, kind = word(extension, "Name"), word(extension, "Kind")
        known = schema.types.setdefault(name, {"Kind": kind, "Name": name, "Position": extension.get("Position")})
        if known["Kind"] != kind:
            wrong(extension, f"Cannot extend type {name} because the base type is a {known['Kind']}, not {kind}.")
        for part in _LISTS:
            known[part] = [*parts(known, part), *parts(extension, part)]
    for name, definition in schema.types.items():
        if definition["Kind"] == "UNION":
            schema.possible.setdefault(name, []).extend(parts(definition, "Types"))
        elif definition["Kind"] in {"OBJECT", "INPUT_OBJECT", "INTERFACE"}:
            for interface in parts(definition, "Interfaces"):
                schema.possible.setdefault(interface, []).append(name)
            if definition["Kind"] != "INTERFACE":
                schema.possible.setdefault(name, []).append(name)


def _name(node: Node) -> None:
    name = word(node, "Name")
    if name.startswith("__"):
        wrong(node, f'Name "{name}" must not begin with "__", which is reserved by GraphQL introspection.')


def _typed(schema: Schema, node: Node) -> str:
    name = base(node.get("Type"))
    if name not in schema.types:
        wrong(node["Type"] if isinstance(node.get("Type"), dict) else node, f"Undefined type {name}.")
    return name


def _definition(schema: Schema, definition: Node) -> None:
    kind, name = definition["Kind"], word(definition, "Name")
    where = "INPUT_FIELD_DEFINITION" if kind == "INPUT_OBJECT" else "FIELD_DEFINITION"
    for field in parts(definition, "Fields"):
        _name(field)
        _typed(schema, field)
        _arguments(schema, parts(field, "Arguments"), "")
        _directives(schema, parts(field, "Directives"), where)
    for member in parts(definition, "Types"):
        if member not in schema.types:
            wrong(definition, f'Undefined type "{member}".')
        if schema.kind(member) != "OBJECT":
            wrong(definition, f'{kind} type "{member}" must be OBJECT.')
    for interface in parts(definition, "Interfaces"):
        _implements(schema, definition, interface)
    _contents(schema, definition)
    _once(definition, "Fields", "Field {type}.{name} can only be defined once.")
    _once(definition, "EnumValues", "Enum value {type}.{name} can only be defined once.")
    members = parts(definition, "Types")
    twice = next((member for number, member in enumerate(members) if member in members[:number]), None)
    if twice is not None:
        wrong(definition, f"Union type {name} can only include type {twice} once.")
    if not definition.get("BuiltIn"):
        _name(definition)
    _directives(schema, parts(definition, "Directives"), kind, several=True)


def _once(definition: Node, part: str, message: str) -> None:
    seen: set[str] = set()
    for item in parts(definition, part):
        name = word(item, "Name")
        if name in seen:
            wrong(item, message.format(type=word(definition, "Name"), name=name))
        seen.add(name)


def _contents(schema: Schema, definition: Node) -> None:
    kind, name = definition["Kind"], word(definition, "Name")
    fields = parts(definition, "Fields")
    if kind in {"OBJECT", "INTERFACE"}:
        if not fields:
            wrong(definition, f"{kind} {name}: must define one or more fields.")
        for field in fields:
            if schema.kind(base(field["Type"])) not in _OUTPUT:
                wrong(field, f"{kind} {name}: field must be one of {', '.join(_OUTPUT)}.")
    elif kind == "ENUM":
        values = parts(definition, "EnumValues")
        if not values:
            wrong(definition, f"{kind} {name}: must define one or more unique enum values.")
        for value in values:
            if word(value, "Name") in {"true", "false", "null"}:
                wrong(definition, f"{kind} {name}: non-enum value {value['Name']}.")
            _directives(schema, parts(value, "Directives"), "ENUM_VALUE")
    elif kind == "INPUT_OBJECT":
        if not fields:
            wrong(definition, f"{kind} {name}: must define one or more input fields.")
        for field in fields:
            found = schema.kind(base(field["Type"]))
            if found not in _INPUT:
                wrong(field, f"{found} {word(field, 'Name')}: field must be one of {', '.join(_INPUT)}.")


def _arguments(schema: Schema, arguments: list[Any], directive: str) -> None:
    for argument in arguments:
        _name(argument)
        found = schema.kind(_typed(schema, argument))
        if found not in _INPUT:
            text = f"cannot use {shown(argument['Type'])} as argument {argument['Name']}"
            wrong(argument, f"{text} because {found} is not a valid input type")
        _directives(schema, parts(argument, "Directives"), "ARGUMENT_DEFINITION", directive)


def _directives(
    schema: Schema, directives: list[Any], location: str, current: str = "", *, several: bool = False
) -> None:
    seen: set[str] = set()
    for directive in directives:
        _name(directive)
        name = word(directive, "Name")
        if current and name == current:
            wrong(directive, f"Directive {name} cannot refer to itself.")
        known = schema.directives.get(name)
        if known is None:
            wrong(directive, f"Undefined directive {name}.")
        if name in seen and not several and not known.get("IsRepeatable"):
            wrong(directive, f"The directive {name} can only be used once at this location.")
        seen.add(name)
        if location not in parts(known, "Locations"):
            wrong(directive, f"Directive {name} is not applicable on {location}.")
        given = parts(directive, "Arguments")
        for argument in given:
            if named(parts(known, "Arguments"), word(argument, "Name")) is None:
                wrong(argument, f"Undefined argument {argument['Name']} for directive {name}.")
        for needed in parts(known, "Arguments"):
            if needed["Type"].get("NonNull") and needed.get("DefaultValue") is None:
                found = named(given, word(needed, "Name"))
                if found is None or found["Value"].get("Kind") == NULL:
                    wrong(directive, f"Argument {needed['Name']} for directive {name} cannot be null.")


# Interfaces


def _implements(schema: Schema, definition: Node, name: str) -> None:
    own = word(definition, "Name")
    interface = schema.types.get(name)
    if interface is None:
        wrong(definition, f'Undefined type "{name}".')
    if interface["Kind"] != "INTERFACE":
        wrong(definition, f'"{name}" is a non interface type {interface["Kind"]}.')
    for required in parts(interface, "Fields"):
        field = named(parts(definition, "Fields"), word(required, "Name"))
        text = f"For {own} to implement {name}"
        if field is None:
            wrong(definition, f"{text} it must have a field called {required['Name']}.")
        if not _covariant(schema, required["Type"], field["Type"]):
            wrong(field, f"{text} the field {required['Name']} must have type {shown(required['Type'])}.")
        _same_arguments(required, field, text)
    for further in parts(interface, "Interfaces"):
        if further not in parts(definition, "Interfaces"):
            if further == own:
                wrong(definition, f"Type {own} cannot implement {name} because it would create a circular reference.")
            wrong(definition, f"Type {own} must implement {further} because it is implemented by {name}.")


def _same_arguments(required: Node, field: Node, text: str) -> None:
    name = word(required, "Name")
    for argument in parts(required, "Arguments"):
        found = named(parts(field, "Arguments"), word(argument, "Name"))
        message = f"{text} the field {name} must have the same arguments but"
        if found is None:
            wrong(field, f"{message} it is missing {argument['Name']}.")
        if not compatible(argument["Type"], found["Type"]):
            wrong(found, f"{message} {argument['Name']} has the wrong type.")
    for argument in parts(field, "Arguments"):
        needed = argument["Type"].get("NonNull") and argument.get("DefaultValue") is None
        if needed and named(parts(required, "Arguments"), word(argument, "Name")) is None:
            message = f"{text} any additional arguments on {name} must be optional or have a default value but"
            wrong(argument, f"{message} {argument['Name']} is required.")


def compatible(kind: Node, other: Node) -> bool:
    """Whether a value of the first may stand where the other is wanted."""
    if word(kind, "NamedType") != word(other, "NamedType"):
        return False
    one, two = kind.get("Elem"), other.get("Elem")
    if isinstance(one, dict) is not isinstance(two, dict):
        return False
    if isinstance(one, dict) and isinstance(two, dict) and not compatible(one, two):
        return False
    return bool(not other.get("NonNull") or kind.get("NonNull"))


def _covariant(schema: Schema, required: Node, actual: Node) -> bool:
    if required.get("NonNull") and not actual.get("NonNull"):
        return False
    name = word(required, "NamedType")
    if name:
        found = word(actual, "NamedType")
        return name == found or found in schema.possible.get(name, ())
    one, two = required.get("Elem"), actual.get("Elem")
    return isinstance(one, dict) and isinstance(two, dict) and _covariant(schema, one, two)


# Fields that every type has, and those of the query alone

_TYPENAME: Node = {"Name": "__typename", "Type": {"NamedType": "String", "NonNull": True}}
_INTROSPECTION: tuple[Node, ...] = (
    {"Name": "__schema", "Type": {"NamedType": "__Schema", "NonNull": True}},
    {
        "Name": "__type",
        "Type": {"NamedType": "__Type"},
        "Arguments": [{"Name": "name", "Type": {"NamedType": "String", "NonNull": True}}],
    },
)


def field_of(schema: Schema, parent: str, name: str) -> Node | None:
    """The definition of a field of a type."""
    if name == "__typename" and schema.kind(parent) in _COMPOSITE:
        return _TYPENAME
    query = schema.roots.get("query")
    if query is not None and parent == word(query, "Name"):
        own = named(list(_INTROSPECTION), name)
        if own is not None:
            return own
    return named(schema.fields(parent), name)
