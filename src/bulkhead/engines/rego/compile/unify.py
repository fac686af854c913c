"""``a = b``: what is not bound is bound, what is bound is compared."""

from __future__ import annotations

from bulkhead.engines.rego.compile import walk
from bulkhead.engines.rego.compile.emit import Operand
from bulkhead.engines.rego.compile.frame import After, Frame
from bulkhead.engines.rego.syntax import Array, Object, Term, Var


def plan(frame: Frame, left: Term, right: Term, then: After) -> None:
    """Both terms made equal, then what follows."""
    if _is_free(frame, left) or (_is_pattern(frame, left) and not _is_pattern(frame, right)):
        frame.term(right, lambda operand: match(frame, left, operand, then))
    elif _is_free(frame, right) or (_is_pattern(frame, right) and not _is_pattern(frame, left)):
        frame.term(left, lambda operand: match(frame, right, operand, then))
    elif isinstance(left, Array) and isinstance(right, Array) and _is_pattern(frame, left):
        _pairs(frame, left, right, then)
    elif isinstance(left, Object) and isinstance(right, Object) and _is_pattern(frame, left):
        _objects(frame, left, right, then)
    else:
        frame.term(left, lambda one: frame.term(right, lambda other: _equal(frame, one, other, then)))


def match(frame: Frame, pattern: Term, operand: Operand, then: After) -> None:
    """The value matched with a pattern, then what follows."""
    writer = frame.writer
    if isinstance(pattern, Var) and pattern.name not in walk.ROOTS and not frame.is_bound(pattern.name):
        target = writer.fresh()
        writer.put("AssignVarStmt", source=operand, target=target)
        with frame.bound(pattern.name, {"type": "local", "value": target}):
            then()
    elif isinstance(pattern, Array) and _is_pattern(frame, pattern):
        source = writer.as_local(operand)
        writer.put("IsArrayStmt", source=operand)
        _has_length(frame, source, len(pattern.items))
        _items(frame, pattern, operand, 0, then)
    elif isinstance(pattern, Object) and _is_pattern(frame, pattern):
        source = writer.as_local(operand)
        writer.put("IsObjectStmt", source=operand)
        _has_length(frame, source, len(pattern.pairs))
        _values(frame, pattern, operand, 0, then)
    else:
        frame.term(pattern, lambda other: _equal(frame, operand, other, then))


def _equal(frame: Frame, one: Operand, other: Operand, then: After) -> None:
    frame.writer.put("EqualStmt", a=one, b=other)
    then()


def _is_free(frame: Frame, term: Term) -> bool:
    return isinstance(term, Var) and term.name not in walk.ROOTS and not frame.is_bound(term.name)


def _is_pattern(frame: Frame, term: Term) -> bool:
    """Whether matching binds something."""
    if isinstance(term, Array):
        return any(_is_free(frame, item) or _is_pattern(frame, item) for item in term.items)
    if isinstance(term, Object):
        return any(_is_free(frame, value) or _is_pattern(frame, value) for _, value in term.pairs)
    return False


def _has_length(frame: Frame, source: int, length: int) -> None:
    writer = frame.writer
    found, wanted = writer.fresh(), writer.fresh()
    writer.put("LenStmt", source={"type": "local", "value": source}, target=found)
    writer.put("MakeNumberIntStmt", value=length, target=wanted)
    writer.put("EqualStmt", a={"type": "local", "value": found}, b={"type": "local", "value": wanted})


def _items(frame: Frame, pattern: Array, operand: Operand, index: int, then: After) -> None:
    if index == len(pattern.items):
        then()
        return
    key = frame.writer.fresh()
    frame.writer.put("MakeNumberIntStmt", value=index, target=key)
    item = frame.writer.dot(operand, {"type": "local", "value": key})
    match(frame, pattern.items[index], item, lambda: _items(frame, pattern, operand, index + 1, then))


def _values(frame: Frame, pattern: Object, operand: Operand, index: int, then: After) -> None:
    if index == len(pattern.pairs):
        then()
        return
    key, value = pattern.pairs[index]

    def found(name: Operand) -> None:
        item = frame.writer.dot(operand, name)
        match(frame, value, item, lambda: _values(frame, pattern, operand, index + 1, then))

    frame.term(key, found)


def _pairs(frame: Frame, left: Array, right: Array, then: After, index: int = 0) -> None:
    if len(left.items) != len(right.items):
        frame.writer.never()
        then()
    elif index == len(left.items):
        then()
    else:
        plan(frame, left.items[index], right.items[index], lambda: _pairs(frame, left, right, then, index + 1))


def _objects(frame: Frame, left: Object, right: Object, then: After) -> None:
    """Two written objects that both bind: by their keys, which are constants in all that is unified so."""
    others = {repr(_unplaced(key)): value for key, value in right.pairs}
    mine = {repr(_unplaced(key)): value for key, value in left.pairs}
    if others.keys() != mine.keys():
        frame.writer.never()
        then()
        return

    def step(names: list[str]) -> None:
        if not names:
            then()
        else:
            plan(frame, mine[names[0]], others[names[0]], lambda: step(names[1:]))

    step(list(mine))


def _unplaced(term: Term) -> object:
    return getattr(term, "value", getattr(term, "text", getattr(term, "name", term)))
