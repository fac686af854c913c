"""Bodies in an order in which each variable is bound before it is needed; what cannot be ordered is unsafe."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego import syntax
from bulkhead.engines.rego.compile import walk
from bulkhead.engines.rego.failures import UNSAFE
from bulkhead.engines.rego.syntax import (
    Array,
    Body,
    Call,
    Every,
    Expression,
    Literal,
    Object,
    Ref,
    Rule,
    Set,
    SomeIn,
    Term,
    Var,
)

Arity = Callable[[tuple[str, ...]], int | None]
"""How many arguments a function takes; None for one that is not known."""
Failed = Callable[[int, str, str], ExpressionError]
"""Makes the error: offset, message, OPA's code."""


class Ordering:
    def __init__(self, arity: Arity, failed: Failed) -> None:
        self._arity = arity
        self._failed = failed

    def rule(self, rule: Rule) -> Rule:
        """The rule with every body in order.

        Raises:
            ExpressionError: a variable is bound nowhere.
        """
        given = {name for item in rule.arguments or () for name in walk.variables(item, closures=False)}
        body, safe = self.body(rule.body, given, given)
        head = [*rule.path[1:], *(term for term in (rule.member, rule.value) if term is not None)]
        made = {id(term): self._head(term, safe) for term in head}
        otherwise = []
        for branch in rule.otherwise:
            inner, bound = self.body(branch.body, given, given)
            value = None if branch.value is None else self._head(branch.value, bound)
            otherwise.append(msgspec.structs.replace(branch, body=inner, value=value))
        return msgspec.structs.replace(
            rule,
            body=body,
            path=(rule.path[0], *(made[id(term)] for term in rule.path[1:])),
            member=None if rule.member is None else made[id(rule.member)],
            value=None if rule.value is None else made[id(rule.value)],
            otherwise=tuple(otherwise),
        )

    def _head(self, term: Term, safe: set[str]) -> Term:
        for name in walk.variables(term, closures=False):
            if name not in safe:
                raise self._unsafe(term.at, name)
        return self._closures(term, safe, safe)

    def body(self, body: Body, safe: set[str], outer: set[str]) -> tuple[Body, set[str]]:
        """The body in order, and what is bound after it.

        Args:
            body: its literals.
            safe: names that are bound before it.
            outer: names that mean the same in it as around it.
        """
        visible = outer | set(walk.of_body(body, closures=False))
        bound = set(safe)
        left = list(body)
        done: list[Literal] = []
        while left:
            for literal in left:
                given = self._outputs(literal, bound)
                if self._needs(literal, visible) <= bound | given:
                    break
            else:
                raise self._unsafe(left[0].at, min(self._missing(left[0], bound, visible)))
            left.remove(literal)
            done.append(self._inside(literal, bound | given, visible))
            bound |= given
        return tuple(done), bound

    def _unsafe(self, at: int, name: str) -> ExpressionError:
        shown = "_" if name.startswith(syntax.WILDCARD) else name.partition("@")[0] or "_"
        return self._failed(at, f"var {shown} is unsafe", UNSAFE)

    def _missing(self, literal: Literal, bound: set[str], visible: set[str]) -> set[str]:
        """Variables that stand in a literal's way; not those that it would bind itself, were the others known."""
        missing = self._needs(literal, visible) - bound - self._outputs(literal, bound)
        others = {name for name in missing if name not in self._outputs(literal, bound | (missing - {name}))}
        return others or missing

    def _needs(self, literal: Literal, visible: set[str]) -> set[str]:
        open_ = set(walk.of_literal(literal, closures=False))
        return open_ | (set(walk.of_literal(literal, closures=True)) & visible)

    # What a literal binds.

    def _outputs(self, literal: Literal, safe: set[str]) -> set[str]:
        if isinstance(literal, Expression):
            if literal.negated:
                return set()
            terms: tuple[Term, ...] = (literal.term,)
        elif isinstance(literal, SomeIn):
            terms = (literal.domain,)
        elif isinstance(literal, Every):
            terms = (literal.domain,)
        else:
            return set()
        known = set(safe)
        size = -1
        while len(known) != size:
            size = len(known)
            for term in terms:
                self._bind(term, known)
            if isinstance(literal, SomeIn) and self._all(literal.domain, known):
                for pattern in (literal.key, literal.value):
                    if pattern is not None:
                        known.update(_pattern(pattern))
        return known - safe

    def _bind(self, term: Term, known: set[str]) -> None:
        if isinstance(term, Call) and term.name == ("eq",):
            left, right = term.arguments
            self._bind(left, known)
            self._bind(right, known)
            self._unify(left, right, known)
        elif isinstance(term, Call):
            for argument in term.arguments:
                self._bind(argument, known)
            takes = self._arity(term.name)
            if (
                takes is not None
                and len(term.arguments) == takes + 1
                and all(self._all(item, known) for item in term.arguments[:-1])
            ):
                known.update(_pattern(term.arguments[-1]))
        elif isinstance(term, Ref):
            self._bind(term.head, known)
            if self._all(term.head, known):
                for key in term.keys:
                    self._bind(key, known)
                    known.update(_pattern(key))
        elif isinstance(term, Array | Object | Set):
            for part in walk.parts(term):
                self._bind(part, known)

    def _unify(self, left: Term, right: Term, known: set[str]) -> None:
        if self._all(left, known):
            known.update(_pattern(right))
        if self._all(right, known):
            known.update(_pattern(left))
        if isinstance(left, Array) and isinstance(right, Array) and len(left.items) == len(right.items):
            for one, other in zip(left.items, right.items, strict=True):
                self._unify(one, other, known)
        elif isinstance(left, Object) and isinstance(right, Object):
            others = {_shape(key): value for key, value in right.pairs}
            for key, value in left.pairs:
                if _shape(key) in others:
                    self._unify(value, others[_shape(key)], known)

    def _all(self, term: Term, known: set[str]) -> bool:
        return all(name in known for name in walk.variables(term, closures=False))

    # Bodies inside a literal.

    def _inside(self, literal: Literal, safe: set[str], visible: set[str]) -> Literal:
        if isinstance(literal, Every):
            declared = {
                name
                for term in (literal.key, literal.value)
                if term is not None
                for name in walk.variables(term, closures=False)
            }
            body, _ = self.body(literal.body, safe | declared, visible | declared)
            return msgspec.structs.replace(
                literal,
                body=body,
                domain=self._closures(literal.domain, safe, visible),
                modifiers=self._with(literal.modifiers, safe, visible),
            )
        if isinstance(literal, SomeIn):
            domain = self._closures(literal.domain, safe, visible)
            return msgspec.structs.replace(
                literal, domain=domain, modifiers=self._with(literal.modifiers, safe, visible)
            )
        if isinstance(literal, Expression):
            term = self._closures(literal.term, safe, visible)
            return msgspec.structs.replace(literal, term=term, modifiers=self._with(literal.modifiers, safe, visible))
        return literal

    def _with(self, modifiers: tuple[syntax.With, ...], safe: set[str], visible: set[str]) -> tuple[syntax.With, ...]:
        return tuple(
            msgspec.structs.replace(item, value=self._closures(item.value, safe, visible)) for item in modifiers
        )

    def _closures(self, term: Term, safe: set[str], visible: set[str]) -> Term:
        if not isinstance(term, walk.Closure):
            return walk.rebuilt(term, lambda part: self._closures(part, safe, visible))
        body, bound = self.body(term.body, safe & visible, visible)
        made = []
        for head in walk.heads(term):
            for name in walk.variables(head, closures=False):
                if name not in bound:
                    raise self._unsafe(head.at, name)
            made.append(self._closures(head, bound, visible | bound))
        if isinstance(term, syntax.ObjectComprehension):
            return syntax.ObjectComprehension(term.at, made[0], made[1], body)
        return type(term)(term.at, made[0], body)


def _pattern(term: Term) -> Iterator[str]:
    """Variables that a value of this form binds."""
    if isinstance(term, Var):
        if term.name not in walk.ROOTS:
            yield term.name
    elif isinstance(term, Array):
        for item in term.items:
            yield from _pattern(item)
    elif isinstance(term, Object):
        for _, value in term.pairs:
            yield from _pattern(value)


def _shape(term: Term) -> str:
    """Equal for terms that are written alike, wherever they stand."""
    if isinstance(term, syntax.String):
        return f"s{term.value!r}"
    if isinstance(term, syntax.Number):
        return f"n{term.text}"
    if isinstance(term, Var):
        return f"v{term.name}"
    if isinstance(term, syntax.Boolean):
        return f"b{term.value}"
    return type(term).__name__ + "(" + ",".join(_shape(part) for part in walk.parts(term)) + ")"
