"""Statements of one function to Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import msgspec

from bulkhead.engines.rego import ir
from bulkhead.engines.rego.generate.analysis import Analysis
from bulkhead.engines.rego.generate.writer import Writer
from bulkhead.engines.rego.values import U

MAKING: frozenset[type[ir.Stmt]] = frozenset({
    ir.MakeArrayStmt, ir.MakeObjectStmt, ir.MakeSetStmt, ir.MakeNullStmt, ir.MakeNumberIntStmt, ir.MakeNumberRefStmt,
})  # fmt: skip
_ENDING: frozenset[type[ir.Stmt]] = frozenset((ir.BreakStmt, ir.ReturnLocalStmt))
_CERTAIN: frozenset[type[ir.Stmt]] = MAKING | {ir.AssignIntStmt, ir.NopStmt, ir.ResetLocalStmt}
_SAFE: frozenset[type[ir.Stmt]] = _CERTAIN | _ENDING | {ir.AssignVarStmt, ir.AssignVarOnceStmt, ir.BlockStmt}
"""Statements that never end their block early by failing."""
NESTED_FAILURES = 7
"""Statements that can fail in one block before it is written as a loop instead of ``if`` in ``if``."""


class Fact(msgspec.Struct, frozen=True):
    """What is known of a local that holds a value.

    Attributes:
        kind: bool, int, float, str, list, dict, Set; empty when nothing is known.
        text: of a constant.
        value: the constant, else ``U``.
        own: made in this function and not shared yet, so that it may be added to in place.
        base: part of the data that was given; numbers find keys there that are their text, as in OPA's store.
    """

    kind: str = ""
    text: str = ""
    value: Any = U
    own: bool = False
    base: bool = False


SOME = Fact()


class Linked(Protocol):
    """The module that functions are written for."""

    @property
    def strings(self) -> Sequence[str]: ...

    def constant(self, value: Any) -> Fact:
        """The fact of a constant, with its text."""
        ...

    def number(self, index: int) -> Fact:
        """The constant of a number in the table of strings."""
        ...

    def call(self, writer: Lowering, stmt: ir.CallStmt) -> None: ...

    def call_dynamic(self, writer: Lowering, stmt: ir.CallDynamicStmt) -> None: ...

    def statement(self, writer: Lowering, stmts: Sequence[ir.Stmt], at: int) -> int:
        """Write a statement, and those behind it that are written with it; how many they were."""
        ...

    def spot(self, stmt: ir.Stmt) -> int: ...

    @property
    def instrumented(self) -> bool: ...


class Lowering(Writer):
    """One function being written."""

    def __init__(
        self, module: Linked, analysis: Analysis, conflict: str, results: frozenset[int], careful: frozenset[int]
    ) -> None:
        super().__init__()
        self.careful = careful
        """Locals that keep their value where a statement that would give them another one fails."""
        self.unsure: set[int] = set()
        """Locals that are read where they may have no value."""
        self.result_locals = results
        self.module = module
        self.analysis = analysis
        self.facts: dict[int, Fact] = {}
        self.alias: dict[int, str] = {}
        self.memo = "m"
        self.conflict = conflict

    # Locals and operands.

    def name(self, local: int) -> str:
        """The Python name of a local, to assign to."""
        return self.alias.get(local) or f"l{local}"

    def read(self, local: int) -> str:
        """The text of a local's value; ``U`` where it has none."""
        fact = self.facts.get(local)
        if fact is not None:
            return fact.text or self.name(local)
        self.unsure.add(local)
        self.names[self.name(local)] = None
        return self.name(local)

    def operand(self, operand: ir.Operand) -> str:
        return self.fact(operand).text or self.read(operand.value)

    def fact(self, operand: ir.Operand) -> Fact:
        """What is known of an operand; of a local that may be undefined, nothing."""
        if type(operand) is ir.Local:
            return self.facts.get(operand.value, SOME)
        if type(operand) is ir.Bool:
            return Fact("bool", str(operand.value), operand.value)
        return self.module.constant(self.module.strings[operand.value])

    def is_defined(self, operand: ir.Operand) -> bool:
        return type(operand) is not ir.Local or operand.value in self.facts

    def defined(self, operand: ir.Operand) -> None:
        """Go on where the operand has a value."""
        if not self.is_defined(operand):
            text = self.operand(operand)
            self.require(f"{text} is not U", f"{text} is U")
            self.facts[operand.value] = SOME

    def assign(self, local: int, text: str, fact: Fact | None) -> None:
        """Give a local a value; without a fact it may be ``U``."""
        # A constant is read where it stands; the name is needed where blocks come together.
        given = fact.text if fact is not None and fact.text else text
        if given != self.name(local):
            self.line(f"{self.name(local)} = {given}")
        if fact is None:
            self.facts.pop(local, None)
        else:
            self.facts[local] = fact

    def found(self, local: int, text: str, fact: Fact = SOME) -> None:
        """Give a local a value that may be ``U``, and go on where it is not."""
        name = self.target(local)
        self.line(f"{name} = {text}")
        self.hit(local, name, fact)

    def target(self, local: int) -> str:
        """The name for a value that may be ``U``: the local's own where nobody can see what it was before."""
        return self.fresh("v") if local in self.careful else self.name(local)

    def hit(self, local: int, name: str, fact: Fact = SOME) -> None:
        """Go on where the value under the name is none, and it is the local's."""
        self.require(f"{name} is not U", f"{name} is U")
        if name != self.name(local):
            self.line(f"{self.name(local)} = {name}")
        self.facts[local] = fact

    def share(self, locals_: Iterable[int]) -> None:
        """Their values are held elsewhere as well: they are copied before they are added to."""
        for local in locals_:
            fact = self.facts.get(local)
            if fact is not None and fact.own:
                self.facts[local] = msgspec.structs.replace(fact, own=False)

    # Blocks.

    @contextmanager
    def kept(self, block: ir.Block) -> Iterator[None]:
        """What is known after a block: what was known before, but of what it changes."""
        before = dict(self.facts)
        yield
        # What cannot fail is known to have happened.
        if any(type(stmt) not in _CERTAIN for stmt in block.stmts):
            self.facts = self.after(before, block)

    def after(self, facts: dict[int, Fact], block: ir.Block) -> dict[int, Fact]:
        effects = self.analysis.effects(block)
        out = {}
        for local, fact in facts.items():
            if local in effects.reset:
                continue
            # Adding to what is not ours, or is not any more by then, may fail.
            alone = fact.own and local not in effects.shared and local not in effects.assigned
            foreign = local in effects.changed and not alone
            if (foreign or local in effects.risky) and local not in self.careful:
                continue
            if foreign or local in effects.assigned:
                out[local] = SOME
            elif local in effects.shared and fact.own:
                out[local] = msgspec.structs.replace(fact, own=False)
            else:
                out[local] = fact
        return out

    def enter(self, block: ir.Block, last: Callable[[], None] | None = None, *, loop: bool = False) -> None:
        """Write a block.

        Args:
            block: of the plan.
            last: writes what is done when nothing in it failed.
            loop: it is the body of a loop whose line is written already.
        """
        if self.crowded and not loop:
            with self.outlined():
                self._inside(block, last, loop=False)
            return
        self._inside(block, last, loop=loop)

    def _inside(self, block: ir.Block, last: Callable[[], None] | None, *, loop: bool) -> None:
        failures = sum(type(stmt) not in _SAFE for stmt in block.stmts)
        once = id(block) in self.analysis.targets or failures > NESTED_FAILURES
        way = "each" if loop else ("once" if once else "nested")
        spot = self.spot
        with self.kept(block), self.block(way):
            if self._statements(block) and last is not None:
                last()
        self.spot = spot

    def _statements(self, block: ir.Block) -> bool:
        """Write the statements; False where the end of the block is not reached."""
        stmts = block.stmts
        at = 0
        while at < len(stmts):
            stmt = stmts[at]
            self.spot = self.module.spot(stmt)
            if self.module.instrumented:
                self.line(f"w.ran({self.spot})")
            at += self.module.statement(self, stmts, at)
            if type(stmt) in _ENDING:
                return False
        return True
