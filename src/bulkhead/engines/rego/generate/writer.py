"""Lines of one Python function, the blocks that are open in it, and jumps out of them.

A block of a plan is written in one of three ways: *nested*, where what can fail opens an ``if`` and falling through
ends the block; *once*, a loop that runs once and is left with ``break``; *each*, the body of a loop over a collection,
left with ``continue``. Parts that are nested deeper than Python allows become functions of their own inside.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

# Python refuses 20 nested loops and 100 levels of indentation.
MAX_LOOPS = 12
MAX_INDENT = 40


class Frame(msgspec.Struct, eq=False):
    """One open block of the plan.

    Attributes:
        way: nested, once or each.
        flag: the name that says that it is being left from deeper inside, once one is needed.
        at: the line in ``home`` where the flag is put down.
    """

    way: str
    home: list[str]
    at: int
    flag: str = ""


class Loop(msgspec.Struct, eq=False):
    """One open loop of the Python text, or an inner function.

    Attributes:
        frame: the block that it is; None for an inner function.
        through: blocks further out that are left from inside it.
    """

    frame: Frame | None
    through: list[Frame] = msgspec.field(default_factory=list)


class Writer:
    """Holds the text."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.indent = 1
        self.frames: list[Frame] = []
        self.loops: list[Loop] = []
        self.inner: list[list[str]] = []
        """Inner functions, each with its lines."""
        self.names: dict[str, None] = {}
        """Names that are assigned anywhere and may be read before."""
        self.spot = 0
        """The statement that is being written, by its number; it stands behind each line after a NUL."""
        self.ended = Loop(None)
        """The loop over a collection that was left last."""
        self._count = 0

    def fresh(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def line(self, text: str) -> None:
        self.lines.append(f"{' ' * self.indent}{text}\0{self.spot}")

    @property
    def crowded(self) -> bool:
        return len(self.loops) >= MAX_LOOPS or self.indent >= MAX_INDENT

    @contextmanager
    def indented(self, opening: str) -> Iterator[None]:
        self.line(opening)
        before = self.indent
        self.indent += 1
        start = len(self.lines)
        yield
        if len(self.lines) == start:
            self.line("pass")
        self.indent = before

    # What can fail.

    def require(self, condition: str, otherwise: str) -> None:
        """Go on where it holds; else the innermost block is undefined.

        Args:
            condition: an expression.
            otherwise: its opposite.
        """
        frame = self.frames[-1]
        if frame.way == "nested":
            self.line(f"if {condition}:")
            self.indent += 1
        else:
            self.line(f"if {otherwise}: {self._leave(frame)}")

    def fail(self) -> None:
        """The innermost block is undefined; nothing follows in it."""
        frame = self.frames[-1]
        if frame.way != "nested":
            self.line(self._leave(frame))

    def _leave(self, frame: Frame) -> str:
        assert self.loops[-1].frame is frame
        return "continue" if frame.way == "each" else "break"

    def jump(self, frame: Frame) -> None:
        """Leave this block from wherever the writer is inside it."""
        innermost = self.loops[-1]
        if innermost.frame is frame:
            self.line(self._leave(frame))
            return
        if not frame.flag:
            frame.flag = self.fresh("j")
            frame.home[frame.at] = frame.home[frame.at].replace("pass", f"{frame.flag} = False")
            self.names[frame.flag] = None
        self.line(f"{frame.flag} = True")
        if frame not in innermost.through:
            innermost.through.append(frame)
        self.line("break" if innermost.frame is not None else "return U")

    # Blocks.

    @contextmanager
    def block(self, way: str) -> Iterator[Frame]:
        """One block of the plan; for ``each`` the loop's own line is written already and the indent is its body's."""
        before = self.indent
        if way == "once":
            self.line("while True:")
            self.indent += 1
        start = len(self.lines)
        self.line("pass")
        frame = Frame(way, self.lines, start)
        self.frames.append(frame)
        loop = Loop(frame)
        if way != "nested":
            self.loops.append(loop)
        yield frame
        self.frames.pop()
        if self.lines[-1].partition("\0")[0].endswith(":"):
            self.line("pass")
        if way == "once":
            self.indent = before + 1
            self.line("break")
        self.indent = before
        if way != "nested":
            self.loops.pop()
            if way == "once":
                self.passed(loop)
            else:
                self.ended = loop

    def passed(self, loop: Loop) -> None:
        """After a loop: go on leaving where something further out is left."""
        for frame in loop.through:
            with self.indented(f"if {frame.flag}:"):
                self.jump(frame)

    @contextmanager
    def outlined(self) -> Iterator[None]:
        """What is written meanwhile goes into an inner function that is called here; it gives back what is returned."""
        name, result = self.fresh("h"), self.fresh("x")
        lines, self.lines = self.lines, []
        indent, self.indent = self.indent, 2
        loops, self.loops = self.loops, [Loop(None)]
        yield
        loop = self.loops.pop()
        self.inner.append([f" def {name}():", *self.lines, "  return U"])
        self.lines, self.indent, self.loops = lines, indent, loops
        self.line(f"{result} = {name}()")
        self.line(f"if type({result}) is tuple: return {self.given(result)}")
        self.passed(loop)

    def given(self, result: str) -> str:
        """What to return for what an inner function returned."""
        return result if any(loop.frame is None for loop in self.loops) else f"{result}[0]"

    def give(self, value: str) -> None:
        """Return from the function."""
        inside = any(loop.frame is None for loop in self.loops)
        self.line(f"return ({value},)" if inside else f"return {value}")
