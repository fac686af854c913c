"""The types of an expression, before it is evaluated: what an API server would refuse when a policy is written.

It knows less than a server with schemas (objects are ``dyn``), and never refuses what it does not know: functions without a
signature here give ``dyn``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.cel import library
from bulkhead.engines.cel import syntax as s
from bulkhead.engines.cel.errors import CelError
from bulkhead.engines.cel.lexer import failure
from bulkhead.engines.cel.library.patterns import compiled
from bulkhead.engines.cel.types import (
    DURATION,
    DYN,
    FUNCTIONS,
    METHODS,
    NUMBERS,
    ORDERED,
    TIMESTAMP,
    Signature,
    Type,
    fits,
    joined,
    shown,
)
from bulkhead.engines.cel.values import UInt

_PACKAGES: Final = frozenset({"math", "lists", "sets", "strings", "base64", "format", "ip", "regex", "optional", "cel"})
_OPERATORS: Final = {
    "+": "_+_",
    "-": "_-_",
    "*": "_*_",
    "/": "_/_",
    "%": "_%_",
    "==": "_==_",
    "!=": "_!=_",
    "in": "@in",
}
Scope = Mapping[str, Type]


def check(text: str, node: s.Node, scope: Scope, methods: Mapping[str, tuple[Signature, ...]]) -> Type:
    """The type of an expression.

    Args:
        text: of the expression.
        node: its tree.
        scope: names of variables, dotted ones too, with their types.
        methods: of the caller's own types, by name.

    Raises:
        ExpressionError: in the words of the API server.
    """
    return _Checker(text, methods).visit(node, dict(scope))


class _Checker:
    def __init__(self, text: str, methods: Mapping[str, tuple[Signature, ...]]) -> None:
        self._text = text
        self._methods = methods

    def _failed(self, at: int, message: str) -> ExpressionError:
        return failure(self._text, at, message)

    def visit(self, node: s.Node, scope: dict[str, Type]) -> Type:
        return _VISITS[type(node)](self, node, scope)

    def constant(self, node: s.Constant, _: Any) -> Type:
        return _of_value(node.value)

    def name(self, node: s.Name, scope: dict[str, Type]) -> Type:
        if node.name in scope:
            return scope[node.name]
        if any(known.startswith(f"{node.name}.") for known in scope):
            return DYN
        if node.name in ("int", "uint", "double", "string", "bytes", "bool", "list", "map", "null_type", "type"):
            return "type"
        if node.name.startswith("@"):
            return DYN
        raise self._failed(node.at, f"undeclared reference to '{node.name}' (in container '')")

    def select(self, node: s.Select, scope: dict[str, Type]) -> Type:
        dotted = _dotted(node)
        if dotted in scope:
            return scope[dotted]
        operand = node.operand
        if (
            isinstance(operand, s.Name)
            and operand.name not in scope
            and any(name.startswith(f"{operand.name}.") for name in scope)
        ):
            raise self._failed(node.at, f"undefined field '{node.field}'")
        kind = self.visit(operand, scope)
        if node.optional:
            return ("optional_type", DYN)
        if isinstance(kind, tuple) and kind[0] == "map":
            return kind[-1]
        if kind == DYN or (isinstance(kind, tuple) and kind[0] == "optional_type"):
            return DYN if kind == DYN else kind
        raise self._failed(node.at, f"type '{shown(kind)}' does not support field selection")

    def has(self, node: s.Has, scope: dict[str, Type]) -> Type:
        if f"{_dotted(node.operand)}.{node.field}" not in scope:
            self.visit(node.operand, scope)
        return "bool"

    def index(self, node: s.Index, scope: dict[str, Type]) -> Type:
        kind = self.visit(node.operand, scope)
        self.visit(node.key, scope)
        inner: Type = kind[-1] if isinstance(kind, tuple) and kind[0] in ("list", "map") else DYN
        return ("optional_type", inner) if node.optional else inner

    def unary(self, node: s.Unary, scope: dict[str, Type]) -> Type:
        kind = self.visit(node.operand, scope)
        name, wanted = ("!_", ("bool",)) if node.operator == "!" else ("-_", ("int", "double"))
        if kind != DYN and kind not in wanted:
            raise self._overload(node.at, name, (kind,))
        return kind if node.operator == "-" else "bool"

    def binary(self, node: s.Binary, scope: dict[str, Type]) -> Type:
        left, right = self.visit(node.left, scope), self.visit(node.right, scope)
        result = _binary(node.operator, left, right)
        if result is None:
            raise self._overload(node.at, _OPERATORS.get(node.operator, f"_{node.operator}_"), (left, right))
        return result

    def logical(self, node: s.Logical, scope: dict[str, Type]) -> Type:
        for operand in node.operands:
            kind = self.visit(operand, scope)
            if kind not in (DYN, "bool"):
                raise self._overload(node.at, f"_{node.operator}_", (kind, "bool"))
        return "bool"

    def conditional(self, node: s.Conditional, scope: dict[str, Type]) -> Type:
        test = self.visit(node.test, scope)
        then, otherwise = self.visit(node.then, scope), self.visit(node.otherwise, scope)
        if test not in (DYN, "bool") or not (fits(then, otherwise) or "null_type" in (then, otherwise)):
            raise self._overload(node.at, "_?_:_", (test, then, otherwise))
        return joined(then, otherwise)

    def items(self, node: s.ListLiteral, scope: dict[str, Type]) -> Type:
        kinds = [self.visit(item.value, scope) for item in node.items]
        return ("list", _common(kinds))

    def entries(self, node: s.MapLiteral, scope: dict[str, Type]) -> Type:
        keys = [self.visit(entry.key, scope) for entry in node.entries]
        values = [self.visit(entry.value, scope) for entry in node.entries]
        return ("map", _common(keys), _common(values))

    def comprehension(self, node: s.Comprehension, scope: dict[str, Type]) -> Type:
        over = self.visit(node.over, scope)
        if over != DYN and (not isinstance(over, tuple) or over[0] not in ("list", "map")):
            raise self._failed(
                node.over.at,
                f"expression of type '{shown(over)}' cannot be range of a comprehension (must be list, map, or dynamic)",
            )
        is_list = isinstance(over, tuple) and over[0] == "list"
        value: Type = over[-1] if isinstance(over, tuple) else DYN
        key: Type = "int" if is_list else over[1] if isinstance(over, tuple) else DYN
        held = [value if is_list or over == DYN else key] if len(node.variables) == 1 else [key, value]
        inner = scope | dict(zip(node.variables, held, strict=True))
        if node.condition is not None:
            self._bool(node.condition, inner)
        body = self.visit(node.body, inner)
        if node.kind in ("all", "exists", "exists_one", "filter"):
            if body not in (DYN, "bool"):
                raise self._overload(node.at, "_&&_" if node.kind == "all" else "_||_", ("bool", body))
            return over if node.kind == "filter" else "bool"
        return (
            ("list", body)
            if node.kind == "map"
            else ("map", key, body)
            if node.kind == "transform_map"
            else ("map", DYN, DYN)
        )

    def _bool(self, node: s.Node, scope: dict[str, Type]) -> None:
        kind = self.visit(node, scope)
        if kind not in (DYN, "bool"):
            raise self._overload(node.at, "_?_:_", (kind,))

    def bind(self, node: s.Bind, scope: dict[str, Type]) -> Type:
        return self.visit(node.body, scope | {node.name: self.visit(node.value, scope)})

    def opened(self, node: s.Opened, scope: dict[str, Type]) -> Type:
        kind = self.visit(node.optional, scope)
        inner: Type = kind[1] if isinstance(kind, tuple) and kind[0] == "optional_type" else DYN
        body = self.visit(node.body, scope | {node.name: inner})
        return body if node.flat else ("optional_type", body)

    # Calls.

    def call(self, node: s.Call, scope: dict[str, Type]) -> Type:
        target = node.target
        prefix = _dotted(target) if target is not None else ""
        if (
            target is not None
            and prefix.partition(".")[0] not in scope
            and f"{prefix}.{node.name}" in _NAMED
            and prefix in _PACKAGES
        ):
            return self._function(node, f"{prefix}.{node.name}", scope)
        if target is None:
            return self._function(node, node.name, scope)
        receiver = self.visit(target, scope)
        kinds = (receiver, *(self.visit(item, scope) for item in node.arguments))
        at = node.at + 1 + len(node.name)
        signatures = self._methods.get(node.name) or METHODS.get(node.name)
        if signatures is None and not _is_method(node.name):
            raise self._failed(at, f"undeclared reference to '{node.name}' (in container '')")
        if signatures is None or receiver == DYN:
            self._pattern(node)
            return DYN if signatures is None else _common([result for _, result in signatures])
        return self._matched(at, node, signatures, kinds, method=True)

    def _function(self, node: s.Call, name: str, scope: dict[str, Type]) -> Type:
        kinds = tuple(self.visit(item, scope) for item in node.arguments)
        at = node.at + 1 + len(node.name) if node.target is not None else node.at + len(node.name)
        if name not in _NAMED and not name.startswith("@"):
            raise self._failed(at, f"undeclared reference to '{name}' (in container '')")
        signatures = FUNCTIONS.get(name)
        return DYN if signatures is None else self._matched(at, node, signatures, kinds, method=False)

    def _matched(
        self, at: int, node: s.Call, signatures: tuple[Signature, ...], kinds: tuple[Type, ...], *, method: bool
    ) -> Type:
        found = [
            result
            for wanted, result in signatures
            if len(wanted) == len(kinds) and all(fits(kind, want) for kind, want in zip(kinds, wanted, strict=True))
        ]
        if not found:
            raise self._overload(at, node.name, kinds, method=method)
        self._pattern(node)
        return _common(found)

    def _pattern(self, node: s.Call) -> None:
        """A pattern that is written down must be one."""
        if node.name == "matches" and node.arguments and isinstance(node.arguments[-1], s.Constant):
            pattern = node.arguments[-1]
            try:
                if isinstance(pattern.value, str):
                    compiled(pattern.value)
            except CelError:
                raise self._failed(pattern.at, "invalid matches argument") from None

    def _overload(self, at: int, name: str, kinds: tuple[Type, ...], *, method: bool = False) -> ExpressionError:
        if method:
            applied = f"{shown(kinds[0])}.({', '.join(map(shown, kinds[1:]))})"
        else:
            applied = f"({', '.join(map(shown, kinds))})"
        return self._failed(at, f"found no matching overload for '{name}' applied to '{applied}'")


_VISITS: Final[dict[type, Callable[[_Checker, Any, dict[str, Type]], Type]]] = {
    s.Constant: _Checker.constant, s.Name: _Checker.name, s.Select: _Checker.select, s.Has: _Checker.has, s.Index: _Checker.index,
    s.Call: _Checker.call, s.Unary: _Checker.unary, s.Binary: _Checker.binary, s.Logical: _Checker.logical,
    s.Conditional: _Checker.conditional, s.ListLiteral: _Checker.items, s.MapLiteral: _Checker.entries,
    s.Comprehension: _Checker.comprehension, s.Bind: _Checker.bind, s.Opened: _Checker.opened,
}  # fmt: skip
_NAMED: Final = (
    frozenset(name for name, _ in library.FUNCTIONS) | frozenset(FUNCTIONS) | frozenset({"dyn", "type", "optional.of", "optional.none", "optional.ofNonZeroValue"})
)  # fmt: skip


def _is_method(name: str) -> bool:
    return (
        name in library.MEMBERS
        or any(known == name for known, _ in library.METHODS)
        or name in ("startsWith", "endsWith", "contains", "matches", "size", "hasValue", "value", "orValue", "or")
    )


def _dotted(node: s.Node | None) -> str:
    if isinstance(node, s.Name):
        return node.name
    if isinstance(node, s.Select) and not node.optional:
        inner = _dotted(node.operand)
        return f"{inner}.{node.field}" if inner else ""
    return ""


def _of_value(value: Any) -> Type:
    if value is None:
        return "null_type"
    kinds = {bool: "bool", UInt: "uint", int: "int", float: "double", str: "string", bytes: "bytes"}
    return kinds[type(value)]


def _common(kinds: list[Type]) -> Type:
    return kinds[0] if kinds and all(kind == kinds[0] for kind in kinds) else DYN


def _binary(operator: str, left: Type, right: Type) -> Type | None:
    """The type of the result; None where there is no such operator for these."""
    both = DYN in (left, right)
    if operator in ("==", "!="):
        # Null is compared with whatever may be absent, which only messages and dyn are.
        return "bool" if fits(left, right) else None
    if operator == "in":
        if right == DYN:
            return "bool"
        if not isinstance(right, tuple) or right[0] not in ("list", "map"):
            return None
        return "bool" if fits(left, right[1]) else None
    if operator in ("<", "<=", ">", ">="):
        if both:
            other = left if right == DYN else right
            return "bool" if other == DYN or other in ORDERED else None
        return "bool" if (left == right and left in ORDERED) or (left in NUMBERS and right in NUMBERS) else None
    return _arithmetic(operator, left, right)


def _arithmetic(operator: str, left: Type, right: Type) -> Type | None:
    if DYN in (left, right):
        other = left if right == DYN else right
        if other == DYN:
            return DYN
        known = other in (*NUMBERS, "string", "bytes", TIMESTAMP, DURATION) or (
            isinstance(other, tuple) and other[0] == "list"
        )
        certain = other in NUMBERS or (operator == "+" and other not in (DURATION, TIMESTAMP))
        return None if not known else other if certain else DYN
    if left == right and left in NUMBERS:
        return None if operator == "%" and left == "double" else left
    if operator == "+":
        if left == right and left in ("string", "bytes", DURATION):
            return left
        if isinstance(left, tuple) and isinstance(right, tuple) and left[0] == right[0] == "list" and fits(left, right):
            return joined(left, right) if left == right else ("list", DYN)
        if {left, right} == {TIMESTAMP, DURATION}:
            return TIMESTAMP
    if operator == "-":
        if left == right and left in (TIMESTAMP, DURATION):
            return DURATION
        if (left, right) == (TIMESTAMP, DURATION):
            return TIMESTAMP
    return None
