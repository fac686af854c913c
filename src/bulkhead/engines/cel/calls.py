"""Which function a call means, and the Python for it.

A name is looked for among the user's own functions first, then among the few that are written inline here, then in
the library's table. A target that is a plain dotted name may be a namespace: ``math.greatest(...)``.
"""

from __future__ import annotations

from typing import Any

from bulkhead.engines.cel import syntax as s
from bulkhead.engines.cel.emit import NOTHING, Emitter, Value
from bulkhead.engines.cel.library import FUNCTIONS, MEMBERS, METHODS, resolve
from bulkhead.engines.cel.operations import fold
from bulkhead.engines.cel.runtime import ERRORS

_MAX_HOISTED = 1000


def dotted(node: s.Node | None) -> str:
    """``a.b.c`` for a chain of plain selections, else empty."""
    parts: list[str] = []
    while isinstance(node, s.Select) and not node.optional:
        parts.append(node.field)
        node = node.operand
    if not isinstance(node, s.Name):
        return ""
    return ".".join([node.name, *reversed(parts)])


def call(emitter: Emitter, node: s.Call) -> Value:
    if node.target is None:
        return _global(emitter, node, node.name)
    namespace = dotted(node.target)
    if namespace and namespace.split(".", 1)[0] not in emitter.scope:
        full = f"{namespace}.{node.name}"
        own = emitter.functions.get(full)
        if (own is not None and not own.receiver) or (full, len(node.arguments)) in FUNCTIONS or full in _OPTIONALS:
            return _global(emitter, node, full)
    return _member(emitter, node, node.target)


def _global(emitter: Emitter, node: s.Call, name: str) -> Value:
    arguments = [emitter.plain(emitter.visit(argument)) for argument in node.arguments]
    own = emitter.functions.get(name)
    if own is not None and not own.receiver:
        return _custom(emitter, node, own, arguments)
    count = len(arguments)
    if name in _OPTIONALS and count == _OPTIONALS[name][1]:
        text = _OPTIONALS[name][0].format(*(argument.text for argument in arguments))
        return emitter.made(text, "opt", *arguments)
    if name == "size" and count == 1:
        return _size(emitter, arguments[0])
    if name == "dyn" and count == 1:
        return arguments[0]
    if name == "matches" and count == 2:
        return _matches(emitter, node, arguments[0], arguments[1])
    entry = FUNCTIONS.get((name, count))
    if entry is None:
        raise _missing(emitter, node, name, FUNCTIONS)
    return _library(emitter, entry, arguments)


def _member(emitter: Emitter, node: s.Call, target: s.Node) -> Value:
    receiver = emitter.visit(target)
    own = emitter.functions.get(node.name)
    name, count = node.name, len(node.arguments)
    if own is None or not own.receiver:
        if (name, count) in {("hasValue", 0), ("value", 0), ("orValue", 1), ("or", 1)}:
            return _optional(emitter, node, receiver)
    arguments = [emitter.plain(receiver), *(emitter.plain(emitter.visit(argument)) for argument in node.arguments)]
    if own is not None and own.receiver:
        return _custom(emitter, node, own, arguments)
    if name == "size" and count == 0:
        return _size(emitter, arguments[0])
    if name == "matches" and count == 1:
        return _matches(emitter, node, arguments[0], arguments[1])
    if (name, count) in _SEARCHES:
        return _search(emitter, _SEARCHES[name, count], arguments)
    entry = METHODS.get((name, count))
    if entry is not None:
        return _library(emitter, entry, arguments)
    if MEMBERS.get(name) == count:
        text = ", ".join([arguments[0].text, ascii(name), *(argument.text for argument in arguments[1:])])
        return emitter.made(f"invoke({text})", "", *arguments)
    raise _missing(emitter, node, name, METHODS)


def _missing(emitter: Emitter, node: s.Call, name: str, table: Any) -> Exception:
    from difflib import get_close_matches

    shapes = {*table, *({*_INLINE, *MEMBERS.items()} if node.target is not None else _INLINE_FUNCTIONS)}
    names = {known for known, _ in shapes} | set(emitter.functions)
    if name in names:
        counts = ", ".join(str(count) for known, count in sorted(shapes) if known == name)
        return emitter.fail(node, f"{name}() does not take {len(node.arguments)} arguments", f"it takes {counts}")
    near = get_close_matches(name, names, 1)
    return emitter.fail(node, f"unknown function {name!r}", f"did you mean {near[0]!r}?" if near else "")


def _custom(emitter: Emitter, node: s.Call, own: Any, arguments: list[Value]) -> Value:
    taken = len(arguments) - own.receiver
    if own.arguments is not None and taken != own.arguments:
        raise emitter.fail(node, f"{own.name}() does not take {taken} arguments", f"it takes {own.arguments}")
    emitter.calls.add(f"{own.name}()")
    name = f"u_{own.name.replace('_', '__').replace('.', '_d')}"
    text = ", ".join([name, repr(own.name), *(argument.text for argument in arguments)])
    return emitter.made(f"custom({text})", "", *arguments)


def _library(emitter: Emitter, entry: str, arguments: list[Value]) -> Value:
    """A call of the table; made once, when the program is loaded, if its arguments are constants and it succeeds."""
    target, _, kind = entry.partition(" ")
    if all(argument.constant is not NOTHING for argument in arguments):
        constants = [argument.constant for argument in arguments]
        folded = fold(emitter, resolve(target), *constants)
        if folded is not None:
            return folded
        made = _made(target, constants)
        if made is not NOTHING:
            text = ", ".join(argument.text for argument in arguments)
            return emitter.hoisted(f"{emitter.library(target)}({text})", kind, made)
    text = f"{emitter.library(target)}({', '.join(argument.text for argument in arguments)})"
    value = emitter.made(text, kind, *arguments)
    return emitter.charged(value) if kind in {"str", "list"} else value


def _made(target: str, constants: list[Any]) -> Any:
    try:
        value = resolve(target)(*constants)
    except ERRORS:
        return NOTHING
    too_large = isinstance(value, (str, bytes, list, dict)) and len(value) > _MAX_HOISTED
    return NOTHING if too_large else value


def _size(emitter: Emitter, value: Value) -> Value:
    if value.kind in {"str", "list", "dict"}:
        return emitter.made(f"len({value.text})", "int", value)
    value = emitter.named(value)
    text = f"(len({value.text}) if type({value.text}) is list else size({value.text}))"
    return emitter.made(text, "int", value)


_SEARCHES = {
    ("startsWith", 1): ("{0}.startswith({1})", "text.starts_with"),
    ("endsWith", 1): ("{0}.endswith({1})", "text.ends_with"),
    ("contains", 1): ("({1} in {0})", "text.contains"),
}


def _search(emitter: Emitter, how: tuple[str, str], arguments: list[Value]) -> Value:
    template, target = how
    slow = emitter.library(target)
    if all(argument.constant is not NOTHING for argument in arguments):
        return _library(emitter, f"{target} bool", arguments)
    receiver = emitter.named(arguments[0])
    part = arguments[1] if type(arguments[1].constant) is str else emitter.named(arguments[1])
    checks = [f"type({value.text}) is str" for value in (receiver, part) if value.kind != "str"]
    fast = template.format(receiver.text, part.text)
    text = f"({fast} if {' and '.join(checks) or 'True'} else {slow}({receiver.text}, {part.text}))"
    return emitter.made(text, "bool", receiver, part)


def _matches(emitter: Emitter, node: s.Call, value: Value, pattern: Value) -> Value:
    if type(pattern.constant) is not str:
        return _library(emitter, "patterns.matches bool", [value, pattern])
    try:
        resolve("patterns.compiled")(pattern.constant)
    except ERRORS as error:
        raise emitter.fail(node, f"invalid regular expression: {error}") from None
    matcher = emitter.hoisted(f"{emitter.library('patterns.compiled')}({pattern.text})", "")
    return emitter.made(f"{emitter.library('patterns.search')}({value.text}, {matcher.text})", "bool", value)


# Optionals are kept bare, so their functions are written in place.

_OPTIONALS = {
    "optional.none": ("ABSENT", 0),
    "optional.of": ("{0}", 1),
    "optional.ofNonZeroValue": ("non_zero({0})", 1),
}


_INLINE = {
    *_SEARCHES,
    *(("size", 0), ("matches", 1), ("hasValue", 0), ("value", 0), ("orValue", 1), ("or", 1)),
    *(("all", 2), ("exists", 2), ("exists_one", 2), ("map", 2), ("filter", 2), ("sortBy", 2), ("optMap", 2)),
    *(("all", 3), ("exists", 3), ("map", 3), ("optFlatMap", 2), ("transformList", 3), ("transformMap", 3)),
}
_INLINE_FUNCTIONS = {("size", 1), ("matches", 2), ("dyn", 1), ("has", 1)}


def _optional(emitter: Emitter, node: s.Call, receiver: Value) -> Value:
    inside = emitter.bare(receiver)
    name = inside.text
    if node.name == "hasValue":
        return emitter.made(f"({name} is not ABSENT)", "bool", inside)
    if node.name == "value":
        return emitter.made(f"present({name})", "", inside)
    # What stands in is evaluated only when it is needed.
    lines, other = emitter.captured(node.arguments[0])
    kind = "opt" if node.name == "or" else ""
    if kind:
        text = other.text if other.kind == "opt" else f"unbox({other.text})"
    else:
        text = f"box({other.text})" if other.kind == "opt" else other.text
    if not lines:
        return emitter.made(f"({text} if {name} is ABSENT else {name})", kind, inside, other)
    result = emitter.fresh()
    with emitter.block(f"if {name} is ABSENT:"):
        emitter.body.lines += lines
        emitter.line(f"{result} = {text}")
    with emitter.block("else:"):
        emitter.line(f"{result} = {name}")
    return Value(result, kind, atom=True)
