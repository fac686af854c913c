"""Literals of bodies into statements."""

from __future__ import annotations

import msgspec

from bulkhead.engines.rego.compile import modifiers, unify
from bulkhead.engines.rego.compile.emit import Block, Operand, boolean, local
from bulkhead.engines.rego.compile.frame import After, Frame
from bulkhead.engines.rego.syntax import Body, Call, Every, Expression, Literal, Some, SomeIn


def plan(frame: Frame, body: Body, then: After, index: int = 0) -> None:
    """Every literal of a body from ``index`` on, then what follows."""
    if index == len(body):
        then()
        return
    _literal(frame, body[index], lambda: plan(frame, body, then, index + 1))


def _literal(frame: Frame, literal: Literal, then: After) -> None:
    if isinstance(literal, Some):
        then()
    elif literal.modifiers:
        modifiers.plan(frame, literal, then)
    elif isinstance(literal, SomeIn):
        _some(frame, literal, then)
    elif isinstance(literal, Every):
        _every(frame, literal)
        then()
    elif literal.negated:
        block: Block = []
        with frame.writer.inside(block):
            _literal(frame, msgspec.structs.replace(literal, negated=False), lambda: None)
        frame.writer.put("NotStmt", block={"stmts": block})
        then()
    else:
        _expression(frame, literal, then)


def _expression(frame: Frame, literal: Expression, then: After) -> None:
    term = literal.term
    if isinstance(term, Call) and term.name == ("eq",):
        left, right = term.arguments
        unify.plan(frame, left, right, then)
    else:
        frame.term(term, lambda operand: _holds(frame, operand, then))


def _holds(frame: Frame, operand: Operand, then: After) -> None:
    if operand != boolean(value=True):
        frame.writer.put("NotEqualStmt", a=operand, b=boolean(value=False))
    then()


def _some(frame: Frame, literal: SomeIn, then: After) -> None:
    def found(domain: Operand) -> None:
        writer = frame.writer
        source = writer.as_local(domain)
        key, value = writer.fresh(), writer.fresh()
        block: Block = []
        with writer.inside(block):
            if literal.key is None:
                unify.match(frame, literal.value, local(value), then)
            else:
                inner = literal.value
                unify.match(frame, literal.key, local(key), lambda: unify.match(frame, inner, local(value), then))
        writer.put("ScanStmt", source=source, key=key, value=value, block={"stmts": block})

    frame.term(literal.domain, found)


def _every(frame: Frame, literal: Every) -> None:
    """No element without an answer: the body is tried for each, and one that it does not hold for is remembered."""
    writer = frame.writer
    failed = writer.fresh()
    writer.put("ResetLocalStmt", target=failed)
    seen = writer.fresh()
    writer.put("ResetLocalStmt", target=seen)

    def found(domain: Operand) -> None:
        source = writer.as_local(domain)
        _collection(frame, source)
        writer.put("AssignVarStmt", source=boolean(value=True), target=seen)
        key, value, held = writer.fresh(), writer.fresh(), writer.fresh()
        block: Block = []
        with writer.inside(block):
            writer.put("ResetLocalStmt", target=held)
            tried: Block = []
            with writer.inside(tried):
                _declared(
                    frame,
                    literal,
                    local(key),
                    local(value),
                    lambda: writer.put("AssignVarStmt", source=boolean(value=True), target=held),
                )
            writer.branches(tried)
            writer.put("IsUndefinedStmt", source=held)
            writer.put("AssignVarStmt", source=boolean(value=True), target=failed)
        writer.branches(
            [{"type": "ScanStmt", "stmt": {"source": source, "key": key, "value": value, "block": {"stmts": block}}}]
        )

    whole: Block = []
    with writer.inside(whole):
        frame.term(literal.domain, found)
    writer.branches(whole)
    writer.put("IsDefinedStmt", source=seen)
    writer.put("IsUndefinedStmt", source=failed)


def _declared(frame: Frame, literal: Every, key: Operand, value: Operand, then: After) -> None:
    def inner() -> None:
        unify.match(frame, literal.value, value, lambda: plan(frame, literal.body, then))

    if literal.key is None:
        inner()
    else:
        unify.match(frame, literal.key, key, inner)


def _collection(frame: Frame, source: int) -> None:
    """Undefined for what has no elements to speak of."""
    writer = frame.writer
    known = writer.fresh()
    writer.put("ResetLocalStmt", target=known)
    mark = {"type": "AssignVarStmt", "stmt": {"source": boolean(value=True), "target": known}}
    kinds = ("IsArrayStmt", "IsObjectStmt", "IsSetStmt")
    writer.branches(*([{"type": kind, "stmt": {"source": local(source)}}, mark] for kind in kinds))
    writer.put("IsDefinedStmt", source=known)
