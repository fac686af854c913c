"""Tokens to trees, with the field names of OPA's parser; what is empty is left out when a tree is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from bulkhead.engines.rego.builtins.graphql.lexer import Token, located, tokens
from bulkhead.engines.rego.errors import BuiltinError

MAX_DEPTH = 100
Node = dict[str, Any]
_Made = TypeVar("_Made")
_KINDS = {
    "scalar": "SCALAR", "type": "OBJECT", "interface": "INTERFACE", "union": "UNION", "enum": "ENUM", "input": "INPUT_OBJECT",
}  # fmt: skip
_VALUES = {"Int": 1, "Float": 2, "String": 3, "BlockString": 4}
VARIABLE, INT, FLOAT, STRING, BLOCK, BOOLEAN, NULL, ENUM, LIST, OBJECT = range(10)
LOCATIONS = frozenset(
    [
        "QUERY",
        "MUTATION",
        "SUBSCRIPTION",
        "FIELD",
        "FRAGMENT_DEFINITION",
        "FRAGMENT_SPREAD",
        "INLINE_FRAGMENT",
        "VARIABLE_DEFINITION",
        "SCHEMA",
        "SCALAR",
        "OBJECT",
        "FIELD_DEFINITION",
        "ARGUMENT_DEFINITION",
        "INTERFACE",
        "UNION",
        "ENUM",
        "ENUM_VALUE",
        "INPUT_OBJECT",
        "INPUT_FIELD_DEFINITION",
    ]
)


def query_document(source: str) -> Node:
    """The tree of operations and fragments.

    Raises:
        BuiltinError: the text is none.
    """
    return _Parser(source).query()


def schema_document(source: str) -> Node:
    """The tree of definitions and extensions.

    Raises:
        BuiltinError: the text is none.
    """
    return _Parser(source).schema()


def pruned(value: Any) -> Any:
    """The tree as it is shown: without places, and without what is empty."""
    if isinstance(value, list):
        return [item for item in map(pruned, value) if not _is_empty(item)]
    if isinstance(value, dict):
        found = ((name, pruned(item)) for name, item in value.items() if name != "Position")
        return {name: item for name, item in found if not _is_empty(item)}
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (list, dict)) and not value)


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens = tokens(source)
        self._depth = 0
        self.token = self._read()
        self.before = self.token

    def _read(self) -> Token:
        """The next token that is no comment."""
        token = next(self._tokens)
        while token.kind == "Comment":
            token = next(self._tokens)
        return token

    def next(self) -> Token:
        self.before = self.token
        if self.token.kind not in {"<EOF>", "<Invalid>"}:
            self.token = self._read()
        return self.before

    # Errors

    def _wrong(self, message: str, token: Token | None = None) -> NoReturn:
        at = token or self.token
        raise located(message, at.line, at.column)

    def unexpected(self, token: Token | None = None) -> NoReturn:
        self._wrong(f"Unexpected {token or self.token}", token)

    # Steps

    def expect(self, kind: str) -> Token:
        if self.token.kind != kind:
            self._wrong(f"Expected {kind}, found {self.token.kind}")
        return self.next()

    def keyword(self, word: str) -> None:
        if (self.token.kind, self.token.value) != ("Name", word):
            self._wrong(f'Expected "{word}", found {self.token}')
        self.next()

    def skip(self, kind: str) -> bool:
        if self.token.kind != kind:
            return False
        self.next()
        return True

    def some(self, opening: str, closing: str, part: Callable[[], _Made]) -> list[_Made]:
        """One or more parts in brackets, where there are any."""
        if not self.skip(opening):
            return []
        found = self._parts(closing, part)
        if not found:
            self._wrong(f"expected at least one definition, found {self.token.kind}")
        self.next()
        return found

    def _parts(self, closing: str, part: Callable[[], _Made]) -> list[_Made]:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BuiltinError("GraphQL parse error: nested too deep")
        found = []
        while self.token.kind != closing:
            found.append(part())
        self._depth -= 1
        return found

    def place(self) -> list[int]:
        return [self.token.line, self.token.column]

    def name(self) -> str:
        return self.expect("Name").value

    # Documents

    def query(self) -> Node:
        operations: list[Node] = []
        fragments: list[Node] = []
        while self.token.kind != "<EOF>":
            word = self.token.value if self.token.kind == "Name" else ""
            if self.token.kind == "{" or word in {"query", "mutation", "subscription"}:
                operations.append(self._operation())
            elif word == "fragment":
                fragments.append(self._fragment_definition())
            else:
                self.unexpected()
        return {"Operations": operations, "Fragments": fragments}

    def _operation(self) -> Node:
        made: Node = {"Position": self.place(), "Operation": "query", "Name": ""}
        if self.token.kind != "{":
            made["Operation"] = self.next().value
            if self.token.kind == "Name":
                made["Name"] = self.next().value
            made["VariableDefinitions"] = self.some("(", ")", self._variable_definition)
            made["Directives"] = self._directives(constant=False)
        made["SelectionSet"] = self._selections()
        return made

    def _variable_definition(self) -> Node:
        made: Node = {"Position": self.place(), "Variable": self._variable(), "Used": False}
        self.expect(":")
        made["Type"] = self._type()
        if self.skip("="):
            made["DefaultValue"] = self._value(constant=True)
        made["Directives"] = self._directives(constant=False)
        return made

    def _variable(self) -> str:
        self.expect("$")
        return self.name()

    def _selections(self) -> list[Node]:
        if self.token.kind != "{":
            self._wrong(f"Expected {{, found {self.token.kind}")
        return self.some("{", "}", self._selection)

    def _selection(self) -> Node:
        return self._fragment() if self.token.kind == "..." else self._field()

    def _field(self) -> Node:
        made: Node = {"Position": self.place(), "Alias": self.name()}
        made["Name"] = self.name() if self.skip(":") else made["Alias"]
        made["Arguments"] = self._arguments(constant=False)
        made["Directives"] = self._directives(constant=False)
        made["SelectionSet"] = self._selections() if self.token.kind == "{" else []
        return made

    def _fragment(self) -> Node:
        self.expect("...")
        made: Node = {"Position": self.place()}
        if self.token.kind == "Name" and self.token.value != "on":
            made["Name"] = self.name()
            made["Directives"] = self._directives(constant=False)
            return made
        made["TypeCondition"] = ""
        if self.token.value == "on":
            self.next()
            made["TypeCondition"] = self.name()
        made["Directives"] = self._directives(constant=False)
        made["SelectionSet"] = self._selections()
        return made

    def _fragment_definition(self) -> Node:
        made: Node = {"Position": self.place()}
        self.keyword("fragment")
        if self.token.value == "on":
            self.unexpected()
        made["Name"] = self.name()
        made["VariableDefinition"] = self.some("(", ")", self._variable_definition)
        self.keyword("on")
        made["TypeCondition"] = self.name()
        made["Directives"] = self._directives(constant=False)
        made["SelectionSet"] = self._selections()
        return made

    # Values, directives, types

    def _arguments(self, *, constant: bool) -> list[Node]:
        return self.some("(", ")", lambda: self._argument(constant=constant))

    def _argument(self, *, constant: bool) -> Node:
        made: Node = {"Position": self.place(), "Name": self.name()}
        self.expect(":")
        made["Value"] = self._value(constant=constant)
        return made

    def _value(self, *, constant: bool) -> Node:
        made: Node = {"Position": self.place(), "Raw": "", "ExpectedTypeHasDefault": False}
        token = self.token
        if token.kind == "[":
            self.next()
            made["Children"] = self._parts("]", lambda: {"Name": "", "Value": self._value(constant=constant)})
            self.next()
            return {**made, "Kind": LIST}
        if token.kind == "{":
            self.next()
            made["Children"] = self._parts("}", lambda: self._argument(constant=constant))
            self.next()
            return {**made, "Kind": OBJECT}
        if token.kind == "$":
            if constant:
                self.unexpected()
            return {**made, "Raw": self._variable(), "Kind": VARIABLE}
        if token.kind == "Name":
            kind = BOOLEAN if token.value in {"true", "false"} else (NULL if token.value == "null" else ENUM)
        elif token.kind in _VALUES:
            kind = _VALUES[token.kind]
        else:
            self.unexpected()
        self.next()
        return {**made, "Raw": token.value, "Kind": kind}

    def _directives(self, *, constant: bool) -> list[Node]:
        found = []
        while self.skip("@"):
            made: Node = {"Position": self.place(), "Name": self.name(), "Location": ""}
            made["Arguments"] = self._arguments(constant=constant)
            found.append(made)
        return found

    def _type(self) -> Node:
        if self.skip("["):
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise BuiltinError("GraphQL parse error: nested too deep")
            made: Node = {"Position": self.place(), "NamedType": "", "Elem": self._type()}
            self._depth -= 1
            self.expect("]")
        else:
            made = {"Position": self.place(), "NamedType": self.name()}
        made["NonNull"] = self.skip("!")
        return made

    # Schemas

    def schema(self) -> Node:
        doc: Node = {name: [] for name in ("Schema", "SchemaExtension", "Directives", "Definitions", "Extensions")}
        while self.token.kind != "<EOF>":
            text = self._description()
            described = self.before
            if self.token.kind != "Name":
                self.unexpected()
            word = self.token.value
            if word in _KINDS:
                doc["Definitions"].append(self._definition(text))
            elif word == "schema":
                doc["Schema"].append(self._schema_definition(text))
            elif word == "directive":
                doc["Directives"].append(self._directive_definition(text))
            elif word == "extend":
                if text:
                    self.unexpected(described)
                self._extension(doc)
            else:
                self.unexpected()
        return {**doc}

    def _description(self) -> str:
        return self.next().value if self.token.kind in {"String", "BlockString"} else ""

    def _schema_definition(self, text: str) -> Node:
        self.keyword("schema")
        made: Node = {"Position": self.place(), "Description": text}
        made["Directives"] = self._directives(constant=True)
        made["OperationTypes"] = self.some("{", "}", self._operation_type)
        return made

    def _operation_type(self) -> Node:
        made: Node = {"Position": self.place()}
        token = self.next()
        if token.value not in {"query", "mutation", "subscription"}:
            self.unexpected(token)
        made["Operation"] = token.value
        self.expect(":")
        made["Type"] = self.name()
        return made

    def _definition(self, text: str, *, extends: bool = False) -> Node:
        word = self.token.value
        self.keyword(word)
        made: Node = {"Position": self.place(), "Kind": _KINDS[word], "BuiltIn": False, "Description": text}
        made["Name"] = self.name()
        made["Interfaces"] = self._interfaces() if word == "type" or (word == "interface" and not extends) else []
        made["Directives"] = self._directives(constant=True)
        if word in {"type", "interface"}:
            made["Fields"] = self.some("{", "}", self._field_definition)
        elif word == "input":
            made["Fields"] = self.some("{", "}", self._input_value)
        elif word == "enum":
            made["EnumValues"] = self.some("{", "}", self._enum_value)
        elif word == "union":
            made["Types"] = self._members()
        return made

    def _interfaces(self) -> list[str]:
        if self.token.value != "implements" or self.token.kind != "Name":
            return []
        self.next()
        self.skip("&")
        found = [self.name()]
        while self.skip("&"):
            found.append(self.name())
        return found

    def _members(self) -> list[str]:
        if not self.skip("="):
            return []
        self.skip("|")
        found = [self.name()]
        while self.skip("|"):
            found.append(self.name())
        return found

    def _described(self) -> Node:
        text = self._description()
        return {"Position": self.place(), "Description": text, "Name": self.name()}

    def _field_definition(self) -> Node:
        made = self._described()
        made["Arguments"] = self.some("(", ")", self._input_value)
        self.expect(":")
        made["Type"] = self._type()
        made["Directives"] = self._directives(constant=True)
        return made

    def _input_value(self) -> Node:
        made = self._described()
        self.expect(":")
        made["Type"] = self._type()
        if self.skip("="):
            made["DefaultValue"] = self._value(constant=True)
        made["Directives"] = self._directives(constant=True)
        return made

    def _enum_value(self) -> Node:
        made = self._described()
        made["Directives"] = self._directives(constant=True)
        return made

    def _directive_definition(self, text: str) -> Node:
        self.keyword("directive")
        self.expect("@")
        made: Node = {"Position": self.place(), "Description": text, "Name": self.name()}
        made["Arguments"] = self.some("(", ")", self._input_value)
        made["IsRepeatable"] = (self.token.kind, self.token.value) == ("Name", "repeatable")
        if made["IsRepeatable"]:
            self.next()
        self.keyword("on")
        self.skip("|")
        made["Locations"] = [self._location()]
        while self.skip("|"):
            made["Locations"].append(self._location())
        return made

    def _location(self) -> str:
        token = self.expect("Name")
        if token.value not in LOCATIONS:
            self.unexpected(token)
        return token.value

    def _extension(self, doc: Node) -> None:
        self.keyword("extend")
        word = self.token.value if self.token.kind == "Name" else ""
        if word == "schema":
            made = self._schema_definition("")
            doc["SchemaExtension"].append(made)
        elif word in _KINDS:
            made = self._definition("", extends=True)
            doc["Extensions"].append(made)
        else:
            self.unexpected()
        filled = ("Interfaces", "Directives", "Fields", "Types", "EnumValues", "OperationTypes")
        if not any(made.get(name) for name in filled):
            self.unexpected()
