"""The tree to the source text of one Python function ``run(b)`` over the bindings.

The text starts with two comment lines that ``program`` reads back: the variables it reads and the functions it calls.
``&&`` and ``||`` become a try per operand, which costs nothing until an operand fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bulkhead.engines.cel import loops, operations, runtime
from bulkhead.engines.cel import syntax as s
from bulkhead.engines.cel.calls import call, dotted
from bulkhead.engines.cel.emit import NOTHING, Body, Emitter, Value
from bulkhead.engines.cel.values import TYPES

_OUTLINED = (s.Logical, s.Comprehension, s.Conditional, s.Opened, s.Bind, s.MapLiteral, s.ListLiteral, s.Call)


def generate(text: str, tree: s.Node, variables: frozenset[str], functions: Mapping[str, Any]) -> str:
    """The Python source for a tree."""
    emitter = Emitter(text, variables, functions)
    emitter.visit = lambda node: _visit(emitter, node)
    result = emitter.plain(emitter.visit(tree))
    emitter.line(f"return {result.text}")
    lines = [
        " ".join(["# reads", *sorted(emitter.reads)]),
        " ".join(["# calls", *sorted(emitter.calls)]),
        *emitter.constants,
        *emitter.outlined,
        "def run(b):",
        *_loads(emitter.body),
    ]
    if any("c[0]" in line or "(b, c" in line for line in (*emitter.body.lines, *emitter.outlined)):
        lines.append(" c = [STEPS]")
    return "\n".join([*lines, *emitter.body.lines, ""])


def _loads(body: Body) -> list[str]:
    return [f" v_{name.replace('_', '__').replace('.', '_d')} = b[{name!r}]" for name in sorted(body.reads)]


def _visit(emitter: Emitter, node: s.Node) -> Value:
    if emitter.crowded and isinstance(node, _OUTLINED):
        return _outline(emitter, node)
    return _VISITORS[type(node)](emitter, node)


def _outline(emitter: Emitter, node: s.Node) -> Value:
    """A function of its own for a part that is nested deeper than Python allows."""
    name = emitter.fresh("f")
    local = sorted({value.text for value in emitter.scope.values() if value.text[0] in "lt"})
    outer, emitter.body = emitter.body, Body()
    value = _VISITORS[type(node)](emitter, node)
    emitter.line(f"return {value.text}")
    inner, emitter.body = emitter.body, outer
    parameters = ", ".join(["b", "c", *local])
    emitter.outlined += [f"def {name}({parameters}):", *_loads(inner), *inner.lines]
    return emitter.named(Value(f"{name}({parameters})", value.kind))


def _name(emitter: Emitter, node: s.Name) -> Value:
    if not node.absolute and node.name in emitter.scope:
        return emitter.scope[node.name]
    if node.name in emitter.variables:
        return emitter.read(node.name)
    return _type(emitter, node.name) or _unknown(emitter, node)


def _type(emitter: Emitter, name: str) -> Value | None:
    return emitter.hoisted(f"TYPES[{name!r}]", "", TYPES[name]) if name in TYPES else None


def _unknown(emitter: Emitter, node: s.Name) -> Value:
    from difflib import get_close_matches

    near = get_close_matches(node.name, [*emitter.variables, *emitter.scope], 1)
    known = ", ".join(sorted(emitter.variables)[:10])
    hint = f"did you mean {near[0]!r}?" if near else (f"known: {known}" if known else "no variables are known here")
    raise emitter.fail(node, f"unknown variable {node.name!r}", hint)


def _select(emitter: Emitter, node: s.Select) -> Value:
    if not node.optional:
        name = dotted(node)
        if name and name.split(".", 1)[0] not in emitter.scope:
            if name in emitter.variables:
                return emitter.read(name)
            kind = _type(emitter, name) if name.split(".", 1)[0] not in emitter.variables else None
            if kind is not None:
                return kind
    return operations.select(emitter, emitter.visit(node.operand), node.field, optional=node.optional)


def _has(emitter: Emitter, node: s.Has) -> Value:
    # A variable whose name has a dot is a field of something that is not there itself: it is always set.
    name = f"{dotted(node.operand)}.{node.field}"
    if name.split(".", 1)[0] not in emitter.scope and name in emitter.variables:
        return emitter.constant(value=True)
    return operations.has(emitter, emitter.visit(node.operand), node.field)


def _index(emitter: Emitter, node: s.Index) -> Value:
    operand = emitter.named(emitter.visit(node.operand))
    return operations.index(emitter, operand, emitter.visit(node.key), optional=node.optional)


def _unary(emitter: Emitter, node: s.Unary) -> Value:
    value = emitter.visit(node.operand)
    function = runtime.negated if node.operator == "!" else runtime.negative
    if value.constant is not NOTHING:
        folded = operations.fold(emitter, function, value.constant)
        if folded is not None:
            return folded
    value = emitter.plain(value)
    if node.operator == "!" and value.kind == "bool":
        return emitter.made(f"(not {value.text})", "bool", value)
    kind = "bool" if node.operator == "!" else (value.kind if value.kind in {"int", "float"} else "")
    return emitter.made(f"{function.__name__}({value.text})", kind, value)


def _binary(emitter: Emitter, node: s.Binary) -> Value:
    left = emitter.visit(node.left)
    return operations.binary(emitter, node.operator, left, emitter.visit(node.right))


def _logical(emitter: Emitter, node: s.Logical) -> Value:
    """Any operand that decides wins; otherwise the first error; otherwise the neutral answer."""
    decides, otherwise = ("False", "True") if node.operator == "&&" else ("True", "False")
    result, error = emitter.fresh(), emitter.fresh("e")
    emitter.line(f"{error} = None")
    with emitter.block("while True:", counted=True):
        for operand in node.operands[:-1]:
            with emitter.block("try:", counted=True):
                value = emitter.visit(operand)
                loops.decide(emitter, value, decides, otherwise, f"{result} = {decides}; break")
            emitter.line(f"except ERRORS as x: {error} = keep({error}, x)")
        value = emitter.plain(emitter.visit(node.operands[-1]))
        emitter.line(f"{result} = {value.text}")
        if value.kind != "bool":
            emitter.line(f"if {result} is not True and {result} is not False: boolean({result})")
        emitter.line(f"if {error} is not None and {result} is {otherwise}: raise {error}")
        emitter.line("break")
    return Value(result, "bool", atom=True)


def _conditional(emitter: Emitter, node: s.Conditional) -> Value:
    test = emitter.visit(node.test)
    if type(test.constant) is bool:
        # The branch not taken is still checked for names.
        emitter.captured(node.otherwise if test.constant else node.then)
        return emitter.visit(node.then if test.constant else node.otherwise)
    if test.kind != "bool":
        test = emitter.made(f"boolean({emitter.plain(test).text}, '_?_:_')", "bool", test)
    then_lines, then = emitter.captured(node.then)
    else_lines, otherwise = emitter.captured(node.otherwise)
    kind = then.kind if then.kind == otherwise.kind else ""
    if kind != "opt":
        then, otherwise = (_boxed(value) for value in (then, otherwise))
    if not then_lines and not else_lines:
        text = f"({then.text} if {test.text} else {otherwise.text})"
        return emitter.made(text, kind, test, then, otherwise)
    result = emitter.fresh()
    for opening, lines, value in ((f"if {test.text}:", then_lines, then), ("else:", else_lines, otherwise)):
        with emitter.block(opening):
            emitter.body.lines += lines
            emitter.line(f"{result} = {value.text}")
    return Value(result, kind, atom=True)


def _boxed(value: Value) -> Value:
    return Value(f"box({value.text})", nesting=value.nesting + 1) if value.kind == "opt" else value


def _list(emitter: Emitter, node: s.ListLiteral) -> Value:
    if not any(item.optional for item in node.items):
        values = [emitter.plain(emitter.visit(item.value)) for item in node.items]
        text = f"[{', '.join(value.text for value in values)}]"
        if all(value.constant is not NOTHING for value in values):
            return emitter.hoisted(text, "list", [value.constant for value in values])
        return emitter.made(text, "list", *values)
    result = emitter.fresh()
    emitter.line(f"{result} = []")
    for item in node.items:
        if item.optional:
            value = emitter.bare(emitter.visit(item.value))
            emitter.line(f"if {value.text} is not ABSENT: {result}.append({value.text})")
        else:
            emitter.line(f"{result}.append({emitter.plain(emitter.visit(item.value)).text})")
    return Value(result, "list", atom=True)


def _map(emitter: Emitter, node: s.MapLiteral) -> Value:
    if not any(entry.optional for entry in node.entries):
        pairs = [(emitter.plain(emitter.visit(e.key)), emitter.plain(emitter.visit(e.value))) for e in node.entries]
        keys = [key.constant for key, _ in pairs]
        if all(type(key) is str for key in keys) and len(set(keys)) == len(keys):
            text = "{" + ", ".join(f"{key.text}: {value.text}" for key, value in pairs) + "}"
            if all(value.constant is not NOTHING for _, value in pairs):
                return emitter.hoisted(text, "dict", {key.constant: value.constant for key, value in pairs})
            return emitter.made(text, "dict", *(value for _, value in pairs))
        text = f"new_map([{', '.join(f'({key.text}, {value.text})' for key, value in pairs)}])"
        return emitter.made(text, "", *(part for pair in pairs for part in pair))
    result = emitter.fresh()
    emitter.line(f"{result} = {{}}")
    for entry in node.entries:
        key = emitter.named(emitter.plain(emitter.visit(entry.key)))
        value = emitter.visit(entry.value)
        value = emitter.bare(value) if entry.optional else emitter.plain(value)
        guard = f"if {value.text} is not ABSENT: " if entry.optional else ""
        emitter.line(f"{guard}{result} = put({result}, {key.text}, {value.text})")
    return Value(result, "", atom=True)


_VISITORS: dict[type, Callable[[Emitter, Any], Value]] = {
    s.Constant: lambda emitter, node: emitter.constant(node.value),
    s.Name: _name,
    s.Select: _select,
    s.Has: _has,
    s.Index: _index,
    s.Call: call,
    s.Unary: _unary,
    s.Binary: _binary,
    s.Logical: _logical,
    s.Conditional: _conditional,
    s.ListLiteral: _list,
    s.MapLiteral: _map,
    s.Comprehension: loops.comprehension,
    s.Bind: loops.bind,
    s.Opened: loops.opened,
}
