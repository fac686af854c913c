"""References that choose among many (``xs[i]``) taken out of what holds them, so that a body can be ordered by what it binds.

``f(xs[i])`` becomes ``t = xs[i]; f(t)``; the head of a comprehension or a rule gives its references to the end of the body.
"""

from __future__ import annotations

import msgspec

from bulkhead.engines.rego import syntax
from bulkhead.engines.rego.compile import walk
from bulkhead.engines.rego.syntax import (
    Body,
    Call,
    Every,
    Expression,
    Literal,
    Ref,
    Rule,
    SomeIn,
    Term,
    Var,
)

_MARK = "@t"
_EQUAL = frozenset({("eq",), ("equal",)})


class Hoisting:
    """Names that it makes are of one rule or query."""

    def __init__(self) -> None:
        self._count = 0

    def rule(self, rule: Rule) -> Rule:
        arguments, compared = self._arguments(rule)
        body = [*self.body(rule.body), *compared]
        path = (rule.path[0], *(self._head(key, body) for key in rule.path[1:]))
        member = None if rule.member is None else self._head(rule.member, body)
        value = None if rule.value is None else self._head(rule.value, body)
        otherwise = []
        for branch in rule.otherwise:
            inner = [*self.body(branch.body), *compared]
            other = None if branch.value is None else self._head(branch.value, inner)
            otherwise.append(msgspec.structs.replace(branch, body=tuple(inner), value=other))
        return msgspec.structs.replace(
            rule,
            path=path,
            member=member,
            value=value,
            body=tuple(body),
            otherwise=tuple(otherwise),
            arguments=arguments,
        )

    def _arguments(self, rule: Rule) -> tuple[tuple[Term, ...] | None, list[Literal]]:
        """The patterns of a function, and what is compared with an argument after its body."""
        if rule.arguments is None:
            return None, []
        patterns: list[Term] = []
        compared: list[Literal] = []
        for argument in rule.arguments:
            if isinstance(argument, Ref | Call | walk.Closure):
                self._count += 1
                name = Var(argument.at, f"{_MARK}{self._count}")
                equal = Call(argument.at, ("eq",), (name, self._closures(argument)))
                compared.append(Expression(argument.at, equal))
                patterns.append(name)
            else:
                patterns.append(self._closures(argument))
        return tuple(patterns), compared

    def body(self, body: Body) -> Body:
        return tuple(made for literal in body for made in self._literal(literal))

    def _literal(self, literal: Literal) -> list[Literal]:
        taken: list[Literal] = []
        modifiers = walk.modifiers_of(literal)
        if isinstance(literal, Expression):
            term = literal.term
            if literal.negated:
                made: Term = self._denied(term, taken, modifiers)
            elif isinstance(term, Call) and term.name == ("eq",):
                sides = tuple(self._side(side, taken, modifiers) for side in term.arguments)
                made = Call(term.at, term.name, sides)
            else:
                made = self._side(term, taken, modifiers)
            return [*taken, msgspec.structs.replace(literal, term=made, modifiers=self._values(modifiers, taken))]
        if isinstance(literal, SomeIn):
            domain = self._side(literal.domain, taken, modifiers)
            key = None if literal.key is None else self._within(literal.key, taken, modifiers)
            value = self._within(literal.value, taken, modifiers)
            return [*taken, SomeIn(literal.at, key, value, domain, self._values(modifiers, taken))]
        if isinstance(literal, Every):
            domain = self._side(literal.domain, taken, modifiers)
            body = self.body(literal.body)
            return [*taken, msgspec.structs.replace(literal, domain=domain, body=body)]
        return []

    def _denied(self, term: Term, taken: list[Literal], modifiers: tuple[syntax.With, ...]) -> Term:
        """What stays below a ``not``: OPA takes references and calls inside of it out, so that one that is undefined fails the body.

        Its users know that (https://github.com/open-policy-agent/opa/issues/8387) and their policies are written for it.
        """
        if isinstance(term, Call) and term.name in _EQUAL:
            return Call(term.at, term.name, tuple(self._denied_side(side, taken, modifiers) for side in term.arguments))
        if isinstance(term, Call):
            return Call(term.at, term.name, tuple(self._apart(item, taken, modifiers) for item in term.arguments))
        return self._denied_side(term, taken, modifiers)

    def _denied_side(self, term: Term, taken: list[Literal], modifiers: tuple[syntax.With, ...]) -> Term:
        """A reference stays, what is inside it is taken out."""
        if not isinstance(term, Ref):
            return self._apart(term, taken, modifiers)
        head = term.head if isinstance(term.head, Var) else self._apart(term.head, taken, modifiers)
        return Ref(term.at, head, tuple(self._apart(key, taken, modifiers) for key in term.keys))

    def _apart(self, term: Term, taken: list[Literal], modifiers: tuple[syntax.With, ...]) -> Term:
        if isinstance(term, walk.Closure):
            return self._closures(term)
        if isinstance(term, Ref):
            return self._taken(self._denied_side(term, taken, modifiers), taken, modifiers)
        made = walk.rebuilt(term, lambda part: self._apart(part, taken, modifiers))
        return self._taken(made, taken, modifiers) if isinstance(made, Call) else made

    def _values(self, modifiers: tuple[syntax.With, ...], taken: list[Literal]) -> tuple[syntax.With, ...]:
        return tuple(msgspec.structs.replace(item, value=self._within(item.value, taken, ())) for item in modifiers)

    def _side(self, term: Term, taken: list[Literal], modifiers: tuple[syntax.With, ...]) -> Term:
        """A term that is planned where it stands: a reference stays, what is inside it is taken out."""
        if isinstance(term, walk.Closure):
            return self._closures(term)
        if isinstance(term, Ref):
            head = term.head if isinstance(term.head, Var) else self._within(term.head, taken, modifiers)
            keys = []
            for key in term.keys:
                inner = self._within(key, taken, modifiers)
                if isinstance(inner, Call | Ref) and not walk.is_ground(inner):
                    inner = self._taken(inner, taken, modifiers)
                keys.append(inner)
            return Ref(term.at, head, tuple(keys))
        return walk.rebuilt(term, lambda part: self._within(part, taken, modifiers))

    def _within(self, term: Term, taken: list[Literal], modifiers: tuple[syntax.With, ...]) -> Term:
        """A term inside another."""
        made = self._side(term, taken, modifiers)
        chooses = isinstance(made, Ref) and any(not walk.is_ground(key) for key in made.keys)
        relation = isinstance(made, Call) and made.name == ("walk",)
        return self._taken(made, taken, modifiers) if chooses or relation else made

    def _taken(self, term: Term, taken: list[Literal], modifiers: tuple[syntax.With, ...]) -> Term:
        self._count += 1
        name = Var(term.at, f"{_MARK}{self._count}")
        taken.append(Expression(term.at, Call(term.at, ("eq",), (name, term)), modifiers=modifiers))
        return name

    def _head(self, term: Term, body: list[Literal]) -> Term:
        """A term of a head: its references and calls are computed at the end of the body."""
        taken: list[Literal] = []
        made = self._within(term, taken, ())
        if (
            not isinstance(made, Var)
            and not isinstance(made, walk.Closure)
            and any(True for _ in walk.variables(made, closures=True))
        ):
            if isinstance(made, Ref | Call):
                made = self._taken(made, taken, ())
        body.extend(taken)
        return made

    def _closures(self, term: Term) -> Term:
        """The same term with the insides of its comprehensions done."""
        if isinstance(term, walk.Closure):
            body = list(self.body(term.body))
            if isinstance(term, syntax.ObjectComprehension):
                key, value = self._head(term.key, body), self._head(term.value, body)
                return syntax.ObjectComprehension(term.at, key, value, tuple(body))
            head = self._head(term.term, body)
            return type(term)(term.at, head, tuple(body))
        return walk.rebuilt(term, self._closures)
