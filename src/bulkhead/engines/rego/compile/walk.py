"""Walks over the tree of a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bulkhead.engines.rego import syntax
from bulkhead.engines.rego.syntax import (
    Array,
    ArrayComprehension,
    Body,
    Call,
    Every,
    Expression,
    Literal,
    Object,
    ObjectComprehension,
    Ref,
    Set,
    SetComprehension,
    Some,
    SomeIn,
    Template,
    Term,
    Var,
)

BUILTIN = "@builtin"
"""The head of a reference that names a built-in, where ``with`` puts one in a function's place."""
ROOTS = frozenset({"input", "data", BUILTIN})
Closure = ArrayComprehension | SetComprehension | ObjectComprehension


def is_ground(term: Term) -> bool:
    """Whether no variable stands in it, in a comprehension neither."""
    return not any(True for _ in variables(term, closures=True))


def parts(term: Term) -> tuple[Term, ...]:
    """The terms right inside a term; of a comprehension none."""
    if isinstance(term, Ref):
        return (term.head, *term.keys)
    if isinstance(term, Array | Set):
        return term.items
    if isinstance(term, Object):
        return tuple(part for pair in term.pairs for part in pair)
    if isinstance(term, Call):
        return term.arguments
    if isinstance(term, Template):
        return tuple(part.term for part in term.parts if not isinstance(part, str))
    return ()


def heads(closure: Closure) -> tuple[Term, ...]:
    return (closure.key, closure.value) if isinstance(closure, ObjectComprehension) else (closure.term,)


def variables(term: Term, *, closures: bool) -> Iterator[str]:
    """Names of variables in a term; with ``closures`` those inside comprehensions too."""
    if isinstance(term, Var):
        if term.name not in ROOTS:
            yield term.name
    elif isinstance(term, Closure):
        if closures:
            for head in heads(term):
                yield from variables(head, closures=True)
            yield from of_body(term.body, closures=True)
    else:
        for part in parts(term):
            yield from variables(part, closures=closures)


def of_body(body: Body, *, closures: bool) -> Iterator[str]:
    for literal in body:
        yield from of_literal(literal, closures=closures)


def of_literal(literal: Literal, *, closures: bool) -> Iterator[str]:
    """Names of variables of a literal; the body of ``every`` counts as a closure."""
    for term in terms(literal):
        yield from variables(term, closures=closures)
    if isinstance(literal, Every) and closures:
        yield from of_body(literal.body, closures=True)
        for declared in (literal.key, literal.value):
            if declared is not None:
                yield from variables(declared, closures=True)


def terms(literal: Literal) -> Iterator[Term]:
    """The terms of a literal, without what ``every`` has inside and what it declares."""
    if isinstance(literal, Some):
        return
    if isinstance(literal, Expression):
        yield literal.term
    elif isinstance(literal, SomeIn):
        yield from (term for term in (literal.key, literal.value, literal.domain) if term is not None)
    else:
        yield literal.domain
    for modifier in literal.modifiers:
        yield modifier.value


def rebuilt(term: Term, change: Callable[[Term], Term]) -> Term:
    """The term with each part right inside it changed; a comprehension as it is."""
    if isinstance(term, Ref):
        return Ref(term.at, change(term.head), tuple(change(key) for key in term.keys))
    if isinstance(term, Array):
        return Array(term.at, tuple(change(item) for item in term.items))
    if isinstance(term, Set):
        return Set(term.at, tuple(change(item) for item in term.items))
    if isinstance(term, Object):
        return Object(term.at, tuple((change(key), change(value)) for key, value in term.pairs))
    if isinstance(term, Call):
        return Call(term.at, term.name, tuple(change(item) for item in term.arguments))
    return term


def modifiers_of(literal: Literal) -> tuple[syntax.With, ...]:
    return () if isinstance(literal, Some) else literal.modifiers
