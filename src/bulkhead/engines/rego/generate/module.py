"""A policy's functions as one Python module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from bulkhead.core.errors import ExpressionError
from bulkhead.core.patterns import later
from bulkhead.engines.rego import ir
from bulkhead.engines.rego.failures import COMPILE, RECURSION, TYPE
from bulkhead.engines.rego.generate import calls, statements
from bulkhead.engines.rego.generate.analysis import Analysis, assigned_by, changed_by, walk
from bulkhead.engines.rego.generate.lower import Fact, Lowering
from bulkhead.engines.rego.plans import blocks_of
from bulkhead.engines.rego.values import Key, Keyed, Set, form, number

MAX_STATEMENTS = 60_000
"""In one function: Python takes about a second to compile as many."""

_NUMBER = later(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SHORT = 60


class Spot(msgspec.Struct, frozen=True):
    """Where a statement stands.

    Attributes:
        function: of the plan.
        kind: of statement.
        file: of the policy's text, with row and column; empty where the plan does not say.
    """

    function: str
    kind: str
    file: str = ""
    row: int = 0
    col: int = 0


class Generated(msgspec.Struct, frozen=True):
    """The text and what it needs.

    Attributes:
        python: the source.
        constants: names that it reads.
        builtins: name in the text → built-in.
        slots: how many answers one evaluation remembers.
        plans: entry point → name in the text.
        paths: path of a function → name in the text, how many arguments, and its slot.
        spots: the statements by their numbers.
        lines: number of the statement that each line was written for, -1 for none.
    """

    python: str
    constants: dict[str, Any]
    builtins: dict[str, str]
    slots: int
    plans: dict[str, str]
    paths: dict[tuple[str, ...], tuple[str, int, int | None]]
    spots: tuple[Spot, ...]
    lines: tuple[int, ...]


class Module:
    """One policy being written."""

    def __init__(self, policy: ir.Policy, table: Mapping[str, Any], *, instrumented: bool) -> None:
        self.policy = policy
        self.strings: Sequence[str] = policy.strings
        self.instrumented = instrumented
        self._table = table
        self._functions = {func.name: (f"f{number}", func) for number, func in enumerate(policy.funcs)}
        self._slots: dict[str, int] = {}
        self._constants: dict[str, Any] = {}
        self._interned: dict[Any, Fact] = {}
        self._builtins: dict[str, str] = {}
        self._spots: list[Spot] = []
        self._at = ""
        self._data_is_given = False
        self._lines: list[str] = []

    def write(self) -> Generated:
        """The whole policy.

        Raises:
            ExpressionError: it calls what there is not, or itself.
        """
        self._find_slots()
        self._data_is_given = all(_passes_data(blocks, self._functions) for blocks in _all_blocks(self.policy))
        _refuse_recursion(self.policy)
        plans = {}
        for count, plan in enumerate(self.policy.plans):
            plans[plan.name] = f"p{count}"
            self._function(f"p{count}", plan.name, (0, 1), plan.blocks, None)
        for name, func in self._functions.values():
            self._function(name, func.name, func.params, func.blocks, func.result)
        texts, numbers = [], []
        for line in self._lines:
            text, mark, spot = line.partition("\0")
            texts.append(text)
            numbers.append(int(spot) if mark else -1)
        paths = {
            func.path: (name, len(func.params), self._slots.get(func.name))
            for name, func in self._functions.values()
            if func.path
        }
        return Generated(
            "\n".join([*texts, ""]),
            self._constants,
            self._builtins,
            len(self._slots),
            plans,
            paths,
            tuple(self._spots),
            tuple(numbers),
        )

    def _find_slots(self) -> None:
        """Functions of input and data alone that more than one place asks for, or a loop."""
        asked: Counter[str] = Counter()
        for plan in self.policy.plans:
            _count_calls(plan.blocks, asked, 1)
        for func in self.policy.funcs:
            _count_calls(func.blocks, asked, 2 if len(func.params) > 2 else 1)
        dynamic = any(
            isinstance(stmt, ir.CallDynamicStmt) for blocks in _all_blocks(self.policy) for stmt in walk(blocks)
        )
        for func in self.policy.funcs:
            if func.params == (ir.INPUT, ir.DATA) and (asked[func.name] > 1 or (dynamic and func.path)):
                self._slots[func.name] = len(self._slots)

    def _function(
        self, name: str, shown: str, params: tuple[int, ...], blocks: tuple[ir.Block, ...], result: int | None
    ) -> None:
        self._at = shown
        if sum(1 for _ in walk(blocks)) > MAX_STATEMENTS:
            raise self._wrong("the function is too large", COMPILE)
        analysis = Analysis(blocks)
        conflict = "functions" if len(params) > 2 else "rules"
        results = frozenset() if result is None else frozenset({result})
        careful: frozenset[int] = frozenset()
        spots = len(self._spots)
        while True:
            f = Lowering(self, analysis, f"conflict_of_{conflict}({shown!a})", results, careful)
            if self._data_is_given:
                f.facts[ir.DATA] = Fact()
            for block in blocks:
                f.enter(block)
            # Where somebody may see what a local was before, it is kept when something fails.
            seen = analysis.risky & f.unsure
            if seen <= careful:
                break
            careful |= seen
            del self._spots[spots:]
        given = [f.name(local) for local in params]
        names = dict.fromkeys(name for name in f.names if name not in given)
        if f.inner:
            names.update(dict.fromkeys(f.name(local) for local in analysis.assigned if f.name(local) not in given))
        plan = result is None
        head = ", ".join(["w", "m", *given, *(["r"] if plan else [])])
        self._lines.append(f"def {name}({head}):")
        if len(params) > 2:
            self._lines.append(" w.left -= 1\n if w.left < 0: w.refill()")
        if names:
            self._lines.append(f" {' = '.join(names)} = U")
        for inner in f.inner:
            self._lines.append(inner[0])
            if names or given:
                self._lines.append(f"  nonlocal {', '.join([*names, *given])}")
            self._lines += inner[1:]
        self._lines += f.lines
        self._lines.append(" return U")

    # What functions ask.

    def _wrong(self, message: str, kind: str = TYPE) -> ExpressionError:
        return ExpressionError(f"{kind}: {message}", where=self._at)

    def statement(self, writer: Lowering, stmts: Sequence[ir.Stmt], at: int) -> int:
        return statements.write(writer, stmts, at)

    def spot(self, stmt: ir.Stmt) -> int:
        files = self.policy.files
        file = files[stmt.file] if stmt.row and 0 <= stmt.file < len(files) else ""
        self._spots.append(Spot(self._at, type(stmt).__name__, file, stmt.row, stmt.col))
        return len(self._spots) - 1

    def constant(self, value: Any) -> Fact:
        kind = type(value)
        if value is None or kind is bool or (kind is int and abs(value) < 10**18):
            text = f"({value})" if kind is int and value < 0 else repr(value)
            return Fact("" if value is None else kind.__name__, text, value)
        if kind is str and len(value) <= _SHORT:
            return Fact("str", ascii(value), value)
        key = (kind, form(value))
        known = self._interned.get(key)
        if known is not None:
            return known
        for inner in _sets(value):
            # Shared between threads, so that nothing may be left to be worked out.
            list(inner)
        name = f"K{len(self._constants)}"
        self._constants[name] = value
        fact = Fact("dict" if kind is Keyed else ("" if kind.__name__ == "Decimal" else kind.__name__), name, value)
        self._interned[key] = fact
        return fact

    def number(self, index: int) -> Fact:
        text = self.strings[index]
        if len(text) > 1_000 or not _NUMBER.fullmatch(text):
            raise self._wrong(f"{text[:60]!r} is no number", COMPILE)
        return self.constant(number(text))

    def call(self, f: Lowering, stmt: ir.CallStmt) -> None:
        known = self._functions.get(stmt.func)
        if known is not None:
            name, func = known
            self._same_count(stmt.func, len(stmt.args), len(func.params))
            calls.of_function(f, stmt, name, self._slots.get(stmt.func))
            return
        builtin = self._table.get(stmt.func)
        if builtin is None:
            raise self._wrong(f"undefined function {stmt.func[:100]}")
        self._same_count(stmt.func, len(stmt.args), builtin.arity)
        handle = self._builtins.setdefault(stmt.func, f"b{len(self._builtins)}")
        calls.of_builtin(f, stmt, builtin, handle)

    def call_dynamic(self, f: Lowering, stmt: ir.CallDynamicStmt) -> None:
        calls.of_path(f, stmt)

    def _same_count(self, name: str, have: int, want: int) -> None:
        if have != want:
            raise self._wrong(f"{name[:100]}: arity mismatch: have {have} arguments, want {want}")


def _sets(value: Any) -> Iterable[Set]:
    """The sets in a constant, the inner ones first."""
    kind = type(value)
    if kind is list or kind is Set:
        for item in value.any_order() if kind is Set else value:
            yield from _sets(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _sets(key.value if type(key) is Key else key)
            yield from _sets(item)
    if kind is Set:
        yield value


def _passes_data(blocks: tuple[ir.Block, ...], functions: Container[str]) -> bool:
    """Whether every call in a function gives the data on as it got it, so that there always is some."""
    for stmt in walk(blocks):
        if isinstance(stmt, ir.CallStmt) and stmt.func in functions and stmt.args[1:2] != (ir.Local(ir.DATA),):
            return False
        if isinstance(stmt, ir.CallDynamicStmt) and stmt.args[1:2] != (ir.DATA,):
            return False
        if ir.DATA in assigned_by(stmt) or changed_by(stmt) == ir.DATA:
            return False
        if isinstance(stmt, ir.ResetLocalStmt) and stmt.target == ir.DATA:
            return False
        if isinstance(stmt, ir.WithStmt) and stmt.local == ir.DATA and not stmt.path:
            return False
    return True


def _all_blocks(policy: ir.Policy) -> list[tuple[ir.Block, ...]]:
    return [*(plan.blocks for plan in policy.plans), *(func.blocks for func in policy.funcs)]


def _count_calls(blocks: Iterable[ir.Block], asked: Counter[str], times: int) -> None:
    for block in blocks:
        for stmt in block.stmts:
            if isinstance(stmt, ir.CallStmt):
                asked[stmt.func] += times
            _count_calls(blocks_of(stmt), asked, 2 if isinstance(stmt, ir.ScanStmt) else times)


def _refuse_recursion(policy: ir.Policy) -> None:
    """A function that calls itself over others would not end."""
    calling = {
        func.name: {stmt.func for stmt in walk(func.blocks) if isinstance(stmt, ir.CallStmt)} for func in policy.funcs
    }
    done: set[str] = set()
    for start, called_first in calling.items():
        path: dict[str, Any] = {}
        stack = [(start, iter(called_first))]
        path[start] = None
        while stack:
            name, rest = stack[-1]
            called = next(rest, None)
            if called is None:
                stack.pop()
                del path[name]
                done.add(name)
            elif called in path:
                raise ExpressionError(f"{RECURSION}: rule {called[:100]} is recursive", where=start[:100])
            elif called in calling and called not in done:
                path[called] = None
                stack.append((called, iter(calling[called])))
        if len(done) == len(calling):
            return
