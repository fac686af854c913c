"""Statements of a plan as they are made: constants, locals and the block that is being written (OPA, "Intermediate Representation")."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Operand = dict[str, Any]
Statement = dict[str, Any]
Block = list[Statement]

INPUT, DATA = 0, 1
"""The locals that every function has first."""


def local(number: int) -> Operand:
    return {"type": "local", "value": number}


def boolean(value: bool) -> Operand:  # noqa: FBT001 (the value itself)
    return {"type": "bool", "value": value}


class Constants:
    """The strings of a plan, each once."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self._index.setdefault(text, len(self._index))

    def operand(self, text: str) -> Operand:
        return {"type": "string_index", "value": self.number(text)}

    def listed(self) -> list[dict[str, str]]:
        return [{"value": text} for text in self._index]


class Writer:
    """One function being written."""

    def __init__(self, constants: Constants, first: int) -> None:
        self.constants = constants
        self.block: Block = []
        self._next = first

    def fresh(self) -> int:
        self._next += 1
        return self._next - 1

    def put(self, kind: str, **fields: Any) -> None:
        self.block.append({"type": kind, "stmt": fields})

    @contextmanager
    def inside(self, block: Block) -> Iterator[None]:
        """Statements go into this block for a while."""
        outer, self.block = self.block, block
        try:
            yield
        finally:
            self.block = outer

    def as_local(self, operand: Operand) -> int:
        """The operand in a local."""
        if operand["type"] == "local":
            return int(operand["value"])
        target = self.fresh()
        self.put("AssignVarStmt", source=operand, target=target)
        return target

    def dot(self, source: Operand, key: Operand) -> Operand:
        target = self.fresh()
        self.put("DotStmt", source=source, key=key, target=target)
        return local(target)

    def branches(self, *blocks: Block) -> None:
        """Blocks one after the other; what is undefined in one ends that one alone."""
        self.put("BlockStmt", blocks=[{"stmts": block} for block in blocks])

    def never(self) -> None:
        """What follows in this block is not reached."""
        empty = self.fresh()
        self.put("ResetLocalStmt", target=empty)
        self.put("IsDefinedStmt", source=empty)
