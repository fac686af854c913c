"""Rules by the paths of their documents. Rules that make one document together are a group."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego.failures import TYPE, failure
from bulkhead.engines.rego.syntax import Module, Rule, String, Term

Path = tuple[str, ...]
Kind = Literal["value", "function", "set", "object"]


class Entry(msgspec.Struct, frozen=True):
    """A rule with the module that it stands in."""

    rule: Rule
    module: Module

    def failed(self, message: str, kind: str = TYPE) -> ExpressionError:
        return failure(self.module.text, self.module.path, self.rule.at, message, kind=kind)


class Group(msgspec.Struct):
    """One document, or one function.

    Attributes:
        path: below ``data``.
        kind: ``object`` is a document with keys that are computed; the others are what they are called.
        entries: its rules, defaults among them.
        arity: of a function.
    """

    path: Path
    kind: Kind
    entries: list[Entry]
    arity: int = 0

    def rest(self, rule: Rule, module: Module) -> tuple[Term, ...]:
        """The keys of a rule's path below the group's."""
        return (*map(_string, module.package), *rule.path)[len(self.path) :]


class Node(msgspec.Struct):
    children: dict[str, Node] = msgspec.field(default_factory=dict)
    group: Group | None = None


def _string(name: str) -> Term:
    return String(0, name)


def tree(modules: Iterable[Module]) -> Node:
    """The tree of all packages and rules.

    Raises:
        ExpressionError: two rules contradict each other in what they are.
    """
    entries = [(Entry(rule, module), _static(rule, module)) for module in modules for rule in module.rules]
    computed = {path for entry, path in entries if _is_computed(entry.rule)}
    found: dict[Path, Group] = {}
    for entry, path in entries:
        owner = next((path[:size] for size in range(len(path) + 1) if path[:size] in computed), path)
        kind = _kind(entry.rule, owner in computed)
        group = found.setdefault(owner, Group(owner, kind, []))
        if group.kind != kind:
            raise entry.failed(f"conflicting rules data.{'.'.join(owner)} found")
        _suits(group, entry)
        group.entries.append(entry)
    root = Node()
    for module in modules:
        _at(root, module.package)
    for path, group in found.items():
        node = _at(root, path)
        node.group = group
    _without_conflicts(root, None)
    return root


def _suits(group: Group, entry: Entry) -> None:
    arity = len(entry.rule.arguments or ())
    if group.kind == "function":
        if not group.entries:
            group.arity = arity
        elif group.arity != arity:
            raise entry.failed(f"conflicting rules data.{'.'.join(group.path)} found")
    if entry.rule.default and group.kind != "object" and any(item.rule.default for item in group.entries):
        raise entry.failed(f"multiple default rules data.{'.'.join(group.path)} found")


def _at(root: Node, path: Path) -> Node:
    node = root
    for name in path:
        node = node.children.setdefault(name, Node())
    return node


def _static(rule: Rule, module: Module) -> Path:
    """The path up to the first key that is computed."""
    found = list(module.package)
    for key in rule.path:
        if not isinstance(key, String):
            break
        found.append(key.value)
    return tuple(found)


def _is_computed(rule: Rule) -> bool:
    return not all(isinstance(key, String) for key in rule.path)


def _kind(rule: Rule, computed: bool) -> Kind:  # noqa: FBT001 (one of two)
    if computed:
        return "object"
    if rule.arguments is not None:
        return "function"
    return "set" if rule.member is not None else "value"


def _without_conflicts(node: Node, above: Group | None) -> None:
    if node.group is not None:
        if above is not None:
            raise node.group.entries[0].failed(
                f"rule data.{'.'.join(node.group.path)} conflicts with data.{'.'.join(above.path)}"
            )
        above = node.group
    for child in node.children.values():
        _without_conflicts(child, above)
