"""Writing Python: lines, blocks, temporaries, hoisted constants and the names an expression may use.

Only validated identifiers, names made here and ``ascii()`` of constants reach the text; nothing of the user's does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.cel import syntax as s
from bulkhead.engines.cel.lexer import failure
from bulkhead.engines.cel.values import UInt

# Python refuses 20 nested loops and tries, 100 levels of indentation and 200 brackets.
MAX_BLOCKS = 10
MAX_INDENT = 24
MAX_NESTING = 12
MAX_CONSTANT = 4096


class _Nothing:
    """No constant."""


NOTHING = _Nothing()


class Value(msgspec.Struct, frozen=True):
    """A piece of Python that yields a value.

    Attributes:
        text: an expression without side effects other than raising.
        kind: what is known of the type: bool, int, float, str, list, dict; ``opt`` is an optional kept bare
            (``ABSENT`` for none), the only kind that may be ``ABSENT``; empty when nothing is known.
        atom: a name or a literal, free to be repeated.
        nesting: brackets inside.
        constant: the value, when it is known already.
    """

    text: str
    kind: str = ""
    atom: bool = False
    nesting: int = 0
    constant: Any = NOTHING


class Body(msgspec.Struct):
    """One Python function being written."""

    lines: list[str] = msgspec.field(default_factory=list)
    indent: int = 1
    blocks: int = 0
    reads: set[str] = msgspec.field(default_factory=set)


class Emitter:
    """The state of one generation. ``visit`` is set by ``generate``."""

    visit: Callable[[s.Node], Value]

    def __init__(self, text: str, variables: frozenset[str], functions: Mapping[str, Any]) -> None:
        self.text = text
        self.variables = variables
        self.functions = functions
        self.scope: dict[str, Value] = {}
        self.reads: set[str] = set()
        self.calls: set[str] = set()
        self.constants: list[str] = []
        self.outlined: list[str] = []
        self.body = Body()
        self.count = 0
        self.looping = 0

    def fail(self, node: Any, message: str, hint: str = "") -> ExpressionError:
        return failure(self.text, node.at, message, hint)

    # Lines and blocks

    def line(self, text: str) -> None:
        self.body.lines.append(" " * self.body.indent + text)

    @contextmanager
    def block(self, opening: str, *, counted: bool = False) -> Iterator[None]:
        """Indent what follows; ``counted`` for loops and tries, of which Python bounds the nesting."""
        self.line(opening)
        self.body.indent += 1
        self.body.blocks += counted
        start = len(self.body.lines)
        yield
        if len(self.body.lines) == start:
            self.line("pass")
        self.body.indent -= 1
        self.body.blocks -= counted

    def captured(self, node: s.Node) -> tuple[list[str], Value]:
        """Visit a branch apart, one level deeper, and give its lines back."""
        outer = self.body.lines
        self.body.lines = []
        self.body.indent += 1
        value = self.visit(node)
        self.body.indent -= 1
        inner, self.body.lines = self.body.lines, outer
        return inner, value

    @property
    def crowded(self) -> bool:
        return self.body.blocks >= MAX_BLOCKS or self.body.indent >= MAX_INDENT

    # Names and values

    def fresh(self, prefix: str = "t") -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def named(self, value: Value) -> Value:
        """The value under a name, so that its text may stand twice."""
        # A literal gets a name too: Python warns of subscripts and identity tests on literals.
        if value.atom and (value.constant is NOTHING or value.text[0] == "K"):
            return value
        name = self.fresh()
        self.line(f"{name} = {value.text}")
        return Value(name, value.kind, atom=True)

    def made(self, text: str, kind: str, *parts: Value) -> Value:
        """A compound of parts; kept under a name when its brackets nest too deep."""
        nesting = 1 + max((part.nesting for part in parts), default=0)
        value = Value(text, kind, nesting=nesting)
        return self.named(value) if nesting >= MAX_NESTING else value

    def constant(self, value: Any) -> Value:
        """A literal, or a hoisted name for what has none."""
        kind = type(value)
        if value is None or kind in {bool, int, str, bytes} or (kind is float and math.isfinite(value)):
            text = ascii(value)
            names = {bool: "bool", int: "int", str: "str", float: "float"}
            return Value(f"({text})" if text[0] == "-" else text, names.get(kind, ""), atom=True, constant=value)
        if kind is UInt:
            return self.hoisted(f"UInt({int(value)})", "", value)
        if kind is float:
            return self.hoisted(f"float({str(value)!r})", "float", value)
        raise AssertionError(kind)

    def hoisted(self, text: str, kind: str, constant: Any = NOTHING) -> Value:
        """A value made once, when the program is loaded."""
        name = f"K{len(self.constants)}"
        self.constants.append(f"{name} = {text}")
        return Value(name, kind, atom=True, constant=constant)

    def read(self, variable: str) -> Value:
        self.reads.add(variable)
        self.body.reads.add(variable)
        return Value(f"v_{variable.replace('_', '__').replace('.', '_d')}", atom=True)

    def plain(self, value: Value) -> Value:
        """The value as any code may hold it: an optional is boxed."""
        if value.kind != "opt":
            return value
        return self.made(f"box({value.text})", "", value)

    def bare(self, value: Value) -> Value:
        """The inside of an optional under a name; raises for what is no optional."""
        if value.kind == "opt":
            return self.named(value)
        return self.named(Value(f"unbox({value.text})", "opt"))

    def charged(self, value: Value) -> Value:
        """A value that may have become large; in a loop its size counts against the budget like turns do."""
        return self.made(f"charged(c, {value.text})", value.kind, value) if self.looping else value

    def library(self, target: str) -> str:
        """The name under which generated code finds a library function (``text.char_at``)."""
        self.calls.add(target)
        return target.replace(".", "__")
