"""Each kind of statement to Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from bulkhead.engines.rego import ir
from bulkhead.engines.rego.generate.analysis import changed_by, shared_by
from bulkhead.engines.rego.generate.folding import constants
from bulkhead.engines.rego.generate.lower import MAKING, SOME, Fact, Lowering
from bulkhead.engines.rego.values import U, same


def write(f: Lowering, stmts: Sequence[ir.Stmt], at: int) -> int:
    """Write the statement, and those behind it that are written with it; how many they were."""
    stmt = stmts[at]
    if type(stmt) in MAKING:
        return _construct(f, stmts, at)
    shared = shared_by(stmt)
    if isinstance(stmt, ir.ScanStmt):
        f.share(shared)
    _WRITERS[type(stmt)](f, stmt)
    f.share(shared)
    return 1


def _construct(f: Lowering, stmts: Sequence[ir.Stmt], at: int) -> int:
    """Statements that make values, as constants where they are; how many were written."""
    count, made = constants(f, stmts, at)
    if f.module.instrumented:
        for stmt in stmts[at + 1 : at + count]:
            f.line(f"w.ran({f.module.spot(stmt)})")
    for local, value in made.items():
        f.assign(local, "", f.module.constant(value))
    if count:
        return count
    return _literal(f, stmts, at)


def _literal(f: Lowering, stmts: Sequence[ir.Stmt], at: int) -> int:
    """An array, an object or a set with what is put into it right away."""
    stmt = stmts[at]
    target: int = stmt.target  # type: ignore[attr-defined]
    if isinstance(stmt, ir.MakeSetStmt):
        f.assign(target, "Set()", Fact("Set", own=True))
        return 1
    parts: list[str] = []
    keys: set[str] = set()
    count = 1
    for follows in stmts[at + 1 :] if not f.module.instrumented else ():
        if changed_by(follows) != target:
            break
        value = follows.value  # type: ignore[attr-defined]
        if not f.is_defined(value) or (type(value) is ir.Local and value.value == target):
            break
        if isinstance(follows, ir.ArrayAppendStmt) and isinstance(stmt, ir.MakeArrayStmt):
            parts.append(f.operand(value))
        elif (
            isinstance(follows, ir.ObjectInsertStmt)
            and isinstance(stmt, ir.MakeObjectStmt)
            and type(follows.key) is ir.StringIndex
        ):
            key = f.operand(follows.key)
            if key in keys:
                break
            keys.add(key)
            parts.append(f"{key}: {f.operand(value)}")
        else:
            break
        count += 1
    for follows in stmts[at + 1 : at + count]:
        f.share(shared_by(follows))
    if isinstance(stmt, ir.MakeArrayStmt):
        f.assign(target, f"[{', '.join(parts)}]", Fact("list", own=True))
    else:
        f.assign(target, f"{{{', '.join(parts)}}}", Fact("dict", own=True))
    return count


def _assign_var(f: Lowering, stmt: ir.AssignVarStmt) -> None:
    defined = f.is_defined(stmt.source)
    fact = msgspec.structs.replace(f.fact(stmt.source), own=False, base=False) if defined else None
    f.assign(stmt.target, f.operand(stmt.source), fact)


def _assign_once(f: Lowering, stmt: ir.AssignVarOnceStmt) -> None:
    name, text = f.name(stmt.target), f.operand(stmt.source)
    fact = f.fact(stmt.source)
    held = f.facts.get(stmt.target)
    differs = _differs(f.read(stmt.target), held or Fact(), text, fact)
    if held is None:
        f.line(f"if {name} is U: {name} = {text}")
        f.line(f"elif {differs}: raise {f.conflict}")
    else:
        f.line(f"if {differs}: raise {f.conflict}")
    f.assign(stmt.target, name, SOME if f.is_defined(stmt.source) else None)


def _equals(a: str, left: Fact, b: str, right: Fact) -> str:
    if left.value is not U and right.value is not U:
        return str(same(left.value, right.value))
    if left.value is not U:
        a, left, b, right = b, right, a, left
    value = right.value
    if value is None or value is True or value is False:
        return f"{a} is {b}"
    if type(value) is str or (type(value) is int and value not in {0, 1}):
        return f"{a} == {b}"
    if left.kind == right.kind == "str":
        return f"{a} == {b}"
    return f"same({a}, {b})"


def _differs(a: str, left: Fact, b: str, right: Fact) -> str:
    text = _equals(a, left, b, right)
    if text in {"True", "False"}:
        return str(text == "False")
    for operator, opposite in ((" is ", " is not "), (" == ", " != ")):
        if text in {f"{a}{operator}{b}", f"{b}{operator}{a}"}:
            return text.replace(operator, opposite, 1) if operator not in a + b else f"not ({text})"
    return f"not {text}"


def _equal(f: Lowering, stmt: ir.EqualStmt) -> None:
    left, right = f.fact(stmt.a), f.fact(stmt.b)
    a, b = f.operand(stmt.a), f.operand(stmt.b)
    f.require(_equals(a, left, b, right), _differs(a, left, b, right))


def _not_equal(f: Lowering, stmt: ir.NotEqualStmt) -> None:
    f.defined(stmt.a)
    f.defined(stmt.b)
    left, right = f.fact(stmt.a), f.fact(stmt.b)
    a, b = f.operand(stmt.a), f.operand(stmt.b)
    f.require(_differs(a, left, b, right), _equals(a, left, b, right))


def _dot(f: Lowering, stmt: ir.DotStmt) -> None:
    source, key = f.operand(stmt.source), f.operand(stmt.key)
    held, by = f.fact(stmt.source), f.fact(stmt.key)
    if held.value is not U:
        text = f"dot({source}, {key})"
    elif by.kind == "str":
        if held.kind == "dict":
            text = f"{source}.get({key}, U)"
        elif held.kind in {"", "Set"}:
            text = f"{source}.get({key}, U) if type({source}) is dict else dot({source}, {key})"
        else:
            text = "U"
    elif by.kind == "int" and type(by.value) is int and by.value >= 0:
        text = f"{source}[{key}] if type({source}) is list and len({source}) > {key} else dot({source}, {key})"
    else:
        text = f"dot({source}, {key})"
    base = held.base or stmt.source == ir.Local(ir.DATA)
    if base and by.kind != "str":
        text = f"dot_base({source}, {key})"
    f.found(stmt.target, text, Fact(base=base))


def _is(kinds: str, more: str = "") -> Callable[[Lowering, Any], None]:
    def write(f: Lowering, stmt: Any) -> None:
        text = f.operand(stmt.source)
        kind = f.fact(stmt.source).kind
        if kind == kinds:
            return
        if more:
            f.require(f"type({text}) is {kinds} or type({text}) is {more}", f"not isinstance({text}, {kinds})")
        else:
            f.require(f"type({text}) is {kinds}", f"type({text}) is not {kinds}")
        if type(stmt.source) is ir.Local and not f.fact(stmt.source).text:
            f.facts[stmt.source.value] = Fact(kinds)

    return write


def _is_defined(f: Lowering, stmt: ir.IsDefinedStmt) -> None:
    f.defined(ir.Local(stmt.source))


def _is_undefined(f: Lowering, stmt: ir.IsUndefinedStmt) -> None:
    if stmt.source in f.facts:
        f.require("False", "True")
    else:
        text = f.read(stmt.source)
        f.require(f"{text} is U", f"{text} is not U")


def _len(f: Lowering, stmt: ir.LenStmt) -> None:
    f.found(stmt.target, f"length({f.operand(stmt.source)})", Fact("int"))


def _reset(f: Lowering, stmt: ir.ResetLocalStmt) -> None:
    name = f.name(stmt.target)
    f.names[name] = None
    f.line(f"{name} = U")
    f.facts.pop(stmt.target, None)


# What adds to a value


def _owned(f: Lowering, local: int, kind: str, copy: str) -> bool:
    """A value of ours in the local that may be added to; False where it cannot be of this kind."""
    fact = f.facts.get(local)
    if fact is not None and fact.own:
        if fact.kind != kind:
            f.require("False", "True")
        return fact.kind == kind
    # What came from elsewhere is copied first: nobody else's value is changed.
    f.found(local, f"{copy}(w, {f.read(local)})", Fact(kind, own=True))
    return True


def _added(f: Lowering, operand: ir.Operand, to: int) -> str:
    """The value that is added; one that is added to itself is copied first."""
    f.defined(operand)
    text = f.operand(operand)
    if type(operand) is ir.Local and operand.value == to:
        f.share((to,))
        name = f.fresh("v")
        f.line(f"{name} = {text}")
        return name
    return text


def _array_append(f: Lowering, stmt: ir.ArrayAppendStmt) -> None:
    value = _added(f, stmt.value, stmt.array)
    if _owned(f, stmt.array, "list", "own_list"):
        f.line(f"{f.name(stmt.array)}.append({value})")


def _set_add(f: Lowering, stmt: ir.SetAddStmt) -> None:
    value = _added(f, stmt.value, stmt.set)
    if _owned(f, stmt.set, "Set", "own_set"):
        f.line(f"{f.name(stmt.set)}.add({value})")


def _object_insert(f: Lowering, stmt: ir.ObjectInsertStmt) -> None:
    value = _added(f, stmt.value, stmt.object)
    key = _added(f, stmt.key, stmt.object)
    if not _owned(f, stmt.object, "dict", "own_dict"):
        return
    name = f.name(stmt.object)
    if f.fact(stmt.key).kind == "str":
        f.line(f"{name}[{key}] = {value}")
    else:
        f.line(f"{name} = put({name}, {key}, {value})")


def _object_insert_once(f: Lowering, stmt: ir.ObjectInsertOnceStmt) -> None:
    key = _added(f, stmt.key, stmt.object)
    value = _added(f, stmt.value, stmt.object)
    if _owned(f, stmt.object, "dict", "own_dict"):
        name = f.name(stmt.object)
        f.line(f"{name} = put_once({name}, {key}, {value})")


def _object_merge(f: Lowering, stmt: ir.ObjectMergeStmt) -> None:
    f.found(stmt.target, f"merged(w, {f.read(stmt.a)}, {f.read(stmt.b)})", Fact("dict"))


def _result(f: Lowering, stmt: ir.ResultSetAddStmt) -> None:
    f.defined(ir.Local(stmt.value))
    f.line(f"r.append({f.read(stmt.value)})")


# What holds blocks


def _blocks(f: Lowering, stmt: ir.BlockStmt) -> None:
    for block in stmt.blocks:
        f.enter(block)


def _not(f: Lowering, stmt: ir.NotStmt) -> None:
    holds = f.fresh("n")
    f.names[holds] = None
    f.line(f"{holds} = True")
    f.enter(stmt.block, lambda: f.line(f"{holds} = False"))
    f.require(holds, f"not {holds}")


def _scan(f: Lowering, stmt: ir.ScanStmt) -> None:
    source = f.read(stmt.source)
    keyed = f.analysis.is_read(stmt.key)
    unordered = "_any" if f.analysis.in_any_order(stmt) and not f.module.instrumented else ""
    turns = f.fresh("t")
    f.line(f"{turns} = {'pairs' if keyed else 'each'}{unordered}(w, {source})")
    f.require(f"{turns} is not None", f"{turns} is None")
    before = dict(f.facts)
    if f.crowded:
        f.names[turns] = None
        with f.outlined():
            _loop(f, stmt, turns, keyed=keyed)
    else:
        _loop(f, stmt, turns, keyed=keyed)
    f.facts = f.after(before, stmt.block)
    for local in (stmt.key, stmt.value):
        if local in f.facts:
            f.facts[local] = SOME


def _loop(f: Lowering, stmt: ir.ScanStmt, turns: str, *, keyed: bool) -> None:
    key, value = f.name(stmt.key), f.name(stmt.value)
    before = dict(f.facts)
    f.facts = f.after(before, stmt.block)
    f.facts[stmt.key] = f.facts[stmt.value] = SOME
    if not keyed:
        f.facts.pop(stmt.key)
    indent = f.indent
    f.line(f"for {key}, {value} in {turns}:" if keyed else f"for {value} in {turns}:")
    f.indent += 1
    f.enter(stmt.block, loop=True)
    f.indent = indent
    f.passed(f.ended)


def _with(f: Lowering, stmt: ir.WithStmt) -> None:
    path = [f.module.strings[index] for index in stmt.path]
    if path:
        f.defined(stmt.value)
    done = f.fresh("n")
    f.names[done] = None
    old = f.read(stmt.local)
    new, memo = f.fresh("l_"), f.fresh("m")
    f.names[new] = f.names[memo] = None
    value = f.operand(stmt.value)
    f.line(f"{done} = False")
    f.line(f"{memo} = fresh(w)")
    f.line(f"{new} = {f'patched(w, {old}, {f.module.constant(path).text}, {value})' if path else value}")
    alias, held, before = f.alias, f.memo, f.facts.get(stmt.local)
    f.alias, f.memo = {**alias, stmt.local: new}, memo
    if path or f.is_defined(stmt.value):
        f.facts[stmt.local] = SOME
    else:
        f.facts.pop(stmt.local, None)
    f.enter(stmt.block, lambda: f.line(f"{done} = True"))
    f.alias, f.memo = alias, held
    f.facts.pop(stmt.local, None)
    if before is not None:
        f.facts[stmt.local] = before
    f.require(done, f"not {done}")


def _break(f: Lowering, stmt: ir.BreakStmt) -> None:
    if stmt.index:
        f.jump(f.frames[-1 - stmt.index])
    else:
        f.fail()


_WRITERS: Mapping[type[ir.Stmt], Callable[[Lowering, Any], None]] = {
    ir.ArrayAppendStmt: _array_append,
    ir.AssignIntStmt: lambda f, s: f.assign(s.target, "", f.module.constant(s.value)),
    ir.AssignVarOnceStmt: _assign_once,
    ir.AssignVarStmt: _assign_var,
    ir.BlockStmt: _blocks,
    ir.BreakStmt: _break,
    ir.CallStmt: lambda f, s: f.module.call(f, s),
    ir.CallDynamicStmt: lambda f, s: f.module.call_dynamic(f, s),
    ir.DotStmt: _dot,
    ir.EqualStmt: _equal,
    ir.IsArrayStmt: _is("list"),
    ir.IsDefinedStmt: _is_defined,
    ir.IsObjectStmt: _is("dict", "Keyed"),
    ir.IsSetStmt: _is("Set"),
    ir.IsUndefinedStmt: _is_undefined,
    ir.LenStmt: _len,
    ir.NopStmt: lambda _f, _s: None,
    ir.NotEqualStmt: _not_equal,
    ir.NotStmt: _not,
    ir.ObjectInsertOnceStmt: _object_insert_once,
    ir.ObjectInsertStmt: _object_insert,
    ir.ObjectMergeStmt: _object_merge,
    ir.ResetLocalStmt: _reset,
    ir.ResultSetAddStmt: _result,
    ir.ReturnLocalStmt: lambda f, s: f.give(f.read(s.source)),
    ir.ScanStmt: _scan,
    ir.SetAddStmt: _set_add,
    ir.WithStmt: _with,
}
