"""Python for the macros that bind names: comprehensions as loops in place, cel.bind, optMap and optFlatMap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bulkhead.engines.cel import syntax as s
from bulkhead.engines.cel.emit import NOTHING, Emitter, Value


def comprehension(emitter: Emitter, node: s.Comprehension) -> Value:
    """One loop; every turn is counted against the evaluation's budget when the loop starts."""
    over = emitter.named(emitter.plain(emitter.visit(node.over)))
    turns = emitter.fresh()
    if len(node.variables) == 2:
        emitter.line(f"{turns} = pairs({over.text})")
    elif over.kind == "list":
        turns = over.text
    else:
        emitter.line(f"{turns} = {over.text} if type({over.text}) is list else elements({over.text})")
    emitter.line(f"c[0] -= len({turns})")
    emitter.line("if c[0] < 0: raise exhausted()")
    names = {variable: Value(emitter.fresh("l"), atom=True) for variable in node.variables}
    opening = f"for {', '.join(value.text for value in names.values())} in {turns}:"
    with _bound(emitter, names):
        if node.kind in {"all", "exists"}:
            return _quantifier(emitter, node, opening)
        if node.kind == "exists_one":
            return _exactly_one(emitter, node, opening)
        return _collection(emitter, node, opening, [value.text for value in names.values()])


@contextmanager
def _bound(emitter: Emitter, names: dict[str, Value]) -> Iterator[None]:
    outer = emitter.scope
    emitter.scope = {**outer, **names}
    yield
    emitter.scope = outer


@contextmanager
def _loop(emitter: Emitter, opening: str) -> Iterator[None]:
    with emitter.block(opening, counted=True):
        emitter.looping += 1
        yield
        emitter.looping -= 1


def _quantifier(emitter: Emitter, node: s.Comprehension, opening: str) -> Value:
    """All and exists: the first deciding element ends the loop, errors before it are forgotten."""
    decides, otherwise = ("False", "True") if node.kind == "all" else ("True", "False")
    result, error = emitter.fresh(), emitter.fresh("e")
    emitter.line(f"{error} = None")
    emitter.line(f"{result} = {otherwise}")
    with _loop(emitter, opening):
        with emitter.block("try:", counted=True):
            value = emitter.visit(node.body)
            decide(emitter, value, decides, otherwise, f"{result} = {decides}; break")
        emitter.line(f"except ERRORS as x: {error} = keep({error}, x)")
    with emitter.block("else:"):
        emitter.line(f"if {error} is not None: raise {error}")
    return Value(result, "bool", atom=True)


def decide(emitter: Emitter, value: Value, decides: str, otherwise: str, action: str) -> None:
    """Act when the value decides; raise when it is no bool."""
    if value.constant is not NOTHING and value.kind != "bool":
        emitter.line(f"boolean({value.text})")
        return
    if value.kind == "bool":
        emitter.line(f"if {'' if decides == 'True' else 'not '}{value.text}: {action}")
        return
    name = emitter.named(emitter.plain(value)).text
    emitter.line(f"if {name} is {decides}: {action}")
    emitter.line(f"if {name} is not {otherwise}: boolean({name})")


def _exactly_one(emitter: Emitter, node: s.Comprehension, opening: str) -> Value:
    """exists_one absorbs no error: every element counts."""
    result = emitter.fresh()
    emitter.line(f"{result} = 0")
    with _loop(emitter, opening):
        decide(emitter, emitter.visit(node.body), "True", "False", f"{result} += 1; continue")
    return emitter.made(f"({result} == 1)", "bool")


def _collection(emitter: Emitter, node: s.Comprehension, opening: str, names: list[str]) -> Value:
    result = emitter.fresh()
    entries = node.kind in {"transform_map", "transform_entry"}
    emitter.line(f"{result} = {'{}' if entries else '[]'}")
    with _loop(emitter, opening):
        if node.condition is not None:
            decide(emitter, emitter.visit(node.condition), "False", "True", "continue")
        value = emitter.plain(emitter.visit(node.body))
        if node.kind == "filter":
            decide(emitter, value, "True", "False", f"{result}.append({names[0]}); continue")
        elif node.kind == "map":
            emitter.line(f"{result}.append({value.text})")
        elif node.kind == "transform_map":
            emitter.line(f"{result} = put({result}, {names[0]}, {value.text})")
        else:
            emitter.line(f"{result} = merge({result}, {value.text})")
    return Value(result, "" if entries else "list", atom=True)


def bind(emitter: Emitter, node: s.Bind) -> Value:
    value = emitter.visit(node.value)
    if value.constant is NOTHING:
        # A name of its own even for a variable, so that an outlined part finds it among its parameters.
        name = emitter.fresh("l")
        emitter.line(f"{name} = {value.text}")
        value = Value(name, value.kind, atom=True)
    with _bound(emitter, {node.name: value}):
        return emitter.visit(node.body)


def opened(emitter: Emitter, node: s.Opened) -> Value:
    """OptMap and optFlatMap: the body runs only on a value that is there."""
    inside = emitter.bare(emitter.visit(node.optional))
    result = emitter.fresh()
    with _bound(emitter, {node.name: Value(inside.text, atom=True)}):
        with emitter.block(f"if {inside.text} is ABSENT:"):
            emitter.line(f"{result} = ABSENT")
        with emitter.block("else:"):
            value = emitter.visit(node.body)
            value = emitter.bare(value) if node.flat else emitter.plain(value)
            emitter.line(f"{result} = {value.text}")
    return Value(result, "opt", atom=True)
