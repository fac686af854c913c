"""A compiled expression: made from text, or rebuilt from Python that was generated before."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from types import CodeType, MappingProxyType
from typing import Any

import msgspec

from bulkhead.core.patterns import later
from bulkhead.core.resource import UNKNOWN
from bulkhead.engines.cel import runtime
from bulkhead.engines.cel.errors import CelError, CostExceeded, UnknownValue
from bulkhead.engines.cel.library import resolve
from bulkhead.engines.cel.values import TYPES

STEPS = 1_000_000
"""Loop turns that one evaluation may take."""

_NO_FUNCTIONS: Mapping[str, Function] = MappingProxyType({})
_IDENTIFIER = later(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


class Function(msgspec.Struct, frozen=True):
    """A function that the engine's user adds.

    Attributes:
        name: plain or dotted (``rbac.who_can``).
        receiver: called as ``value.name(...)``; the value is then the implementation's first argument.
        implementation: takes and returns CEL values; may raise CelError. Never sees ``UNKNOWN`` as an argument.
        arguments: how many the call takes besides the receiver, checked when compiling; None leaves it unchecked.
    """

    name: str
    receiver: bool
    implementation: Callable[..., Any]
    arguments: int | None = None


class Program:
    """An expression ready to be evaluated, from any thread.

    Attributes:
        source: the expression.
        identifiers: the variables it reads.
        python: the generated text; ``load`` takes it back.
    """

    __slots__ = ("_code", "_functions", "_run", "identifiers", "python", "source")

    def __init__(
        self, source: str, python: str, functions: Mapping[str, Function], code: CodeType | None = None
    ) -> None:
        self.source = source
        self.python = python
        self.identifiers = frozenset(_header(python, 0))
        self._functions = functions
        self._code = code
        self._run: Callable[[Mapping[str, Any]], Any] | None = None

    @property
    def code(self) -> CodeType:
        """The text compiled by this Python, for ``marshal``; ``load`` takes it back and is 20 times faster with it."""
        if self._code is None:
            self._code = builtins.compile(self.python, "<cel>", "exec", dont_inherit=True)
        return self._code

    def evaluate(self, bindings: Mapping[str, Any]) -> Any:
        """The value for these bindings, one for each of ``identifiers``.

        The result may share parts with the bindings and with the program: it is to be read, not changed.

        Raises:
            CelError: the expression has no value for these bindings.
        """
        run = self._run or self.prepared()
        try:
            result = run(bindings)
        except KeyError as error:
            unbound = sorted(self.identifiers.difference(bindings))
            if unbound:
                raise CelError(f"no value is bound to {', '.join(unbound)}") from None
            raise runtime.missing(error.args[0] if error.args else "") from None
        except RecursionError:
            raise CostExceeded("a value is nested too deep") from None
        if result is UNKNOWN:
            raise UnknownValue("the result is a value that is not known")
        return result

    def prepared(self) -> Callable[[Mapping[str, Any]], Any]:
        """The function that the text is, made on first use: a catalogue holds many programs that a scan never calls.

        For loops that must be quick. It gives ``UNKNOWN`` where ``evaluate`` raises, and raises KeyError and
        RecursionError for what ``evaluate`` puts in words: call that when anything but a value comes of it.
        """
        if self._run is not None:
            return self._run
        names: dict[str, Any] = {"__builtins__": _NAMES}
        for called in _header(self.python, 1):
            if called.endswith("()"):
                own = called[:-2]
                names[f"u_{own.replace('_', '__').replace('.', '_d')}"] = self._functions[own].implementation
            else:
                names[called.replace(".", "__")] = resolve(called)
        exec(self.code, names)  # noqa: S102 (text made by generate.py)
        self._run = run = names["run"]
        return run  # type: ignore[no-any-return]


def _header(python: str, line: int) -> list[str]:
    """The words of the first or second line; the text behind them may be long and is not copied."""
    start = python.index("\n") + 1 if line else 0
    return python[start : python.index("\n", start)].split(" ")[2:]


def compile(  # noqa: A001 (the verb of every expression engine; called as program.compile)
    expression: str, *, variables: frozenset[str], functions: Mapping[str, Function] = _NO_FUNCTIONS
) -> Program:
    """Parse, check names, generate.

    Args:
        expression: CEL.
        variables: the names that bindings will have; dotted names are allowed.
        functions: by name.

    Raises:
        ExpressionError: a syntax error, an unknown name or an expression beyond the bounds; with line and column.
    """
    from bulkhead.engines.cel.generate import generate
    from bulkhead.engines.cel.parser import parse

    for name in (*variables, *functions):
        if not _IDENTIFIER.fullmatch(name):
            raise ValueError(f"not a CEL identifier: {name!r}")
    python = generate(expression, parse(expression), variables, functions)
    return Program(expression, python, functions)


def load(
    expression: str,
    python_source: str,
    *,
    functions: Mapping[str, Function] = _NO_FUNCTIONS,
    code: CodeType | None = None,
) -> Program:
    """A program from ``Program.python`` of an earlier run, and its ``Program.code`` if the same Python made it.

    Both are executed: they must come from a place that only we write.
    """
    return Program(expression, python_source, functions, code)


_NAMES: dict[str, Any] = {
    **{name: getattr(runtime, name) for name in runtime.__all__},
    "STEPS": STEPS,
    "TYPES": TYPES,
    "UNKNOWN": UNKNOWN,
    **{kind.__name__: kind for kind in (bool, bytes, dict, float, frozenset, int, list, str, type)},
    "len": len,
}
