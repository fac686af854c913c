"""Fields of one name in one answer must be one field (GraphQL, 5.3.2)."""

from __future__ import annotations

from typing import Any

import msgspec

from bulkhead.engines.rego.builtins.graphql.parser import Node
from bulkhead.engines.rego.builtins.graphql.schema import Schema, base, field_of, named, parts, shown, word, wrong
from bulkhead.engines.rego.errors import BudgetError

MAX_PAIRS = 100_000
_LEAVES = frozenset({"SCALAR", "ENUM"})


class _Placed(msgspec.Struct, frozen=True):
    """A field with the type that it is asked of."""

    node: Any
    parent: str


class _Merging:
    def __init__(self, schema: Schema, fragments: dict[str, Node]) -> None:
        self.schema = schema
        self.fragments = fragments
        self._left = MAX_PAIRS

    def gathered(self, selections: list[Any], parent: str) -> dict[str, list[_Placed]]:
        """Fields by the name that they answer to, those of fragments too."""
        found: dict[str, list[_Placed]] = {}
        self._gather(selections, parent, found, set())
        return found

    def _gather(self, selections: list[Any], parent: str, found: dict[str, list[_Placed]], seen: set[str]) -> None:
        for node in selections:
            self._left -= 1
            if self._left < 0:
                raise BudgetError("a GraphQL document is too large")
            condition = word(node, "TypeCondition")
            if "Alias" in node:
                found.setdefault(word(node, "Alias") or word(node, "Name"), []).append(_Placed(node, parent))
            elif "TypeCondition" in node:
                self._gather(parts(node, "SelectionSet"), condition or parent, found, seen)
            elif word(node, "Name") in self.fragments and word(node, "Name") not in seen:
                seen.add(word(node, "Name"))
                fragment = self.fragments[word(node, "Name")]
                self._gather(parts(fragment, "SelectionSet"), word(fragment, "TypeCondition"), found, seen)

    def check(self, sets: list[tuple[list[Any], str]], *, exclusive: bool) -> None:
        """Selections that come together in one answer."""
        found: dict[str, list[tuple[int, _Placed]]] = {}
        for number, (selections, parent) in enumerate(sets):
            for name, fields in self.gathered(selections, parent).items():
                found.setdefault(name, []).extend((number, field) for field in fields)
        for name, together in found.items():
            for at, (one_set, one) in enumerate(together):
                for other_set, other in together[at + 1 :]:
                    apart = exclusive and one_set != other_set
                    self._pair(name, one, other, exclusive=apart)

    def definition(self, field: _Placed) -> Node | None:
        return field_of(self.schema, field.parent, word(field.node, "Name"))

    def _pair(self, name: str, one: _Placed, other: _Placed, *, exclusive: bool) -> None:
        self._left -= 1
        if self._left < 0:
            raise BudgetError("a GraphQL document is too large")
        if one.node is other.node:
            return
        objects = self.schema.kind(one.parent) == self.schema.kind(other.parent) == "OBJECT"
        exclusive = exclusive or (one.parent != other.parent and objects)
        if not exclusive:
            first, second = word(one.node, "Name"), word(other.node, "Name")
            if first != second:
                self._conflict(other, name, f'"{first}" and "{second}" are different fields')
            if not _same_arguments(parts(one.node, "Arguments"), parts(other.node, "Arguments")):
                self._conflict(other, name, "they have differing arguments")
        left, right = self.definition(one), self.definition(other)
        if left is None or right is None:
            return
        if self._types_conflict(left["Type"], right["Type"]):
            text = f'they return conflicting types "{shown(left["Type"])}" and "{shown(right["Type"])}"'
            self._conflict(other, name, text)
        sets = [
            (parts(field.node, "SelectionSet"), base(definition["Type"]))
            for field, definition in ((one, left), (other, right))
        ]
        if all(selections for selections, _ in sets):
            self.check(sets, exclusive=exclusive)

    def _conflict(self, field: _Placed, name: str, text: str) -> None:
        hint = "Use different aliases on the fields to fetch both if this was intentional."
        wrong(field.node, f'Fields "{name}" conflict because {text}. {hint}')

    def _types_conflict(self, one: Node, other: Node) -> bool:
        first, second = one.get("Elem"), other.get("Elem")
        if isinstance(first, dict) or isinstance(second, dict):
            if not isinstance(first, dict) or not isinstance(second, dict):
                return True
            return self._types_conflict(first, second)
        if bool(one.get("NonNull")) is not bool(other.get("NonNull")):
            return True
        kinds = {self.schema.kind(base(one)), self.schema.kind(base(other))}
        return bool(kinds & _LEAVES) and base(one) != base(other)


def _same_arguments(one: list[Any], other: list[Any]) -> bool:
    if len(one) != len(other):
        return False
    for argument in one:
        found = named(other, word(argument, "Name"))
        if found is None or not _same_value(argument["Value"], found["Value"]):
            return False
    return True


def _same_value(one: Node, other: Node) -> bool:
    if one.get("Kind") != other.get("Kind") or one.get("Raw") != other.get("Raw"):
        return False
    mine, theirs = parts(one, "Children"), parts(other, "Children")
    return len(mine) == len(theirs) and all(
        word(a, "Name") == word(b, "Name") and _same_value(a["Value"], b["Value"])
        for a, b in zip(mine, theirs, strict=True)
    )


def check(schema: Schema, fragments: dict[str, Node], node: Node, parent: str) -> None:
    """Look at an operation or a fragment, and at every selection in it.

    Raises:
        BuiltinError: two fields of one name differ.
    """
    run = _Merging(schema, fragments)
    stack = [(parts(node, "SelectionSet"), parent)]
    while stack:
        selections, kind = stack.pop()
        run.check([(selections, kind)], exclusive=False)
        for inner in selections:
            below = parts(inner, "SelectionSet")
            if not below:
                continue
            if "Alias" in inner:
                definition = run.definition(_Placed(inner, kind))
                if definition is not None:
                    stack.append((below, base(definition["Type"])))
            else:
                stack.append((below, word(inner, "TypeCondition") or kind))
