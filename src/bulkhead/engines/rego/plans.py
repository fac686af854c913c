"""``plan.json`` to the types of ``ir`` and back. A plan is what a stranger may have written: every index is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

from bulkhead.core.errors import ParseError
from bulkhead.engines.rego import ir

MAX_BYTES = 64 * 1024 * 1024
MAX_STATEMENTS = 1_000_000
MAX_DEPTH = 120
MAX_LOCAL = 1_000_000
MAX_FUNCTIONS = 100_000


def decode(data: bytes) -> ir.Policy:
    """The plan in a file.

    Raises:
        ParseError: it is none.
    """
    if len(data) > MAX_BYTES:
        raise ParseError("plan: larger than 64 MiB")
    try:
        raw = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ParseError(f"plan: not JSON: {error}") from None
    except RecursionError:
        raise ParseError("plan: nested too deep") from None
    return read(raw)


def read(raw: Any) -> ir.Policy:
    """The plan in a value as JSON has it.

    Raises:
        ParseError: it is none.
    """
    return _Reader().policy(raw)


def check(policy: ir.Policy) -> None:
    """Look at every index of a plan that was made here.

    Raises:
        ParseError: one points nowhere.
    """
    reader = _Reader()
    reader.bounds(policy)


def encode(policy: ir.Policy) -> bytes:
    """The plan as OPA writes it."""
    return msgspec.json.encode(written(policy))


def written(policy: ir.Policy) -> dict[str, Any]:
    """The plan as a value as JSON has it."""
    return {
        "static": {
            "strings": [{"value": text} for text in policy.strings],
            "builtin_funcs": [{"name": name} for name in policy.builtins],
            "files": [{"value": name} for name in policy.files],
        },
        "plans": {
            "plans": [
                {"name": plan.name, "blocks": [_written_block(block) for block in plan.blocks]} for plan in policy.plans
            ]
        },
        "funcs": {
            "funcs": [
                {
                    "name": func.name,
                    "params": list(func.params),
                    "return": func.result,
                    "blocks": [_written_block(block) for block in func.blocks],
                    **({"path": list(func.path)} if func.path else {}),
                }
                for func in policy.funcs
            ]
        },
    }


def _written_block(block: ir.Block) -> dict[str, Any]:
    return {"stmts": [{"type": type(stmt).__name__, "stmt": _written_stmt(stmt)} for stmt in block.stmts]}


def _written_stmt(stmt: ir.Stmt) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for field in msgspec.structs.fields(stmt):
        value = getattr(stmt, field.name)
        if isinstance(value, ir.Block):
            value = _written_block(value)
        elif field.name == "blocks":
            value = [_written_block(block) for block in value]
        else:
            value = msgspec.to_builtins(value)
        out[field.encode_name] = value
    return out


def blocks_of(stmt: ir.Stmt) -> tuple[ir.Block, ...]:
    """The blocks in a statement."""
    kind = type(stmt)
    if kind is ir.BlockStmt:
        return stmt.blocks  # type: ignore[attr-defined, no-any-return]
    if kind is ir.NotStmt or kind is ir.ScanStmt or kind is ir.WithStmt:
        return (stmt.block,)  # type: ignore[attr-defined]
    return ()


def locals_of(stmt: ir.Stmt) -> Iterator[int]:
    """Every local that a statement names itself, not in its blocks."""
    plain, operands, lists = _SHAPES[type(stmt)]
    for name in plain:
        yield getattr(stmt, name)
    for name in operands:
        value = getattr(stmt, name)
        if type(value) is ir.Local:
            yield value.value
    for name in lists:
        for item in getattr(stmt, name):
            if type(item) is int:
                yield item
            elif type(item) is ir.Local:
                yield item.value


def strings_of(stmt: ir.Stmt) -> Iterator[int]:
    """Every index into the table of strings that a statement has."""
    _, operands, lists = _SHAPES[type(stmt)]
    for name in operands:
        value = getattr(stmt, name)
        if type(value) is ir.StringIndex:
            yield value.value
    for name in lists:
        for item in getattr(stmt, name):
            if type(item) is ir.StringIndex:
                yield item.value
    if type(stmt) is ir.MakeNumberRefStmt:
        yield stmt.index
    if type(stmt) is ir.WithStmt:
        yield from stmt.path


_NUMBERS = frozenset({"file", "col", "row", "index", "capacity"})


def _shape(kind: type[ir.Stmt]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The fields of a statement that are locals, operands, and lists of either."""
    fields = msgspec.structs.fields(kind)
    number = kind in {ir.AssignIntStmt, ir.MakeNumberIntStmt}
    plain = (f.name for f in fields if f.type is int and f.name not in _NUMBERS and not (number and f.name == "value"))
    operands = (f.name for f in fields if f.type == ir.Operand)
    lists = (f.name for f in fields if f.name in {"args", "path"} and kind is not ir.WithStmt)
    return tuple(plain), tuple(operands), tuple(lists)


_SHAPES = {kind: _shape(kind) for kind in ir.STATEMENTS.values()}


class _Reader:
    """Reads one plan; ``_strings`` is known before the statements that point into it."""

    def __init__(self) -> None:
        self._strings = 0
        self._statements = 0

    def policy(self, raw: Any) -> ir.Policy:
        whole = self._object(raw, "plan", {"static", "plans", "funcs"})
        static = self._object(whole.get("static") or {}, "static", {"strings", "builtin_funcs", "files"})
        strings = self._texts(static.get("strings"), "static.strings", "value")
        builtins = self._texts(static.get("builtin_funcs"), "static.builtin_funcs", "name", {"decl"})
        files = self._texts(static.get("files"), "static.files", "value")
        self._strings = len(strings)
        plans = self._object(whole.get("plans") or {}, "plans", {"plans"}).get("plans") or []
        funcs = self._object(whole.get("funcs") or {}, "funcs", {"funcs"}).get("funcs") or []
        policy = ir.Policy(
            strings,
            builtins,
            files,
            tuple(self._plan(item) for item in self._list(plans, "plans.plans")),
            tuple(self._func(item) for item in self._list(funcs, "funcs.funcs")),
        )
        for kind, names in (("plan", [p.name for p in policy.plans]), ("function", [f.name for f in policy.funcs])):
            if len(set(names)) != len(names):
                raise ParseError(f"plan: two {kind}s of one name")
        return policy

    def bounds(self, policy: ir.Policy) -> None:
        self._strings = len(policy.strings)
        named = [*((plan.name, plan.blocks) for plan in policy.plans), *((f.name, f.blocks) for f in policy.funcs)]
        for name, blocks in named:
            stack = [(block, 0) for block in blocks]
            while stack:
                block, depth = stack.pop()
                if depth > MAX_DEPTH:
                    self._wrong(name, f"blocks are nested deeper than {MAX_DEPTH}")
                for stmt in block.stmts:
                    self._check(stmt, name, depth)
                    stack += [(inner, depth + 1) for inner in blocks_of(stmt)]

    def _plan(self, raw: Any) -> ir.Plan:
        found = self._object(raw, "plans.plans", {"name", "blocks"})
        name = self._text(found.get("name"), "the name of a plan")
        return ir.Plan(name, self._blocks(found.get("blocks"), name, 0))

    def _func(self, raw: Any) -> ir.Func:
        found = self._object(raw, "funcs.funcs", {"name", "params", "return", "blocks", "path"})
        name = self._text(found.get("name"), "the name of a function")
        params = tuple(self._number(item, name) for item in self._list(found.get("params") or [], name))
        if len(set(params)) != len(params):
            self._wrong(name, "two parameters are one local")
        result = self._number(found.get("return"), name)
        path = tuple(self._text(item, name) for item in self._list(found.get("path") or [], name))
        return ir.Func(name, params, result, self._blocks(found.get("blocks"), name, 0), path)

    def _blocks(self, raw: Any, where: str, depth: int) -> tuple[ir.Block, ...]:
        return tuple(self._block(item, where, depth) for item in self._list(raw or [], where))

    def _block(self, raw: Any, where: str, depth: int) -> ir.Block:
        if depth > MAX_DEPTH:
            self._wrong(where, f"blocks are nested deeper than {MAX_DEPTH}")
        found = self._object(raw, where, {"stmts"})
        return ir.Block(tuple(self._stmt(item, where, depth) for item in self._list(found.get("stmts") or [], where)))

    def _stmt(self, raw: Any, where: str, depth: int) -> ir.Stmt:
        self._statements += 1
        if self._statements > MAX_STATEMENTS:
            self._wrong(where, "too many statements")
        found = self._object(raw, where, {"type", "stmt"})
        name = self._text(found.get("type"), where)
        kind = ir.STATEMENTS.get(name)
        if kind is None:
            self._wrong(where, f"unknown statement {name[:60]!r}")
        # A list that OPA left empty is written as null.
        given = {key: value for key, value in self._object(found.get("stmt"), where).items() if value is not None}
        inner = {key: given.pop(key) for key in ("block", "blocks") if key in given}
        if kind in _WITH_BLOCK:
            given["block"] = {}
        try:
            stmt = msgspec.convert(given, kind, strict=True)
        except msgspec.ValidationError as error:
            self._wrong(where, f"{name}: {error}")
        self._check(stmt, where, depth)
        if kind is ir.BlockStmt:
            return msgspec.structs.replace(stmt, blocks=self._blocks(inner.pop("blocks", ()), where, depth + 1))
        if kind in _WITH_BLOCK:
            if "block" not in inner:
                self._wrong(where, f"{name} has no block")
            stmt = msgspec.structs.replace(stmt, block=self._block(inner.pop("block"), where, depth + 1))
        if inner:
            self._wrong(where, f"{name} has no blocks")
        return stmt

    def _check(self, stmt: ir.Stmt, where: str, depth: int) -> None:
        for number in locals_of(stmt):
            if not 0 <= number <= MAX_LOCAL:
                self._wrong(where, f"no local {number}")
        if isinstance(stmt, ir.BreakStmt) and not 0 <= stmt.index <= depth:
            self._wrong(where, f"break {stmt.index} leaves the function")
        if isinstance(stmt, ir.MakeArrayStmt) and not 0 <= stmt.capacity <= MAX_STATEMENTS:
            self._wrong(where, "an array of that capacity cannot be made")
        for index in strings_of(stmt):
            if not 0 <= index < self._strings:
                self._wrong(where, f"no string {index}")

    # Shapes.

    def _wrong(self, where: str, message: str) -> NoReturn:
        raise ParseError(f"plan: {message}", where=where[:200])

    def _object(self, raw: Any, where: str, known: set[str] | None = None) -> dict[str, Any]:
        if not isinstance(raw, dict):
            self._wrong(where, "an object is expected")
        unknown = sorted(map(str, raw.keys() - known)) if known is not None else []
        if unknown:
            self._wrong(where, f"unknown field {unknown[0][:60]!r}")
        return raw

    def _list(self, raw: Any, where: str) -> list[Any]:
        if not isinstance(raw, (list, tuple)):
            self._wrong(where, "a list is expected")
        if len(raw) > MAX_STATEMENTS:
            self._wrong(where, "a list is too long")
        return list(raw)

    def _text(self, raw: Any, where: str) -> str:
        if not isinstance(raw, str):
            self._wrong(where, "a string is expected")
        return raw

    def _number(self, raw: Any, where: str) -> int:
        if type(raw) is not int or not 0 <= raw <= MAX_LOCAL:
            self._wrong(where, "a local is expected")
        return raw

    def _texts(self, raw: Any, where: str, field: str, more: set[str] | None = None) -> tuple[str, ...]:
        return tuple(
            self._text(self._object(item, where, {field, *(more or ())}).get(field), where)
            for item in self._list(raw or [], where)
        )


_WITH_BLOCK = frozenset({ir.NotStmt, ir.ScanStmt, ir.WithStmt})
