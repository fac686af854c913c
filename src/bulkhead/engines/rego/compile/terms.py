"""Terms into statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bulkhead.engines.rego import syntax
from bulkhead.engines.rego.compile import calls, literals, references, walk
from bulkhead.engines.rego.compile.emit import Block, Operand, boolean, local
from bulkhead.engines.rego.compile.frame import Frame, Then
from bulkhead.engines.rego.failures import UNSAFE
from bulkhead.engines.rego.syntax import Array, Boolean, Call, Null, Number, Object, Ref, Set, String, Term, Var


def plan(frame: Frame, term: Term, then: Then) -> None:
    """The term's value, then what follows. Every variable in it is bound, but those in keys of references, which choose."""
    simple = _simple(frame, term)
    if simple is not None:
        then(simple)
    elif isinstance(term, Var):
        references.plan(frame, Ref(term.at, term, ()), then)
    elif isinstance(term, Ref):
        references.plan(frame, term, then)
    elif isinstance(term, Call):
        calls.plan(frame, term, then)
    elif isinstance(term, Array):
        plan_all(frame, term.items, lambda found: then(_array(frame, found)))
    elif isinstance(term, Set):
        plan_all(frame, term.items, lambda found: then(_set(frame, found)))
    elif isinstance(term, Object):
        inner = [part for pair in term.pairs for part in pair]
        plan_all(frame, inner, lambda found: then(_object(frame, found)))
    elif isinstance(term, walk.Closure):
        then(_closure(frame, term))
    else:
        raise frame.failed(term.at, "a template stands where none can be planned")


def plan_all(frame: Frame, terms: Sequence[Term], then: Callable[[list[Operand]], None]) -> None:
    """One term after the other; what follows gets the values of all."""
    found: list[Operand] = []

    def step(index: int) -> None:
        size = len(found)
        while index < len(terms):
            simple = _simple(frame, terms[index])
            if simple is None:
                break
            found.append(simple)
            index += 1
        if index == len(terms):
            then(list(found))
        else:
            here = index

            def got(operand: Operand) -> None:
                found.append(operand)
                step(here + 1)
                found.pop()

            plan(frame, terms[index], got)
        del found[size:]

    step(0)


def _simple(frame: Frame, term: Term) -> Operand | None:
    """The operand of a constant or of a variable; None for what takes more."""
    writer = frame.writer
    if isinstance(term, String):
        return writer.constants.operand(term.value)
    if isinstance(term, Boolean):
        return boolean(term.value)
    if isinstance(term, Number | Null):
        target = writer.fresh()
        if isinstance(term, Number):
            writer.put("MakeNumberRefStmt", Index=writer.constants.number(term.text), target=target)
        else:
            writer.put("MakeNullStmt", target=target)
        return local(target)
    if isinstance(term, Var) and term.name != "data":
        if term.name == "input":
            # It may be undefined, which only a statement finds out.
            writer.put("IsDefinedStmt", source=frame.input["value"])
            return frame.input
        if not frame.is_bound(term.name):
            raise frame.failed(term.at, f"var {term.name.partition('@')[0] or '_'} is unsafe", UNSAFE)
        return frame.held[term.name]
    if isinstance(term, Array | Set | Object) and _is_plain(term):
        found = [operand for part in walk.parts(term) if (operand := _simple(frame, part)) is not None]
        make = _object if isinstance(term, Object) else _array if isinstance(term, Array) else _set
        return make(frame, found)
    return None


def _is_plain(term: Term) -> bool:
    """Whether nothing in it chooses, calls or collects."""
    if isinstance(term, Array | Set | Object):
        return all(_is_plain(part) for part in walk.parts(term))
    return isinstance(term, String | Boolean | Number | Null) or (isinstance(term, Var) and term.name != "data")


def _array(frame: Frame, found: list[Operand]) -> Operand:
    target = frame.writer.fresh()
    frame.writer.put("MakeArrayStmt", capacity=len(found), target=target)
    for operand in found:
        frame.writer.put("ArrayAppendStmt", value=operand, array=target)
    return local(target)


def _set(frame: Frame, found: list[Operand]) -> Operand:
    target = frame.writer.fresh()
    frame.writer.put("MakeSetStmt", target=target)
    for operand in found:
        frame.writer.put("SetAddStmt", value=operand, set=target)
    return local(target)


def _object(frame: Frame, found: list[Operand]) -> Operand:
    target = frame.writer.fresh()
    frame.writer.put("MakeObjectStmt", target=target)
    for key, value in zip(found[::2], found[1::2], strict=True):
        frame.writer.put("ObjectInsertStmt", key=key, value=value, object=target)
    return local(target)


def _closure(frame: Frame, term: walk.Closure) -> Operand:
    """Everything that the body yields, collected."""
    writer = frame.writer
    target = writer.fresh()
    block: Block = []
    if isinstance(term, syntax.ArrayComprehension):
        writer.put("MakeArrayStmt", capacity=0, target=target)
    else:
        writer.put("MakeSetStmt" if isinstance(term, syntax.SetComprehension) else "MakeObjectStmt", target=target)

    def collect(found: list[Operand]) -> None:
        if isinstance(term, syntax.ArrayComprehension):
            writer.put("ArrayAppendStmt", value=found[0], array=target)
        elif isinstance(term, syntax.SetComprehension):
            writer.put("SetAddStmt", value=found[0], set=target)
        else:
            writer.put("ObjectInsertOnceStmt", key=found[0], value=found[1], object=target)

    with writer.inside(block):
        literals.plan(frame, term.body, lambda: plan_all(frame, walk.heads(term), collect))
    writer.branches(block)
    return local(target)
