"""References: into input, into data with the rules that lie over it, and into any other value."""

from __future__ import annotations

from collections.abc import Sequence

from bulkhead.engines.rego.compile import unify, walk
from bulkhead.engines.rego.compile.emit import Block, Operand, local
from bulkhead.engines.rego.compile.frame import Frame, Then
from bulkhead.engines.rego.compile.tree import Node, Path
from bulkhead.engines.rego.syntax import Array, Boolean, Null, Number, Object, Ref, String, Term, Var

HELD = "$held"
"""The key of data below which values are that stand in for functions; no policy can name it by accident."""


def plan(frame: Frame, term: Ref, then: Then) -> None:
    """The value of a reference, then what follows, inside a loop for each key that is not bound."""
    if isinstance(term.head, Var) and term.head.name == "data":
        _data(frame, term, then)
    else:
        frame.term(term.head, lambda operand: into(frame, operand, term.keys, then))


def into(frame: Frame, operand: Operand, keys: Sequence[Term], then: Then) -> None:
    """What is below a value."""
    if not keys:
        then(operand)
        return
    key, rest = keys[0], keys[1:]
    if not chooses(frame, key):
        frame.term(key, lambda found: into(frame, frame.writer.dot(operand, found), rest, then))
        return
    writer = frame.writer
    source = writer.as_local(operand)
    name, value = writer.fresh(), writer.fresh()
    block: Block = []
    with writer.inside(block):
        unify.match(frame, key, local(name), lambda: into(frame, local(value), rest, then))
    writer.put("ScanStmt", source=source, key=name, value=value, block={"stmts": block})


def chooses(frame: Frame, key: Term) -> bool:
    """Whether the key is to be found rather than known."""
    if isinstance(key, Var):
        return key.name not in walk.ROOTS and not frame.is_bound(key.name)
    if isinstance(key, Array | Object):
        return any(chooses(frame, part) for part in walk.parts(key))
    return False


def held(frame: Frame, name: str) -> Operand:
    """The value that stands in for a function."""
    constants = frame.writer.constants
    return frame.writer.dot(frame.writer.dot(frame.data, constants.operand(HELD)), constants.operand(name))


def _data(frame: Frame, term: Ref, then: Then) -> None:
    """Down the tree of rules as long as keys are constants; what is left is below a value."""
    node: Node | None = frame.planner.root
    path: list[str] = []
    keys = list(term.keys)
    while keys and isinstance(keys[0], String) and node is not None:
        following = node.children.get(keys[0].value)
        if following is None or frame.world.shadowed((*path, keys[0].value)):
            break
        node = following
        path.append(keys[0].value)
        keys.pop(0)
        if node.group is not None:
            break
    if node is not None and node.group is not None:
        if node.group.kind == "function":
            raise frame.failed(term.at, f"data.{'.'.join(path)} is a function")
        _call(frame, frame.planner.document(frame, term.at, node.group), keys, then)
    elif node is None or (keys and _is_base(keys[0])):
        # No rule lies there: what is in data, and nothing else.
        found = base(frame, tuple(path))
        while keys and isinstance(keys[0], Number):
            found = _numbered(frame, found, keys[0].text)
            keys.pop(0)
        into(frame, found, keys, then)
    elif keys:
        _children(frame, term, tuple(path), node, keys, then)
    else:
        _call(frame, frame.planner.extent(frame, term.at, tuple(path), node), keys, then)


def _numbered(frame: Frame, operand: Operand, text: str) -> Operand:
    """What data has at a number: an item of an array, or a key of an object, whose keys are texts there."""
    writer = frame.writer
    target, number = writer.fresh(), writer.fresh()
    writer.put("ResetLocalStmt", target=target)
    writer.put("MakeNumberRefStmt", Index=writer.constants.number(text), target=number)
    writer.branches(
        [{"type": "DotStmt", "stmt": {"source": operand, "key": local(number), "target": target}}],
        [
            {"type": "IsUndefinedStmt", "stmt": {"source": target}},
            {"type": "DotStmt", "stmt": {"source": operand, "key": writer.constants.operand(text), "target": target}},
        ],
    )
    writer.put("IsDefinedStmt", source=target)
    return local(target)


def _is_base(key: Term) -> bool:
    """Whether the key is a constant that no rule's name can be, or one that no rule has."""
    return isinstance(key, String | Number | Boolean | Null)


def _children(frame: Frame, term: Ref, path: Path, node: Node, keys: Sequence[Term], then: Then) -> None:
    """A key that is computed, where rules lie below: each of them is tried, and what is in data besides."""
    writer = frame.writer
    key, rest = keys[0], tuple(keys[1:])
    names = sorted({name for part in keys for name in walk.variables(part, closures=False) if not frame.is_bound(name)})
    rows = writer.fresh()
    writer.put("MakeArrayStmt", capacity=0, target=rows)

    def keep(value: Operand) -> None:
        row = writer.fresh()
        writer.put("MakeArrayStmt", capacity=len(names) + 1, target=row)
        for operand in (*(frame.held[name] for name in names), value):
            writer.put("ArrayAppendStmt", value=operand, array=row)
        writer.put("ArrayAppendStmt", value=local(row), array=rows)

    below = [child for child in sorted(node.children) if not frame.world.shadowed((*path, child))]
    blocks = []
    for child in below:
        inner = Ref(term.at, term.head, (*(String(term.at, name) for name in (*path, child)), *rest))
        block: Block = []
        with writer.inside(block):
            constant = writer.constants.operand(child)
            unify.match(frame, key, constant, lambda inner=inner: plan(frame, inner, keep))  # type: ignore[misc]
        blocks.append(block)

    def others(value: Operand, name: Operand) -> None:
        for child in below:
            writer.put("NotEqualStmt", a=name, b=writer.constants.operand(child))
        into(frame, value, rest, keep)

    base_block: Block = []
    with writer.inside(base_block):
        found = base(frame, path)
        if chooses(frame, key):
            source = writer.as_local(found)
            name, value = writer.fresh(), writer.fresh()
            scanned: Block = []
            with writer.inside(scanned):
                unify.match(frame, key, local(name), lambda: others(local(value), local(name)))
            writer.put("ScanStmt", source=source, key=name, value=value, block={"stmts": scanned})
        else:
            frame.term(key, lambda name: others(writer.dot(found, name), name))
    writer.branches(*blocks, base_block)
    index, row = writer.fresh(), writer.fresh()
    block = []
    with writer.inside(block):
        _restored(frame, names, local(row), then)
    writer.put("ScanStmt", source=rows, key=index, value=row, block={"stmts": block})


def _restored(frame: Frame, names: list[str], row: Operand, then: Then, index: int = 0) -> None:
    """What a row holds: the variables, and last the value."""
    writer = frame.writer
    key = writer.fresh()
    writer.put("MakeNumberIntStmt", value=index, target=key)
    value = writer.dot(row, local(key))
    if index == len(names):
        then(value)
        return
    with frame.bound(names[index], value):
        _restored(frame, names, row, then, index + 1)


def _call(frame: Frame, function: str, keys: Sequence[Term], then: Then) -> None:
    target = frame.writer.fresh()
    frame.writer.put("CallStmt", func=function, args=[frame.input, frame.data], result=target)
    into(frame, local(target), keys, then)


def base(frame: Frame, path: Path) -> Operand:
    """What is in data at a path, undefined where there is nothing."""
    found = frame.data
    for name in path:
        found = frame.writer.dot(found, frame.writer.constants.operand(name))
    return found
