"""OPA's intermediate form: what a policy is between its text and Python (OPA, "Intermediate Representation (IR)").

The statements are OPA's, by OPA's names; ``plans`` reads and writes the ``plan.json`` of bundles. A block ends when one
of its statements is undefined; what follows it goes on with the next block. ``Break`` 0 ends its own block, ``Break`` n
that one and the n around it. Locals belong to one function; 0 is the input and 1 the data.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

INPUT, DATA = 0, 1


class Local(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="local"):
    """A local variable as an operand."""

    value: int


class Bool(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="bool"):
    value: bool


class StringIndex(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag="string_index"):
    """A string of the policy's table."""

    value: int


Operand: TypeAlias = Local | Bool | StringIndex


class Stmt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Any statement: where in the policy's text it comes from (``file`` is an index, rows and columns count from 1)."""

    file: int = 0
    col: int = 0
    row: int = 0


class ArrayAppendStmt(Stmt, frozen=True, kw_only=True):
    value: Operand
    array: int


class AssignIntStmt(Stmt, frozen=True, kw_only=True):
    value: int
    target: int


class AssignVarOnceStmt(Stmt, frozen=True, kw_only=True):
    """An error where the target holds another value already."""

    source: Operand
    target: int


class AssignVarStmt(Stmt, frozen=True, kw_only=True):
    source: Operand
    target: int


class BlockStmt(Stmt, frozen=True, kw_only=True):
    """Blocks one after the other; one that is undefined ends alone."""

    blocks: tuple[Block, ...] = ()


class BreakStmt(Stmt, frozen=True, kw_only=True):
    index: int


class CallStmt(Stmt, frozen=True, kw_only=True):
    """A function of the policy or a built-in, by its name."""

    func: str
    args: tuple[Operand, ...] = ()
    result: int


class CallDynamicStmt(Stmt, frozen=True, kw_only=True):
    """A function by its path, which is found when it runs."""

    path: tuple[Operand, ...]
    args: tuple[int, ...] = ()
    result: int


class DotStmt(Stmt, frozen=True, kw_only=True):
    source: Operand
    key: Operand
    target: int


class EqualStmt(Stmt, frozen=True, kw_only=True):
    a: Operand
    b: Operand


class IsArrayStmt(Stmt, frozen=True, kw_only=True):
    source: Operand


class IsDefinedStmt(Stmt, frozen=True, kw_only=True):
    source: int


class IsObjectStmt(Stmt, frozen=True, kw_only=True):
    source: Operand


class IsSetStmt(Stmt, frozen=True, kw_only=True):
    source: Operand


class IsUndefinedStmt(Stmt, frozen=True, kw_only=True):
    source: int


class LenStmt(Stmt, frozen=True, kw_only=True):
    source: Operand
    target: int


class MakeArrayStmt(Stmt, frozen=True, kw_only=True):
    capacity: int = 0
    target: int


class MakeNullStmt(Stmt, frozen=True, kw_only=True):
    target: int


class MakeNumberIntStmt(Stmt, frozen=True, kw_only=True):
    value: int
    target: int


class MakeNumberRefStmt(Stmt, frozen=True, kw_only=True):
    """A number as it is written in the policy's table of strings; OPA writes ``Index`` with a capital."""

    index: int = msgspec.field(name="Index")
    target: int


class MakeObjectStmt(Stmt, frozen=True, kw_only=True):
    target: int


class MakeSetStmt(Stmt, frozen=True, kw_only=True):
    target: int


class NopStmt(Stmt, frozen=True, kw_only=True):
    """Nothing."""


class NotEqualStmt(Stmt, frozen=True, kw_only=True):
    a: Operand
    b: Operand


class NotStmt(Stmt, frozen=True, kw_only=True):
    block: Block


class ObjectInsertOnceStmt(Stmt, frozen=True, kw_only=True):
    """An error where the key holds another value already."""

    key: Operand
    value: Operand
    object: int


class ObjectInsertStmt(Stmt, frozen=True, kw_only=True):
    key: Operand
    value: Operand
    object: int


class ObjectMergeStmt(Stmt, frozen=True, kw_only=True):
    """Two objects as one, all the way down; ``a`` wins."""

    a: int
    b: int
    target: int


class ResetLocalStmt(Stmt, frozen=True, kw_only=True):
    target: int


class ResultSetAddStmt(Stmt, frozen=True, kw_only=True):
    value: int


class ReturnLocalStmt(Stmt, frozen=True, kw_only=True):
    source: int


class ScanStmt(Stmt, frozen=True, kw_only=True):
    """The block for each key and value; ``Break`` 0 goes on with the next."""

    source: int
    key: int
    value: int
    block: Block


class SetAddStmt(Stmt, frozen=True, kw_only=True):
    value: Operand
    set: int


class WithStmt(Stmt, frozen=True, kw_only=True):
    """The block with another value at a path (indices of strings) of a local."""

    local: int
    path: tuple[int, ...] = ()
    value: Operand
    block: Block


class Block(msgspec.Struct, frozen=True):
    stmts: tuple[Stmt, ...] = ()


class Plan(msgspec.Struct, frozen=True):
    """An entry point; it answers with what its blocks put into the result set."""

    name: str
    blocks: tuple[Block, ...]


class Func(msgspec.Struct, frozen=True):
    """A function.

    Attributes:
        path: where ``CallDynamic`` finds it; empty where it does not.
    """

    name: str
    params: tuple[int, ...]
    result: int
    blocks: tuple[Block, ...]
    path: tuple[str, ...] = ()


class Policy(msgspec.Struct, frozen=True):
    """A planned policy.

    Attributes:
        builtins: the names of the built-ins that it may call.
        files: the names of its texts, for messages.
    """

    strings: tuple[str, ...]
    builtins: tuple[str, ...]
    files: tuple[str, ...]
    plans: tuple[Plan, ...]
    funcs: tuple[Func, ...]


STATEMENTS: dict[str, type[Stmt]] = {kind.__name__: kind for kind in Stmt.__subclasses__()}
"""By the name that ``plan.json`` gives them."""
