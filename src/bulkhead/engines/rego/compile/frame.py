"""A body being planned: what its variables are held in, what its names are replaced with, and where its statements go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import msgspec

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego.compile.emit import DATA, INPUT, Operand, Writer, local
from bulkhead.engines.rego.compile.tree import Entry, Group, Node, Path
from bulkhead.engines.rego.failures import TYPE
from bulkhead.engines.rego.syntax import Body, Rule, Term

Then = Callable[[Operand], None]
"""Writes what follows, for the value in the operand. It is called once, inside the loops that the value takes."""


After = Callable[[], None]
"""Writes what follows."""


class Planning(Protocol):
    """The planner, as the parts that plan one kind of thing ask it."""

    @property
    def root(self) -> Node:
        """The tree of all rules."""
        ...

    def arity(self, name: Path) -> int | None:
        """How many arguments a function takes; None for what is no function."""
        ...

    def is_value(self, name: Path) -> bool:
        """Whether rules make a value at the name."""
        ...

    def uses(self, name: Path) -> None:
        """A built-in is called."""
        ...

    def hidden(self) -> str:
        """A key that nothing else is held at."""
        ...

    def function(self, frame: Frame, at: int, path: Path, *, mocked: bool = True) -> str:
        """The planned name of a function of the policy."""
        ...

    def document(self, frame: Frame, at: int, group: Group) -> str:
        """The planned name of the function that makes a document."""
        ...

    def extent(self, frame: Frame, at: int, path: Path, node: Node) -> str:
        """The planned name of the function that makes everything below a path."""
        ...

    def prepared(self, entry: Entry) -> Rule:
        """A rule, ready to be planned."""
        ...

    def frame(self, entry: Entry, writer: Writer, world: World) -> Frame:
        """A frame for a rule."""
        ...

    def about(self, entry: Entry, name: Path) -> Term:
        """What ``rego.metadata`` tells a rule."""
        ...

    def term(self, frame: Frame, term: Term, then: Then) -> None:
        """The value of a term, then what follows."""
        ...

    def terms(self, frame: Frame, terms: Sequence[Term], then: Callable[[list[Operand]], None]) -> None:
        """The values of several."""
        ...

    def body(self, frame: Frame, body: Body, then: After) -> None:
        """Every literal of a body, then what follows."""
        ...


class Mock(msgspec.Struct, frozen=True):
    """What ``with`` puts in a function's place: another function, or the value held at a key of the hidden part of data."""

    function: Path = ()
    held: str = ""


class World(msgspec.Struct, frozen=True):
    """What ``with`` has changed around a body. Functions are planned anew for each.

    Attributes:
        mocks: functions by name with what stands in for them.
        shadows: paths below data at which no rule counts.
    """

    mocks: tuple[tuple[Path, Mock], ...] = ()
    shadows: frozenset[Path] = frozenset()

    def mock(self, name: Path) -> Mock | None:
        return next((mock for known, mock in reversed(self.mocks) if known == name), None)

    def shadowed(self, path: Path) -> bool:
        return any(path[: len(shadow)] == shadow for shadow in self.shadows)


class Frame:
    """The state of one function or query while it is planned."""

    def __init__(
        self,
        planner: Planning,
        writer: Writer,
        world: World,
        failed: Callable[[int, str, str], ExpressionError],
        entry: Entry | None = None,
    ) -> None:
        self.planner = planner
        self.writer = writer
        self.world = world
        self._failed = failed
        self.entry = entry
        self.held: dict[str, Operand] = {}

    def failed(self, at: int, message: str, kind: str = TYPE) -> ExpressionError:
        return self._failed(at, message, kind)

    @property
    def input(self) -> Operand:
        return local(INPUT)

    @property
    def data(self) -> Operand:
        return local(DATA)

    def is_bound(self, name: str) -> bool:
        return name in self.held

    def term(self, term: Term, then: Then) -> None:
        self.planner.term(self, term, then)

    def terms(self, terms: Sequence[Term], then: Callable[[list[Operand]], None]) -> None:
        self.planner.terms(self, terms, then)

    def body(self, body: Body, then: After) -> None:
        self.planner.body(self, body, then)

    @contextmanager
    def bound(self, name: str, operand: Operand) -> Iterator[None]:
        """While what follows is planned, the variable is held there."""
        self.held[name] = operand
        try:
            yield
        finally:
            del self.held[name]
