"""Calls: functions of the policy with a memory of one evaluation, and built-ins, some of them in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bulkhead.engines.rego import ir
from bulkhead.engines.rego.generate.lower import Fact, Lowering
from bulkhead.engines.rego.values import U

_WORLD = (ir.Local(ir.INPUT), ir.Local(ir.DATA))


def of_function(f: Lowering, stmt: ir.CallStmt, function: str, slot: int | None) -> None:
    """Call a function of the policy.

    Args:
        f: the function being written.
        stmt: the call.
        function: the Python name.
        slot: where its answer is kept during one evaluation; None where it is not.
    """
    args = ", ".join(f.operand(argument) for argument in stmt.args)
    same_world = stmt.args[:2] == _WORLD and not f.analysis.assigned & {ir.INPUT, ir.DATA}
    memo = f.memo if same_world else "fresh(w)"
    if slot is None or not same_world or len(stmt.args) != 2:
        f.found(stmt.result, f"{function}(w, {memo}, {args})")
        return
    name = f.target(stmt.result)
    f.line(f"{name} = {memo}[{slot}]")
    f.line(f"if {name} is N: {name} = {memo}[{slot}] = {function}(w, {memo}, {args})")
    f.hit(stmt.result, name)


def of_path(f: Lowering, stmt: ir.CallDynamicStmt) -> None:
    """Call what stands at a path that is known only now."""
    path = ", ".join(f.operand(part) for part in stmt.path)
    args = ", ".join(f.read(argument) for argument in stmt.args)
    same_world = stmt.args[:2] == (ir.INPUT, ir.DATA) and not f.analysis.assigned & {ir.INPUT, ir.DATA}
    memo = f.memo if same_world else "fresh(w)"
    f.found(stmt.result, f"called(w, {memo}, FUNCTIONS, ({path},), ({args},))")


def of_builtin(f: Lowering, stmt: ir.CallStmt, builtin: Any, handle: str) -> None:
    """Call a built-in.

    Args:
        f: the function being written.
        stmt: the call.
        builtin: its entry in the table.
        handle: the name of its implementation in the text.
    """
    for argument in stmt.args:
        f.defined(argument)
    texts = [f.operand(argument) for argument in stmt.args]
    facts = [f.fact(argument) for argument in stmt.args]
    writer = IN_PLACE.get(stmt.func)
    made = writer(texts, facts) if writer is not None else None
    if made is not None and made[1]:
        f.assign(stmt.result, made[0], Fact(made[1]))
        return
    call = f"{handle}({', '.join(['w', *texts] if builtin.world else texts)})"
    text = f"{made[0]} else {call}" if made is not None else call
    name = f.target(stmt.result)
    f.line(f"try: {name} = {text}")
    f.line(f"except BuiltinError as e: {name} = w.failed({stmt.func!a}, e)")
    f.hit(stmt.result, name, Fact(builtin.kind))
    if builtin.grows:
        # The text is long where it is called; most answers are short.
        f.line(f"if len({name}) > 1000: w.grown({name})" if builtin.kind else f"w.grown({name})")


Written = tuple[str, str] | None
"""An expression with its kind; without a kind it ends in a condition under which it holds, and ``else`` follows."""


def _compared(operator: str) -> Callable[[list[str], list[Fact]], Written]:
    def write(texts: list[str], _facts: list[Fact]) -> Written:
        a, b = texts
        return f"{a} {operator} {b} if type({a}) is type({b}) is int", ""

    return write


def _equal(texts: list[str], facts: list[Fact]) -> Written:
    a, b = texts
    if facts[0].value is U or facts[1].value is U:
        for text, other, fact in ((a, b, facts[1]), (b, a, facts[0])):
            if type(fact.value) is str or (type(fact.value) is int and fact.value not in {0, 1}):
                return f"{text} == {other}", "bool"
            if fact.value is None or type(fact.value) is bool:
                return f"{text} is {other}", "bool"
    return f"same({a}, {b})", "bool"


def _neq(texts: list[str], facts: list[Fact]) -> Written:
    written = _equal(texts, facts)
    assert written is not None
    return f"not {written[0]}", "bool"


def _count(texts: list[str], _facts: list[Fact]) -> Written:
    (a,) = texts
    return f"len({a}) if type({a}) is list or type({a}) is dict or type({a}) is str", ""


def _strings(pattern: str) -> Callable[[list[str], list[Fact]], Written]:
    def write(texts: list[str], facts: list[Fact]) -> Written:
        a, b = texts
        if any(fact.value is not U and type(fact.value) is not str for fact in facts):
            return None
        checks = [
            f"type({text}) is str" for text, fact in zip(texts, facts, strict=True) if type(fact.value) is not str
        ]
        return f"{pattern.format(a=a, b=b)} if {' and '.join(checks) or 'True'}", ""

    return write


def _is(test: str) -> Callable[[list[str], list[Fact]], Written]:
    return lambda texts, _facts: (test.format(a=texts[0]), "bool")


def _number(operator: str) -> Callable[[list[str], list[Fact]], Written]:
    def write(texts: list[str], _facts: list[Fact]) -> Written:
        a, b = texts
        return f"{a} {operator} {b} if type({a}) is type({b}) is int", ""

    return write


def _member(texts: list[str], _facts: list[Fact]) -> Written:
    a, b = texts
    return f"{a} in {b} if type({a}) is str and (type({b}) is list or type({b}) is Set)", ""


IN_PLACE: dict[str, Callable[[list[str], list[Fact]], Written]] = {
    "equal": _equal,
    "neq": _neq,
    "lt": _compared("<"),
    "lte": _compared("<="),
    "gt": _compared(">"),
    "gte": _compared(">="),
    "plus": _number("+"),
    "minus": _number("-"),
    "count": _count,
    "startswith": _strings("{a}.startswith({b})"),
    "endswith": _strings("{a}.endswith({b})"),
    "contains": _strings("({b} in {a})"),
    "internal.member_2": _member,
    "is_string": _is("type({a}) is str"),
    "is_array": _is("type({a}) is list"),
    "is_set": _is("type({a}) is Set"),
    "is_boolean": _is("type({a}) is bool"),
    "is_object": _is("isinstance({a}, dict)"),
    "is_null": _is("{a} is None"),
}
