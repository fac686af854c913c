"""Python for operators: inline where the types allow, a call of ``runtime`` where they do not."""

from __future__ import annotations

from typing import Any

from bulkhead.engines.cel import runtime
from bulkhead.engines.cel.emit import MAX_CONSTANT, NOTHING, Emitter, Value
from bulkhead.engines.cel.values import UInt

_NAMES = {
    "==": "equals",
    "!=": "differs",
    "<": "less",
    "<=": "less_or_equal",
    ">": "greater",
    ">=": "greater_or_equal",
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "%": "modulo",
    "in": "contained",
}
_MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def binary(emitter: Emitter, operator: str, left: Value, right: Value) -> Value:
    """The value of ``left operator right``."""
    name = _NAMES[operator]
    if left.constant is not NOTHING and right.constant is not NOTHING:
        folded = fold(emitter, getattr(runtime, name), left.constant, right.constant)
        if folded is not None:
            return folded
    left, right = emitter.plain(left), emitter.plain(right)
    if operator in _MIRRORED:
        if left.constant is not NOTHING and right.constant is NOTHING:
            left, right, operator = right, left, _MIRRORED[operator]
            name = _NAMES[operator]
        return _comparison(emitter, operator, name, left, right)
    if operator == "in":
        return _membership(emitter, left, right)
    kind = left.kind if left.kind == right.kind and left.kind in {"int", "float", "str", "list"} else ""
    value = emitter.made(f"{name}({left.text}, {right.text})", kind, left, right)
    return emitter.charged(value) if operator == "+" and kind not in {"int", "float"} else value


def fold(emitter: Emitter, function: Any, *constants: Any) -> Value | None:
    """The result of an operation on constants, unless it fails (then it must fail when it is reached)."""
    try:
        value = function(*constants)
    except runtime.ERRORS:
        return None
    if value is None or type(value) in {bool, int, float, UInt}:
        return emitter.constant(value)
    if type(value) in {str, bytes} and len(value) <= MAX_CONSTANT:
        return emitter.constant(value)
    return None


def _comparison(emitter: Emitter, operator: str, name: str, left: Value, right: Value) -> Value:
    slow = f"{name}({left.text}, {right.text})"
    constant = right.constant
    if type(constant) is bool and operator in {"==", "!="}:
        test = f"{{}} is {'' if operator == '==' else 'not '}{constant}"
        return _guarded(emitter, left, "bool", test, name, right)
    if constant is None and operator in {"==", "!="}:
        left = emitter.named(left)
        word = "is" if operator == "==" else "is not"
        text = f"({left.text} {word} None if {left.text} is not UNKNOWN else {name}({left.text}, None))"
        return emitter.made(text, "bool", left)
    known = right.kind if right.kind in {"int", "str"} else ""
    if known and (constant is not NOTHING or left.kind == known):
        return _guarded(emitter, left, known, f"{{}} {operator} {right.text}", name, right)
    if left.kind in {"int", "str"} and right.kind == "":
        right = emitter.named(right)
        left = emitter.named(left)
        test = f"{left.text} {operator} {right.text} if type({right.text}) is {left.kind} else "
        return emitter.made(f"({test}{name}({left.text}, {right.text}))", "bool", left, right)
    return emitter.made(slow, "bool", left, right)


def _guarded(emitter: Emitter, left: Value, kind: str, test: str, name: str, right: Value) -> Value:
    """A test that Python and CEL agree on for one type, and the slow operator for all others."""
    if left.kind == kind:
        return emitter.made(f"({test.format(left.text)})", "bool", left, right)
    left = emitter.named(left)
    fast = test.format(left.text)
    text = f"({fast} if type({left.text}) is {kind} else {name}({left.text}, {right.text}))"
    return emitter.made(text, "bool", left, right)


def _membership(emitter: Emitter, left: Value, right: Value) -> Value:
    members = right.constant
    if type(members) is list and members and all(type(member) is str for member in members):
        left = emitter.named(left)
        names = emitter.hoisted(f"frozenset({right.text})", "")
        text = f"({left.text} in {names.text} if type({left.text}) is str else contained({left.text}, {right.text}))"
        return emitter.made(text, "bool", left)
    right = emitter.named(right)
    if left.kind == "str":
        left = emitter.named(left)
    held = f"searched(c, {right.text})" if emitter.looping and members is NOTHING else right.text
    slow = f"contained({left.text}, {held})"
    if left.kind == "str":
        text = f"({left.text} in {right.text} if type({right.text}) is dict else {slow})"
        return emitter.made(text, "bool", left, right)
    return emitter.made(slow, "bool", left, right)


def select(emitter: Emitter, operand: Value, field: str, *, optional: bool) -> Value:
    """``operand.field`` and ``operand.?field``."""
    operand = emitter.named(operand)
    name, key = operand.text, ascii(field)
    if optional:
        text = f"({name}.get({key}, ABSENT) if type({name}) is dict else select_optional({name}, {key}))"
        return emitter.made(text, "opt", operand)
    if operand.kind == "opt":
        return emitter.made(f"select_inside({name}, {key})", "opt", operand)
    return emitter.made(f"({name}[{key}] if type({name}) is dict else select({name}, {key}))", "", operand)


def has(emitter: Emitter, operand: Value, field: str) -> Value:
    operand = emitter.named(operand)
    name, key = operand.text, ascii(field)
    slow = f"has_field({name}, {key})"
    if operand.kind == "opt":
        return emitter.made(f"({name} is not ABSENT and {slow})", "bool", operand)
    return emitter.made(f"({key} in {name} if type({name}) is dict else {slow})", "bool", operand)


def index(emitter: Emitter, operand: Value, key: Value, *, optional: bool) -> Value:
    """``operand[key]`` and ``operand[?key]``."""
    key = emitter.plain(key)
    if optional:
        if type(key.constant) is str:
            return select(emitter, operand, key.constant, optional=True)
        return emitter.made(f"index_optional({operand.text}, {key.text})", "opt", operand, key)
    if operand.kind == "opt":
        return emitter.made(f"index_inside({operand.text}, {key.text})", "opt", operand, key)
    if type(key.constant) is str:
        operand = emitter.named(operand)
        text = f"({operand.text}[{key.text}] if type({operand.text}) is dict else index({operand.text}, {key.text}))"
        return emitter.made(text, "", operand)
    return emitter.made(f"index({operand.text}, {key.text})", "", operand, key)
