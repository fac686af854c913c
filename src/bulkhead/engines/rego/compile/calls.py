"""Calls of functions of the policy, of built-ins, and of what ``with`` puts in their place."""

from __future__ import annotations

from bulkhead.engines.rego.compile import metadata, references, unify
from bulkhead.engines.rego.compile.emit import Operand, local
from bulkhead.engines.rego.compile.frame import Frame, Mock, Then
from bulkhead.engines.rego.compile.tree import Path
from bulkhead.engines.rego.syntax import Call, Ref, String, Var

RELATIONS = frozenset({("walk",)})
"""Built-ins that answer with an array of answers."""


def plan(frame: Frame, call: Call, then: Then) -> None:
    """The answer of a call, then what follows."""
    name = ("equal",) if call.name == ("eq",) else call.name
    if not call.arguments and frame.planner.is_value(name):
        # A head with empty parentheses is a value; so is its call.
        frame.term(Ref(call.at, Var(call.at, "data"), tuple(String(call.at, part) for part in name[1:])), then)
        return
    takes = _takes(frame, call, name)
    given = call.arguments

    def answered(operand: Operand) -> None:
        if len(given) == takes:
            then(operand)
        else:
            # The last argument is matched with the answer.
            unify.match(frame, given[-1], operand, lambda: then({"type": "bool", "value": True}))

    frame.terms(given[:takes], lambda found: _answer(frame, call, name, found, answered))


def _takes(frame: Frame, call: Call, name: Path) -> int:
    takes = frame.planner.arity(name)
    shown = ".".join(name)
    if takes is None:
        raise frame.failed(call.at, f"undefined function {shown}")
    if len(call.arguments) not in (takes, takes + 1):
        raise frame.failed(call.at, f"{shown}: arity mismatch: have {len(call.arguments)} arguments, want {takes}")
    return takes


def _answer(frame: Frame, call: Call, name: Path, found: list[Operand], then: Then) -> None:
    mock = frame.world.mock(name)
    if mock is not None:
        _mocked(frame, call, mock, found, then)
        return
    if name[0] == "data":
        _own(frame, frame.planner.function(frame, call.at, name[1:]), found, then)
        return
    if metadata.is_asked(name) and frame.entry is not None:
        frame.term(frame.planner.about(frame.entry, name), then)
        return
    target = frame.writer.fresh()
    frame.planner.uses(name)
    frame.writer.put("CallStmt", func=".".join(name), args=found, result=target)
    if name not in RELATIONS:
        then(local(target))
        return
    key, value = frame.writer.fresh(), frame.writer.fresh()
    block: list[dict[str, object]] = []
    with frame.writer.inside(block):
        then(local(value))
    frame.writer.put("ScanStmt", source=target, key=key, value=value, block={"stmts": block})


def _own(frame: Frame, function: str, found: list[Operand], then: Then) -> None:
    target = frame.writer.fresh()
    frame.writer.put("CallStmt", func=function, args=[frame.input, frame.data, *found], result=target)
    then(local(target))


def _mocked(frame: Frame, call: Call, mock: Mock, found: list[Operand], then: Then) -> None:
    if mock.held:
        then(references.held(frame, mock.held))
    elif mock.function[0] == "data":
        # A function that stands in for another is itself as it is written.
        _own(frame, frame.planner.function(frame, call.at, mock.function[1:], mocked=False), found, then)
    else:
        target = frame.writer.fresh()
        frame.planner.uses(mock.function)
        frame.writer.put("CallStmt", func=".".join(mock.function), args=found, result=target)
        then(local(target))
