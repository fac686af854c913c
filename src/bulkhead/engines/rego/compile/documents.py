"""The blocks of the function that makes a document, or of a function, from the rules of its group."""

from __future__ import annotations

from collections.abc import Iterator

from bulkhead.engines.rego.compile import unify
from bulkhead.engines.rego.compile.emit import Block, Operand, Writer, local
from bulkhead.engines.rego.compile.frame import After, Frame, Planning, World
from bulkhead.engines.rego.compile.tree import Group
from bulkhead.engines.rego.syntax import Boolean, Rule, Term


def blocks(planner: Planning, group: Group, writer: Writer, world: World, result: int) -> Iterator[Block]:
    """Block by block; the last returns."""
    makes = {"set": "MakeSetStmt", "object": "MakeObjectStmt"}
    if group.kind in makes:
        yield [{"type": makes[group.kind], "stmt": {"target": result}}]
    rules = [(entry, planner.prepared(entry)) for entry in group.entries]
    if group.kind == "object":
        # What lies deeper is made first, so that a value in its way is a conflict and never changed.
        rules.sort(key=lambda item: -len(group.rest(item[1], item[0].module)))
    for entry, rule in sorted(rules, key=lambda item: item[1].default):
        frame = planner.frame(entry, writer, world)
        if group.kind == "set":
            yield from _set(frame, rule, result)
        elif group.kind == "object":
            yield from _object(frame, rule, group.rest(rule, entry.module), result)
        else:
            yield from _value(frame, rule, result)
    yield [
        {"type": "IsDefinedStmt", "stmt": {"source": result}},
        {"type": "ReturnLocalStmt", "stmt": {"source": result}},
    ]


def _written(frame: Frame, write: After) -> Block:
    block: Block = []
    with frame.writer.inside(block):
        write()
    return block


def _arguments(frame: Frame, rule: Rule, then: After, index: int = 0) -> None:
    """The parameters matched with the rule's arguments."""
    given = rule.arguments or ()
    if index == len(given):
        then()
        return
    unify.match(frame, given[index], local(2 + index), lambda: _arguments(frame, rule, then, index + 1))


def _said(rule: Rule, value: Term | None) -> Term:
    return Boolean(rule.at, value=True) if value is None else value


def _value(frame: Frame, rule: Rule, result: int) -> Iterator[Block]:
    writer = frame.writer
    once = writer.fresh()

    def assign(value: Term | None) -> After:
        def put(operand: Operand) -> None:
            writer.put("AssignVarOnceStmt", source=operand, target=once)

        return lambda: frame.term(_said(rule, value), put)

    if rule.default:

        def fallback() -> None:
            writer.put("IsUndefinedStmt", source=result)
            frame.term(
                _said(rule, rule.value),
                lambda operand: writer.put("AssignVarOnceStmt", source=operand, target=result),
            )

        yield _written(frame, fallback)
        return

    def first() -> None:
        writer.put("ResetLocalStmt", target=once)
        _arguments(frame, rule, lambda: frame.body(rule.body, assign(rule.value)))

    yield _written(frame, first)
    for branch in rule.otherwise:

        def other(branch=branch) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 (bound now)
            writer.put("IsUndefinedStmt", source=once)
            _arguments(frame, rule, lambda: frame.body(branch.body, assign(branch.value)))

        yield _written(frame, other)
    yield [
        {"type": "IsDefinedStmt", "stmt": {"source": once}},
        {"type": "AssignVarOnceStmt", "stmt": {"source": local(once), "target": result}},
    ]


def _set(frame: Frame, rule: Rule, result: int) -> Iterator[Block]:
    writer = frame.writer
    member = rule.member
    if member is None:
        return

    def add(operand: Operand) -> None:
        writer.put("SetAddStmt", value=operand, set=result)

    yield _written(frame, lambda: frame.body(rule.body, lambda: frame.term(member, add)))


def _object(frame: Frame, rule: Rule, keys: tuple[Term, ...], result: int) -> Iterator[Block]:
    writer = frame.writer

    def insert(value: Term | None) -> After:
        def found(operands: list[Operand]) -> None:
            _placed(frame, result, operands[:-1], operands[-1], member=rule.member is not None)

        held = rule.member if rule.member is not None else _said(rule, value)
        return lambda: frame.terms((*keys, held), found)

    if rule.default:
        yield _written(
            frame, lambda: frame.terms(keys, lambda found: _missing(frame, result, found, insert(rule.value)))
        )
        return
    if not rule.otherwise:
        yield _written(frame, lambda: frame.body(rule.body, insert(rule.value)))
        return
    done = writer.fresh()

    def marked(value: Term | None) -> After:
        def both() -> None:
            insert(value)()
            writer.put("AssignVarStmt", source={"type": "bool", "value": True}, target=done)

        return both

    def first() -> None:
        writer.put("ResetLocalStmt", target=done)
        frame.body(rule.body, marked(rule.value))

    yield _written(frame, first)
    for branch in rule.otherwise:

        def other(branch=branch) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 (bound now)
            writer.put("IsUndefinedStmt", source=done)
            frame.body(branch.body, marked(branch.value))

        yield _written(frame, other)


def _missing(frame: Frame, target: int, keys: list[Operand], then: After) -> None:
    """What follows, where nothing is at a path of keys."""
    writer = frame.writer
    found = writer.fresh()
    writer.put("ResetLocalStmt", target=found)
    block: Block = []
    with writer.inside(block):
        below: Operand = local(target)
        for key in keys:
            below = writer.dot(below, key)
        writer.put("AssignVarStmt", source=below, target=found)
    writer.branches(block)
    writer.put("IsUndefinedStmt", source=found)
    then()


def _placed(frame: Frame, target: int, keys: list[Operand], value: Operand, *, member: bool) -> None:
    """The value put at a path of keys, with the objects on the way made where there are none."""
    writer = frame.writer
    way = keys if member else keys[:-1]
    held: list[tuple[int, Operand, int]] = []
    for index, key in enumerate(way, 1):
        inner = writer.fresh()
        writer.put("ResetLocalStmt", target=inner)
        writer.branches([{"type": "DotStmt", "stmt": {"source": local(target), "key": key, "target": inner}}])
        make = "MakeSetStmt" if member and index == len(way) else "MakeObjectStmt"
        writer.branches(
            [{"type": "IsUndefinedStmt", "stmt": {"source": inner}}, {"type": make, "stmt": {"target": inner}}]
        )
        held.append((target, key, inner))
        target = inner
    if member:
        writer.put("SetAddStmt", value=value, set=target)
    else:
        writer.put("ObjectInsertOnceStmt", key=keys[-1], value=value, object=target)
    # What was changed is put back where it was taken from: a plan's values do not share parts.
    for outer, key, inner in reversed(held):
        writer.put("ObjectInsertStmt", key=key, value=local(inner), object=outer)
