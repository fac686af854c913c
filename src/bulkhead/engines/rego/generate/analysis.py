"""What blocks assign, reset and change, which blocks are left from inside others, and where order matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from bulkhead.engines.rego import ir
from bulkhead.engines.rego.plans import blocks_of, locals_of


class Effects(msgspec.Struct, frozen=True):
    """Locals by what is done to them.

    Attributes:
        assigned: given a new value.
        reset: made undefined, or given the value of another local, which may have none.
        changed: added to in place.
        shared: their value is held somewhere else as well from then on.
        risky: given a value by what can fail.
    """

    assigned: frozenset[int] = frozenset()
    reset: frozenset[int] = frozenset()
    changed: frozenset[int] = frozenset()
    shared: frozenset[int] = frozenset()
    risky: frozenset[int] = frozenset()


def changed_by(stmt: ir.Stmt) -> int | None:
    """The local that a statement adds to."""
    if isinstance(stmt, ir.ArrayAppendStmt):
        return stmt.array
    if isinstance(stmt, ir.SetAddStmt):
        return stmt.set
    if isinstance(stmt, (ir.ObjectInsertStmt, ir.ObjectInsertOnceStmt)):
        return stmt.object
    return None


def assigned_by(stmt: ir.Stmt) -> tuple[int, ...]:
    """The locals that a statement itself gives a value."""
    if isinstance(stmt, ir.ScanStmt):
        return (stmt.key, stmt.value)
    if isinstance(stmt, (ir.CallStmt, ir.CallDynamicStmt)):
        return (stmt.result,)
    if isinstance(stmt, ir.ResetLocalStmt):
        return ()
    target = getattr(stmt, "target", None)
    return () if target is None else (target,)


def walk(blocks: Sequence[ir.Block]) -> Iterator[ir.Stmt]:
    """Every statement, inner ones too."""
    stack = [iter(block.stmts) for block in reversed(blocks)]
    while stack:
        stmt = next(stack[-1], None)
        if stmt is None:
            stack.pop()
            continue
        yield stmt
        stack.extend(iter(block.stmts) for block in reversed(blocks_of(stmt)))


def shared_by(stmt: ir.Stmt) -> tuple[int, ...]:
    """The locals whose values a statement puts somewhere else."""
    if isinstance(stmt, (ir.AssignVarStmt, ir.AssignVarOnceStmt)):
        given: tuple[ir.Operand, ...] = (stmt.source,)
    elif isinstance(stmt, (ir.ArrayAppendStmt, ir.SetAddStmt, ir.WithStmt)):
        given = (stmt.value,)
    elif isinstance(stmt, (ir.ObjectInsertStmt, ir.ObjectInsertOnceStmt)):
        given = (stmt.key, stmt.value)
    elif isinstance(stmt, ir.CallStmt):
        given = stmt.args
    elif isinstance(stmt, ir.CallDynamicStmt):
        return stmt.args
    elif isinstance(stmt, ir.ResultSetAddStmt):
        return (stmt.value,)
    elif isinstance(stmt, ir.ObjectMergeStmt):
        return (stmt.a, stmt.b)
    elif isinstance(stmt, ir.ScanStmt):
        # What is gone through is not added to meanwhile.
        return (stmt.source,)
    else:
        return ()
    return tuple(operand.value for operand in given if isinstance(operand, ir.Local))


def _copies(stmt: ir.Stmt) -> bool:
    """Whether a statement gives a local what another one has, if that has anything."""
    return isinstance(stmt, (ir.AssignVarStmt, ir.AssignVarOnceStmt)) and type(stmt.source) is ir.Local


_RISKY = (ir.CallStmt, ir.CallDynamicStmt, ir.DotStmt, ir.LenStmt, ir.ObjectMergeStmt)


class Analysis:
    """What is known of one function before it is written."""

    def __init__(self, blocks: Sequence[ir.Block]) -> None:
        self._blocks = blocks
        self._effects: dict[int, Effects] = {}
        self._reads: dict[int, Counter[int]] = {}
        self.targets: set[int] = set()
        """Blocks that are left from inside an inner one, by ``id``."""
        for block in blocks:
            self._find_targets(block, [])
        self.reads = Counter(number for block in blocks for number in self._read_in(block).elements())
        found = [self.effects(block) for block in blocks]
        self.assigned = frozenset(number for effects in found for number in effects.assigned)
        self.risky = frozenset(number for effects in found for number in effects.risky | effects.changed)

    def _find_targets(self, block: ir.Block, around: list[ir.Block]) -> None:
        around.append(block)
        for stmt in block.stmts:
            if type(stmt) is ir.BreakStmt and stmt.index:
                self.targets.add(id(around[-1 - stmt.index]))
            for inner in blocks_of(stmt):
                self._find_targets(inner, around)
        around.pop()

    def effects(self, block: ir.Block) -> Effects:
        known = self._effects.get(id(block))
        if known is not None:
            return known
        assigned: set[int] = set()
        reset: set[int] = set()
        changed: set[int] = set()
        shared: set[int] = set()
        risky: set[int] = set()
        for stmt in block.stmts:
            if isinstance(stmt, _RISKY):
                risky.update(assigned_by(stmt))
            shared.update(shared_by(stmt))
            assigned.update(assigned_by(stmt))
            if type(stmt) is ir.ResetLocalStmt or _copies(stmt):
                reset.add(stmt.target)  # type: ignore[attr-defined]
            to = changed_by(stmt)
            if to is not None:
                changed.add(to)
            for inner in blocks_of(stmt):
                found = self.effects(inner)
                assigned |= found.assigned
                reset |= found.reset
                changed |= found.changed
                shared |= found.shared
                risky |= found.risky
        made = Effects(frozenset(assigned), frozenset(reset), frozenset(changed), frozenset(shared), frozenset(risky))
        self._effects[id(block)] = made
        return made

    def _read_in(self, block: ir.Block) -> Counter[int]:
        known = self._reads.get(id(block))
        if known is not None:
            return known
        found: Counter[int] = Counter()
        for stmt in block.stmts:
            written = (*assigned_by(stmt), stmt.target) if type(stmt) is ir.ResetLocalStmt else assigned_by(stmt)
            found.update(locals_of(stmt))
            found.subtract(written)
            if type(stmt) is ir.AssignVarOnceStmt:
                found[stmt.target] += 1
            for inner in blocks_of(stmt):
                found.update(self._read_in(inner))
        self._reads[id(block)] = found
        return found

    def is_read(self, local: int) -> bool:
        return self.reads[local] > 0

    def in_any_order(self, scan: ir.ScanStmt) -> bool:
        """Whether the order in which a scan goes through its source cannot be seen afterwards."""
        body = self._read_in(scan.block)
        once: set[int] = set()
        free: set[int] = {scan.key, scan.value}
        made: set[int] = set()
        leaves = False
        for stmt, depth in _deep(scan.block, 0):
            if isinstance(stmt, ir.ResultSetAddStmt):
                return False
            if isinstance(stmt, (ir.MakeArrayStmt, ir.MakeObjectStmt)):
                made.add(stmt.target)
            if isinstance(stmt, ir.ArrayAppendStmt) and stmt.array not in made:
                return False
            if isinstance(stmt, ir.ObjectInsertStmt) and stmt.object not in made:
                return False
            if isinstance(stmt, ir.BreakStmt) and stmt.index > depth:
                leaves = True
            if isinstance(stmt, ir.AssignVarOnceStmt):
                once.add(stmt.target)
            else:
                free.update(assigned_by(stmt))
        if leaves:
            free |= once
        return all(self.reads[local] <= body[local] for local in free)


def _deep(block: ir.Block, depth: int) -> Iterator[tuple[ir.Stmt, int]]:
    for stmt in block.stmts:
        yield stmt, depth
        for inner in blocks_of(stmt):
            yield from _deep(inner, depth + 1)
