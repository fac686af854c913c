"""Calls that are not functions: has, the comprehensions, cel.bind, optMap and optFlatMap."""

from __future__ import annotations

from bulkhead.engines.cel import syntax as s
from bulkhead.engines.cel.lexer import failure

_ONE_VARIABLE: dict[tuple[str, int], s.Kind] = {
    ("all", 2): "all",
    ("exists", 2): "exists",
    ("exists_one", 2): "exists_one",
    ("existsOne", 2): "exists_one",
    ("map", 2): "map",
    ("map", 3): "map",
    ("filter", 2): "filter",
}
_TWO_VARIABLES: dict[tuple[str, int], s.Kind] = {
    ("all", 3): "all",
    ("exists", 3): "exists",
    ("exists_one", 3): "exists_one",
    ("existsOne", 3): "exists_one",
    ("transformList", 3): "map",
    ("transformList", 4): "map",
    ("transformMap", 3): "transform_map",
    ("transformMap", 4): "transform_map",
    ("transformMapEntry", 3): "transform_entry",
    ("transformMapEntry", 4): "transform_entry",
}


def expand(text: str, call: s.Call) -> s.Node:
    """The node that a call stands for, or the call itself when it is no macro."""
    target = call.target
    if target is None:
        return _has(text, call) if call.name == "has" and len(call.arguments) == 1 else call
    shape = (call.name, len(call.arguments))
    if shape in _ONE_VARIABLE:
        return _comprehension(text, call, target, _ONE_VARIABLE[shape], 1)
    if shape in _TWO_VARIABLES:
        return _comprehension(text, call, target, _TWO_VARIABLES[shape], 2)
    if shape == ("sortBy", 2):
        return _sorted(text, call, target)
    if shape == ("bind", 3) and isinstance(target, s.Name) and target.name == "cel":
        return s.Bind(call.at, _variable(text, call.arguments[0]), call.arguments[1], call.arguments[2])
    if shape in {("optMap", 2), ("optFlatMap", 2)}:
        name = _variable(text, call.arguments[0])
        return s.Opened(call.at, target, name, call.arguments[1], call.name == "optFlatMap")
    return call


def _has(text: str, call: s.Call) -> s.Node:
    argument = call.arguments[0]
    if not isinstance(argument, s.Select) or argument.optional:
        raise failure(text, call.at, "has() takes a field selection", "write has(value.field)")
    return s.Has(call.at, argument.operand, argument.field)


def _comprehension(text: str, call: s.Call, over: s.Node, kind: s.Kind, count: int) -> s.Node:
    names = tuple(_variable(text, argument) for argument in call.arguments[:count])
    if len(set(names)) < count:
        raise failure(text, call.at, f"{call.name} names the same variable twice")
    rest = call.arguments[count:]
    condition = rest[0] if len(rest) == 2 else None
    return s.Comprehension(call.at, kind, over, names, rest[-1], condition)


def _sorted(text: str, call: s.Call, over: s.Node) -> s.Node:
    """The list beside the list of its keys. No user's name has an @."""
    name = _variable(text, call.arguments[0])
    values = s.Name(call.at, "@values")
    keys = s.Comprehension(call.at, "map", values, (name,), call.arguments[1])
    return s.Bind(call.at, "@values", over, s.Call(call.at, None, "@sortByKeys", (values, keys)))


def _variable(text: str, node: s.Node) -> str:
    if not isinstance(node, s.Name) or node.absolute:
        raise failure(text, node.at, "a macro's variable must be a plain name")
    return node.name
