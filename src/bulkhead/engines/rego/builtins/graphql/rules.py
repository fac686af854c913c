"""Whether a document holds against a schema (GraphQL, 5): names, fields, fragments, directives and variables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bulkhead.engines.rego.builtins.graphql import merging, values
from bulkhead.engines.rego.builtins.graphql.parser import NULL, Node
from bulkhead.engines.rego.builtins.graphql.schema import Schema, base, field_of, named, parts, shown, word, wrong
from bulkhead.engines.rego.errors import BudgetError, BuiltinError

MAX_STEPS = 200_000
_MAX_LISTS = 3
_DEEP = frozenset({"fields", "interfaces", "possibleTypes", "inputFields"})
_COMPOSITE = frozenset({"OBJECT", "INTERFACE", "UNION"})
_LEAVES = frozenset({"SCALAR", "ENUM"})


def validate(schema: Schema, document: Node) -> None:
    """Hold a document against a schema.

    Raises:
        BuiltinError: it breaks a rule.
    """
    try:
        _Check(schema, document).whole()
    except (TypeError, KeyError, AttributeError) as error:
        # A tree that a policy made may lack anything.
        raise BuiltinError(f"GraphQL parse error: a tree is malformed: {error}") from None
    except RecursionError:
        raise BudgetError("a GraphQL document is nested too deep") from None


class _Check:
    def __init__(self, schema: Schema, document: Node) -> None:
        self.schema = schema
        self.operations = parts(document, "Operations")
        self.fragments = {word(node, "Name"): node for node in parts(document, "Fragments")}
        self._document = document
        self._left = MAX_STEPS
        self._used_fragments: set[str] = set()
        self._variables: dict[str, Node] | None = None
        self._used: set[str] = set()

    def whole(self) -> None:
        self._names()
        self._cycles()
        for operation in self.operations:
            self._operation(operation)
        for fragment in self.fragments.values():
            self._variables = None
            self._fragment(fragment)
        unused = next((node for name, node in self.fragments.items() if name not in self._used_fragments), None)
        if unused is not None:
            wrong(unused, f'Fragment "{unused["Name"]}" is never used.')
        for node in (*self.operations, *self.fragments.values()):
            merging.check(self.schema, self.fragments, node, self._parent(node))

    def step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise BudgetError("a GraphQL document is too large")

    # Names

    def _names(self) -> None:
        names = [word(node, "Name") for node in self.operations]
        for number, (node, name) in enumerate(zip(self.operations, names, strict=True)):
            if not name and len(names) > 1:
                wrong(node, "This anonymous operation must be the only defined operation.")
            if name and name in names[:number]:
                wrong(node, f'There can be only one operation named "{name}".')
        seen: set[str] = set()
        for node in parts(self._document, "Fragments"):
            name = word(node, "Name")
            if name in seen:
                wrong(node, f'There can be only one fragment named "{name}".')
            seen.add(name)

    def _spreads(self, selections: list[Any]) -> Iterable[str]:
        for node in selections:
            self.step()
            if _is_spread(node):
                yield word(node, "Name")
            else:
                yield from self._spreads(parts(node, "SelectionSet"))

    def _cycles(self) -> None:
        below = {name: set(self._spreads(parts(node, "SelectionSet"))) for name, node in self.fragments.items()}
        for name, direct in below.items():
            seen: set[str] = set()
            stack = list(direct)
            while stack:
                inner = stack.pop()
                if inner == name:
                    wrong(self.fragments[name], f'Cannot spread fragment "{name}" within itself.')
                if inner in below and inner not in seen:
                    seen.add(inner)
                    stack += below[inner]

    # Operations and fragments

    def _parent(self, node: Node) -> str:
        if "TypeCondition" in node:
            return word(node, "TypeCondition")
        return word(self.schema.roots.get(word(node, "Operation") or "query", {}), "Name")

    def _operation(self, operation: Node) -> None:
        kind = word(operation, "Operation") or "query"
        if kind not in self.schema.roots:
            wrong(operation, f'Schema does not support operation type "{kind}"')
        self._variables, self._used = {}, set()
        for variable in parts(operation, "VariableDefinitions"):
            self._variable(variable)
        parent = self._parent(operation)
        self._directives(parts(operation, "Directives"), kind.upper())
        self._selections(parts(operation, "SelectionSet"), parent, set())
        if kind == "subscription":
            self._single(operation)
        for name, variable in self._variables.items():
            if name not in self._used:
                shown_name = word(operation, "Name")
                where = f' in operation "{shown_name}"' if shown_name else ""
                wrong(variable, f'Variable "${name}" is never used{where}.')

    def _variable(self, variable: Node) -> None:
        assert self._variables is not None
        name = word(variable, "Variable")
        if name in self._variables:
            wrong(variable, f'There can be only one variable named "${name}".')
        kind = base(variable["Type"])
        self._known_type(variable, kind)
        if self.schema.kind(kind) not in {"SCALAR", "ENUM", "INPUT_OBJECT"}:
            wrong(variable, f'Variable "${name}" cannot be non-input type "{shown(variable["Type"])}".')
        self._variables[name] = variable
        default = variable.get("DefaultValue")
        if default is not None:
            values.check(self.schema, default, variable["Type"], None, self._value)
        self._directives(parts(variable, "Directives"), "VARIABLE_DEFINITION")

    def _known_type(self, node: Node, name: str) -> None:
        if name not in self.schema.types:
            wrong(node, f'Unknown type "{name}".')

    def _fragment(self, fragment: Node) -> None:
        name = word(fragment, "TypeCondition")
        self._known_type(fragment, name)
        if self.schema.kind(name) not in _COMPOSITE:
            text = f'Fragment "{word(fragment, "Name")}" cannot condition on non composite type "{name}".'
            wrong(fragment, text)
        self._directives(parts(fragment, "Directives"), "FRAGMENT_DEFINITION")
        self._selections(parts(fragment, "SelectionSet"), name, set(self.fragments))

    # Selections

    def _selections(self, selections: list[Any], parent: str, entered: set[str]) -> None:
        for node in selections:
            self.step()
            if _is_spread(node):
                self._spread(node, parent, entered)
            elif "TypeCondition" in node and "Name" not in node:
                self._inline(node, parent, entered)
            else:
                self._field(node, parent, entered)

    def _spread(self, node: Node, parent: str, entered: set[str]) -> None:
        name = word(node, "Name")
        fragment = self.fragments.get(name)
        if fragment is None:
            wrong(node, f'Unknown fragment "{name}".')
        self._used_fragments.add(name)
        condition = word(fragment, "TypeCondition")
        self._possible(node, parent, condition, f'Fragment "{name}"')
        self._directives(parts(node, "Directives"), "FRAGMENT_SPREAD")
        if name not in entered:
            entered.add(name)
            self._directives(parts(fragment, "Directives"), "FRAGMENT_DEFINITION")
            self._selections(parts(fragment, "SelectionSet"), condition, entered)

    def _inline(self, node: Node, parent: str, entered: set[str]) -> None:
        condition = word(node, "TypeCondition")
        if condition:
            self._known_type(node, condition)
            if self.schema.kind(condition) not in _COMPOSITE:
                wrong(node, f'Fragment cannot condition on non composite type "{condition}".')
            self._possible(node, parent, condition, "Fragment")
        self._directives(parts(node, "Directives"), "INLINE_FRAGMENT")
        self._selections(parts(node, "SelectionSet"), condition or parent, entered)

    def _possible(self, node: Node, parent: str, condition: str, what: str) -> None:
        """Whether an object of the one type can be one of the other."""
        if self.schema.kind(parent) not in _COMPOSITE or self.schema.kind(condition) not in _COMPOSITE:
            return
        here = {parent} if self.schema.kind(parent) == "OBJECT" else set(self.schema.possible.get(parent, ()))
        if not here & set(self.schema.possible.get(condition, ())):
            text = f'{what} cannot be spread here as objects of type "{parent}" can never be of type "{condition}".'
            wrong(node, text)

    def _field(self, node: Node, parent: str, entered: set[str]) -> None:
        name = word(node, "Name")
        known = field_of(self.schema, parent, name)
        if known is None:
            wrong(node, f'Cannot query field "{name}" on type "{parent}".')
        self._arguments(node, parts(known, "Arguments"), f'Field "{name}"', f'field "{parent}.{name}"')
        kind = base(known["Type"])
        self._directives(parts(node, "Directives"), "FIELD")
        inner = parts(node, "SelectionSet")
        if self.schema.kind(kind) in _LEAVES and inner:
            wrong(node, f'Field "{name}" must not have a selection since type "{kind}" has no subfields.')
        if self.schema.kind(kind) not in _LEAVES and not inner:
            wrong(node, f'Field "{name}" of type "{shown(known["Type"])}" must have a selection of subfields.')
        if name in {"__schema", "__type"}:
            self._introspection(node, inner, 0, ())
        self._selections(inner, kind, entered)

    def _introspection(self, node: Node, selections: list[Any], depth: int, inside: tuple[str, ...]) -> None:
        for inner in selections:
            self.step()
            name = word(inner, "Name")
            if _is_spread(inner):
                if name in self.fragments and name not in inside:
                    body = parts(self.fragments[name], "SelectionSet")
                    self._introspection(node, body, depth, (*inside, name))
                continue
            deeper = depth + (name in _DEEP)
            if deeper >= _MAX_LISTS:
                wrong(node, "Maximum introspection depth exceeded")
            self._introspection(node, parts(inner, "SelectionSet"), deeper, inside)

    def _single(self, operation: Node) -> None:
        name = word(operation, "Name")
        text = f'Subscription "{name}"' if name else "Anonymous Subscription"
        found = list(dict.fromkeys(self._top(parts(operation, "SelectionSet"), set())))
        if len(found) > 1:
            wrong(operation, f"{text} must select only one top level field.")
        if any(field.startswith("__") for field in found):
            wrong(operation, f"{text} must not select an introspection top level field.")

    def _top(self, selections: list[Any], inside: set[str]) -> Iterable[str]:
        for node in selections:
            if _is_spread(node):
                name = word(node, "Name")
                if name not in inside:
                    inside.add(name)
                    yield from self._top(parts(self.fragments[name], "SelectionSet"), inside)
            elif "TypeCondition" in node and "Name" not in node:
                yield from self._top(parts(node, "SelectionSet"), inside)
            else:
                yield word(node, "Name")

    # Arguments and directives

    def _arguments(self, node: Node, known: list[Any], what: str, of: str) -> None:
        seen: set[str] = set()
        for argument in parts(node, "Arguments"):
            name = word(argument, "Name")
            definition = named(known, name)
            if definition is None:
                wrong(argument, f'Unknown argument "{name}" on {of}.')
            if name in seen:
                wrong(argument, f'There can be only one argument named "{name}".')
            seen.add(name)
            values.check(
                self.schema, argument["Value"], definition["Type"], definition.get("DefaultValue"), self._value
            )
        for definition in known:
            name = word(definition, "Name")
            if definition["Type"].get("NonNull") and definition.get("DefaultValue") is None and name not in seen:
                kind = shown(definition["Type"])
                wrong(node, f'{what} argument "{name}" of type "{kind}" is required, but it was not provided.')

    def _directives(self, directives: list[Any], location: str) -> None:
        seen: set[str] = set()
        for directive in directives:
            self.step()
            name = word(directive, "Name")
            known = self.schema.directives.get(name)
            if known is None:
                wrong(directive, f'Unknown directive "@{name}".')
            if location not in parts(known, "Locations"):
                wrong(directive, f'Directive "@{name}" may not be used on {location}.')
            if name in seen and not known.get("IsRepeatable"):
                wrong(directive, f'The directive "@{name}" can only be used once at this location.')
            seen.add(name)
            of = f'directive "@{name}"'
            self._arguments(directive, parts(known, "Arguments"), f'Directive "@{name}"', of)

    def _value(self, value: Node, expected: Node | None, default: Node | None, *, one_of: str = "") -> None:
        """A variable stands here."""
        if self._variables is None:
            return
        name = word(value, "Raw")
        variable = self._variables.get(name)
        if variable is None:
            wrong(value, f'Variable "${name}" is not defined.')
        self._used.add(name)
        if one_of and not variable["Type"].get("NonNull"):
            text = f'Variable "${name}" is of type "{shown(variable["Type"])}" but must be non-nullable to be used for'
            wrong(value, f'{text} OneOf Input Object "{one_of}".')
        if expected is None:
            return
        kind = dict(expected)
        given = variable.get("DefaultValue")
        if (given is not None and given.get("Kind") != NULL) or (default is not None and default.get("Kind") != NULL):
            kind["NonNull"] = False
        if not values.fits(variable["Type"], kind):
            text = f'Variable "${name}" of type "{shown(variable["Type"])}" used in position expecting type'
            wrong(value, f'{text} "{shown(expected)}".')


Stands = Callable[..., None]


def _is_spread(node: Node) -> bool:
    """A spread has a name and neither alias nor fields."""
    return "Name" in node and "Alias" not in node and "TypeCondition" not in node
