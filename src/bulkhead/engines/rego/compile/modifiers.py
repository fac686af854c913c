"""``with``: the literal is planned in a changed world, and what it binds is carried out of it.

A literal that binds nothing is asked once whether it holds; what one binds is collected in an array, and what follows is done for
each item outside of the change.
"""

from __future__ import annotations

import msgspec

from bulkhead.engines.rego.compile import references, walk
from bulkhead.engines.rego.compile.emit import DATA, INPUT, Block, Operand, boolean, local
from bulkhead.engines.rego.compile.frame import After, Frame, Mock, World
from bulkhead.engines.rego.compile.tree import Path
from bulkhead.engines.rego.syntax import Every, Expression, Literal, Ref, Some, String, Term, Var, With


class _Change(msgspec.Struct):
    """One local changed at a path."""

    target: int
    path: Path
    value: Operand


def plan(frame: Frame, literal: Literal, then: After) -> None:
    """A literal with modifiers, then what follows."""
    given = walk.modifiers_of(literal)
    plain = literal if isinstance(literal, Some) else msgspec.structs.replace(literal, modifiers=())
    values = [item.value for item in given if not _is_function(frame, item)]

    def changed(found: list[Operand]) -> None:
        operands = iter(found)
        changes: list[_Change] = []
        world = frame.world
        for item in given:
            path = _named(item.target)
            if _is_function(frame, item):
                mock = Mock(function=_named(item.value))
                world = msgspec.structs.replace(world, mocks=(*world.mocks, (path, mock)))
                continue
            operand = next(operands)
            if path[0] == "input":
                changes.append(_Change(INPUT, path[1:], operand))
            elif path[0] == "data" and frame.planner.arity(path) is None:
                changes.append(_Change(DATA, path[1:], operand))
                world = msgspec.structs.replace(world, shadows=world.shadows | {path[1:]})
            else:
                held = frame.planner.hidden()
                changes.append(_Change(DATA, (references.HELD, held), operand))
                world = msgspec.structs.replace(world, mocks=(*world.mocks, (path, Mock(held=held))))
        _inside(frame, plain, changes, world, then)

    frame.terms(values, changed)


def _inside(frame: Frame, literal: Literal, changes: list[_Change], world: World, then: After) -> None:
    writer = frame.writer
    names = _outputs(frame, literal)
    collected = writer.fresh()
    if names:
        writer.put("MakeArrayStmt", capacity=0, target=collected)
    else:
        writer.put("ResetLocalStmt", target=collected)

    def keep() -> None:
        if not names:
            writer.put("AssignVarStmt", source=boolean(value=True), target=collected)
            return
        row = writer.fresh()
        writer.put("MakeArrayStmt", capacity=len(names), target=row)
        for name in names:
            writer.put("ArrayAppendStmt", value=frame.held[name], array=row)
        writer.put("ArrayAppendStmt", value=local(row), array=collected)

    block: Block = []
    outer, frame.world = frame.world, world
    try:
        with writer.inside(block):
            frame.body((literal,), keep)
    finally:
        frame.world = outer
    for change in reversed(changes):
        path = [writer.constants.number(name) for name in change.path]
        stmt = {"local": change.target, "path": path, "value": change.value, "block": {"stmts": block}}
        block = [{"type": "WithStmt", "stmt": stmt}]
    writer.branches(block)
    if not names:
        writer.put("IsDefinedStmt", source=collected)
        then()
        return
    key, row = writer.fresh(), writer.fresh()
    rows: Block = []
    with writer.inside(rows):
        _restored(frame, names, local(row), then)
    writer.put("ScanStmt", source=collected, key=key, value=row, block={"stmts": rows})


def _restored(frame: Frame, names: list[str], row: Operand, then: After, index: int = 0) -> None:
    if index == len(names):
        then()
        return
    key = frame.writer.fresh()
    frame.writer.put("MakeNumberIntStmt", value=index, target=key)
    value = frame.writer.dot(row, local(key))
    with frame.bound(names[index], value):
        _restored(frame, names, row, then, index + 1)


def _named(term: Term) -> Path:
    """The dotted name of a target or of a function; empty for what has none."""
    if isinstance(term, Var):
        return (term.name,)
    if isinstance(term, Ref) and isinstance(term.head, Var):
        keys = [key.value for key in term.keys if isinstance(key, String)]
        if len(keys) == len(term.keys):
            return tuple(keys) if term.head.name == walk.BUILTIN else (term.head.name, *keys)
    return ()


def _is_function(frame: Frame, item: With) -> bool:
    """Whether the modifier puts one function in the place of another."""
    target, value = _named(item.target), _named(item.value)
    if not target or target[0] == "input" or frame.planner.arity(target) is None or not value:
        return False
    if isinstance(item.value, Var) and frame.is_bound(item.value.name):
        return False
    return value[0] != "input" and frame.planner.arity(value) is not None


def _outputs(frame: Frame, literal: Literal) -> list[str]:
    """Variables that the literal binds, in a fixed order."""
    if isinstance(literal, Every) or (isinstance(literal, Expression) and literal.negated):
        return []
    plain = msgspec.structs.replace(literal, modifiers=()) if not isinstance(literal, Some) else literal
    return sorted({name for name in walk.of_literal(plain, closures=False) if not frame.is_bound(name)})
