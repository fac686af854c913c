"""Random plans: any statement where a plan may have it, on few locals, so that they meet."""

from __future__ import annotations

import random
from typing import Any

from bulkhead.engines.rego import ir

STRINGS = ("a", "b", "xs", "o", "1", "2.5", "10", "a b")
_NUMBERS = (4, 5, 6)
INPUT: dict[str, Any] = {"a": 1, "b": [1, "a", None, True], "xs": [{"a": 1}, {"a": "b"}, 2.5], "o": {"a": {"b": "a"}}}
DATA: dict[str, Any] = {"a": {"b": [True, False]}, "b": "a", "xs": ["b", "a", "a"], "o": {"b": 1, "a": 2, "xs": {}}}
_BUILTINS = {
    "plus": 2, "count": 1, "equal": 2, "neq": 2, "lt": 2, "gte": 2, "startswith": 2, "contains": 2, "concat": 2,
    "array.concat": 2, "object.keys": 1, "internal.member_2": 2, "div": 2, "sprintf": 2, "is_string": 1, "or": 2,
    "minus": 2, "sort": 1, "json.marshal": 1, "type_name": 1, "union": 1, "max": 1,
}  # fmt: skip
_LOCALS = 9


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.functions: list[ir.Func] = []
        self.params = 2
        self.plan = True

    def local(self) -> int:
        return self.random.randrange(2, _LOCALS)

    def any_local(self) -> int:
        return self.random.randrange(_LOCALS)

    def operand(self) -> ir.Operand:
        chance = self.random.random()
        if chance < 0.7:
            return ir.Local(self.any_local())
        if chance < 0.9:
            return ir.StringIndex(self.random.randrange(len(STRINGS)))
        return ir.Bool(self.random.random() < 0.5)

    def key(self) -> ir.Operand:
        return ir.StringIndex(self.random.randrange(4)) if self.random.random() < 0.6 else self.operand()

    def block(self, depth: int) -> ir.Block:
        size = self.random.randrange(1, 7 if depth < 2 else 4)
        return ir.Block(tuple(stmt for _ in range(size) for stmt in self.stmts(depth)))

    def stmts(self, depth: int) -> list[ir.Stmt]:
        """One statement, or some that belong together."""
        if self.random.random() < 0.2:
            return self.made(depth)
        return [self.stmt(depth)]

    def made(self, depth: int) -> list[ir.Stmt]:
        """A value that is made and filled."""
        target = self.local()
        kind = self.random.randrange(3)
        make = (ir.MakeArrayStmt(target=target), ir.MakeSetStmt(target=target), ir.MakeObjectStmt(target=target))[kind]
        return [make, *(self.add(kind, target) for _ in range(self.random.randrange(3)))]

    def add(self, kind: int, target: int) -> ir.Stmt:
        if kind == 0:
            return ir.ArrayAppendStmt(value=self.operand(), array=target)
        if kind == 1:
            return ir.SetAddStmt(value=self.operand(), set=target)
        once = self.random.random() < 0.3
        insert = ir.ObjectInsertOnceStmt if once else ir.ObjectInsertStmt
        return insert(key=self.key(), value=self.operand(), object=target)

    def stmt(self, depth: int) -> ir.Stmt:
        chance = self.random.random()
        if depth < 4 and chance < 0.3:
            return self.nested(depth)
        if chance < 0.36:
            return ir.BreakStmt(index=self.random.randrange(depth + 1))
        if chance < 0.5:
            return self.call()
        return self.simple()

    def nested(self, depth: int) -> ir.Stmt:
        kind = self.random.randrange(5)
        if kind <= 1:
            blocks = tuple(self.block(depth + 1) for _ in range(self.random.randrange(1, 4)))
            return ir.BlockStmt(blocks=blocks)
        if kind == 2:
            return ir.NotStmt(block=self.block(depth + 1))
        if kind == 3:
            key, value = self.local(), self.local()
            return ir.ScanStmt(source=self.any_local(), key=key, value=value, block=self.block(depth + 1))
        path = tuple(self.random.randrange(4) for _ in range(self.random.randrange(3)))
        local = self.random.choice((0, 1, self.local()))
        return ir.WithStmt(local=local, path=path, value=self.operand(), block=self.block(depth + 1))

    def call(self) -> ir.Stmt:
        if self.functions and self.random.random() < 0.5:
            func = self.random.choice(self.functions)
            world = (ir.Local(0), ir.Local(1)) if self.random.random() < 0.8 else (self.operand(), self.operand())
            more = tuple(self.operand() for _ in func.params[2:])
            if func.path and not more and self.random.random() < 0.3:
                path = tuple(ir.StringIndex(STRINGS.index(part)) for part in func.path)
                return ir.CallDynamicStmt(path=path, args=(0, 1), result=self.local())
            return ir.CallStmt(func=func.name, args=(*world, *more), result=self.local())
        name = self.random.choice(tuple(_BUILTINS))
        return ir.CallStmt(func=name, args=tuple(self.operand() for _ in range(_BUILTINS[name])), result=self.local())

    def simple(self) -> ir.Stmt:
        local = self.local
        makers = (
            lambda: ir.AssignVarStmt(source=self.operand(), target=local()),
            lambda: ir.AssignVarOnceStmt(source=self.operand(), target=local()),
            lambda: ir.AssignIntStmt(value=self.random.randrange(3), target=local()),
            lambda: ir.DotStmt(source=ir.Local(self.any_local()), key=self.key(), target=local()),
            lambda: ir.DotStmt(source=ir.Local(self.random.randrange(2)), key=self.key(), target=local()),
            lambda: ir.DotStmt(source=ir.Local(self.any_local()), key=self.key(), target=local()),
            lambda: ir.EqualStmt(a=self.operand(), b=self.operand()),
            lambda: ir.NotEqualStmt(a=self.operand(), b=self.operand()),
            lambda: ir.IsArrayStmt(source=self.operand()),
            lambda: ir.IsObjectStmt(source=self.operand()),
            lambda: ir.IsSetStmt(source=self.operand()),
            lambda: ir.IsDefinedStmt(source=self.any_local()),
            lambda: ir.IsUndefinedStmt(source=self.any_local()),
            lambda: ir.LenStmt(source=self.operand(), target=local()),
            lambda: ir.MakeNullStmt(target=local()),
            lambda: ir.MakeNumberIntStmt(value=self.random.randrange(3), target=local()),
            lambda: ir.MakeNumberRefStmt(index=self.random.choice(_NUMBERS), target=local()),
            lambda: self.add(self.random.randrange(3), local()),
            lambda: self.add(self.random.randrange(3), local()),
            lambda: ir.ObjectMergeStmt(a=self.any_local(), b=self.any_local(), target=local()),
            lambda: ir.ResetLocalStmt(target=local()),
            ir.NopStmt,
            lambda: ir.ResultSetAddStmt(value=self.any_local()) if self.plan else ir.NopStmt(),
            lambda: ir.ResultSetAddStmt(value=self.any_local()) if self.plan else ir.NopStmt(),
        )
        return self.random.choice(makers)()

    def func(self, number: int) -> ir.Func:
        self.plan = False
        params = tuple(range(2 + self.random.choice((0, 0, 1))))
        result = self.local()
        blocks = tuple(self.block(0) for _ in range(self.random.randrange(1, 4)))
        given = ir.Block((ir.ReturnLocalStmt(source=result),))
        path = ("a", STRINGS[number]) if self.random.random() < 0.5 else ()
        return ir.Func(f"f{number}", params, result, (*blocks, given), path)

    def policy(self) -> ir.Policy:
        for number in range(self.random.randrange(3)):
            self.functions.append(self.func(number))
        self.plan = True
        blocks = tuple(self.block(0) for _ in range(self.random.randrange(1, 4)))
        shown = ir.Block(tuple(ir.ResultSetAddStmt(value=local) for local in (2, 3)))
        return ir.Policy(STRINGS, tuple(_BUILTINS), (), (ir.Plan("p", (*blocks, shown)),), tuple(self.functions))


def made(seed: int) -> ir.Policy:
    """The plan of a number."""
    return _Maker(seed).policy()
