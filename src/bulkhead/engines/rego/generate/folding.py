"""Statements that make values of constants alone are carried out when the policy is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bulkhead.engines.rego import ir
from bulkhead.engines.rego.generate.analysis import assigned_by, changed_by, walk
from bulkhead.engines.rego.values import Set, U

if TYPE_CHECKING:
    from bulkhead.engines.rego.generate.lower import Lowering


_GROWING = (list, dict, Set)


def constants(f: Lowering, stmts: Sequence[ir.Stmt], at: int) -> tuple[int, dict[int, Any]]:
    """How many statements from here on make constants, and the locals that they leave with them."""
    end = len(stmts)
    while True:
        count, made, begun = _run(f, stmts[at:end])
        changing = [
            local for local in made if type(made[local]) in _GROWING and _changes(f, stmts[at + count :], local)
        ]
        if not changing:
            return count, made
        # What is added to later is no constant: stop before it is made.
        end = at + min(begun[local] for local in changing)


def _changes(f: Lowering, stmts: Sequence[ir.Stmt], local: int) -> bool:
    for stmt in stmts:
        if any(changed_by(inner) == local for inner in walk((ir.Block((stmt,)),))):
            return True
        if local in assigned_by(stmt):
            return False
    # The blocks of a function follow each other: what the first makes, others add to.
    return len(f.frames) == 1 and local in f.result_locals


def _run(f: Lowering, stmts: Sequence[ir.Stmt]) -> tuple[int, dict[int, Any], dict[int, int]]:
    made: dict[int, Any] = {}
    begun: dict[int, int] = {}
    for count, stmt in enumerate(stmts):
        if not _step(f, stmt, made):
            return count, made, begun
        for local in assigned_by(stmt):
            begun.setdefault(local, count)
    return len(stmts), made, begun


def _value(f: Lowering, operand: ir.Operand, made: dict[int, Any]) -> Any:
    if type(operand) is ir.Local and operand.value in made:
        return made[operand.value]
    return f.fact(operand).value


def _step(f: Lowering, stmt: ir.Stmt, made: dict[int, Any]) -> bool:
    """Carry out one statement, if it is about constants alone."""
    if isinstance(stmt, ir.MakeNullStmt):
        made[stmt.target] = None
    elif isinstance(stmt, ir.MakeNumberIntStmt):
        made[stmt.target] = stmt.value
    elif isinstance(stmt, ir.MakeNumberRefStmt):
        made[stmt.target] = f.module.number(stmt.index).value
    elif isinstance(stmt, ir.MakeArrayStmt):
        made[stmt.target] = []
    elif isinstance(stmt, ir.MakeObjectStmt):
        made[stmt.target] = {}
    elif isinstance(stmt, ir.MakeSetStmt):
        made[stmt.target] = Set()
    else:
        return _add(f, stmt, made)
    return True


def _add(f: Lowering, stmt: ir.Stmt, made: dict[int, Any]) -> bool:
    local = changed_by(stmt)
    if local is None or local not in made:
        return False
    value = _value(f, stmt.value, made)  # type: ignore[attr-defined]
    held = made[local]
    if value is U or value is held:
        return False
    if isinstance(stmt, ir.ArrayAppendStmt) and type(held) is list:
        made[local] = [*held, value]
    elif isinstance(stmt, ir.SetAddStmt) and type(held) is Set:
        made[local] = Set([*held, value])
    elif isinstance(stmt, ir.ObjectInsertStmt) and isinstance(held, dict):
        key = _value(f, stmt.key, made)
        if type(key) is not str:
            return False
        made[local] = {**held, key: value}
    else:
        return False
    return True
