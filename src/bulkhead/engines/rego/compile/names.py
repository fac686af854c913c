"""Names to what they mean: imports and rules become paths below ``data``, declared variables get names that nothing else has."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

import msgspec

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego import syntax
from bulkhead.engines.rego.compile import walk
from bulkhead.engines.rego.failures import COMPILE, failure
from bulkhead.engines.rego.syntax import (
    Boolean,
    Call,
    Every,
    Expression,
    Literal,
    Module,
    Ref,
    Rule,
    Some,
    SomeIn,
    String,
    Template,
    Term,
    Var,
)

_MARK = "@"
_PRINT = ("print",)


def resolved(module: Module, siblings: frozenset[str], builtins: Container[str]) -> Module:
    """The module with every name resolved.

    Args:
        module: as it was parsed.
        siblings: first names of the rules of its package, in all of its modules.
        builtins: dotted names of functions that no module defines.

    Raises:
        ExpressionError: a name is declared twice, or used before it is declared.
    """
    imports = {item.name: item.path for item in module.imports if item.path[0] not in ("future", "rego")}
    resolver = _Resolver(module, siblings, imports, builtins)
    return msgspec.structs.replace(module, rules=tuple(resolver.rule(rule) for rule in module.rules))


def of_query(query: syntax.Body, text: str, builtins: Container[str]) -> syntax.Body:
    """The same for a query outside of any package; its own variables keep their names."""
    resolver = _Resolver(Module("query", text, 1, ()), frozenset(), {}, builtins)
    return resolver.body(query, _Scope(None, renames=False))


class _Scope:
    """What is declared in a body. Bodies inside it see it."""

    def __init__(self, outer: _Scope | None, *, renames: bool = True) -> None:
        self.outer = outer
        self.renames = renames
        self.names: dict[str, str] = {}
        self.used: set[str] = set()

    def find(self, name: str) -> str | None:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        return None


class _Resolver:
    def __init__(
        self, module: Module, siblings: frozenset[str], imports: Mapping[str, tuple[str, ...]], builtins: Container[str]
    ) -> None:
        self._builtins = builtins
        self._module = module
        self._siblings = siblings
        self._imports = imports
        self._count = 0

    def _failed(self, at: int, message: str) -> ExpressionError:
        return failure(self._module.text, self._module.path, at, message, kind=COMPILE)

    # Rules.

    def rule(self, rule: Rule) -> Rule:
        outer = _Scope(None)
        arguments = None
        if rule.arguments is not None:
            for argument in rule.arguments:
                self._declare_pattern(argument, outer)
            arguments = tuple(self.term(argument, outer) for argument in rule.arguments)
        scope = _Scope(outer)
        body = self.body(rule.body, scope)
        path = (rule.path[0], *(self.term(key, scope) for key in rule.path[1:]))
        member = None if rule.member is None else self.term(rule.member, scope)
        value = None if rule.value is None else self.term(rule.value, scope)
        otherwise = []
        for branch in rule.otherwise:
            inner = _Scope(outer)
            found = self.body(branch.body, inner)
            other = None if branch.value is None else self.term(branch.value, inner)
            otherwise.append(msgspec.structs.replace(branch, body=found, value=other))
        return msgspec.structs.replace(
            rule, path=path, arguments=arguments, body=body, member=member, value=value, otherwise=tuple(otherwise)
        )

    # Bodies.

    def body(self, body: syntax.Body, scope: _Scope) -> syntax.Body:
        found = [made for literal in body for made in self._literal(literal, scope)]
        if body and not found:
            found = [Expression(body[0].at, Boolean(body[0].at, value=True))]
        return tuple(found)

    def _literal(self, literal: Literal, scope: _Scope) -> Iterator[Literal]:
        if isinstance(literal, Some):
            for name in literal.names:
                self._declare(name, scope)
        elif isinstance(literal, SomeIn):
            domain = self.term(literal.domain, scope)
            modifiers = self._modifiers(literal.modifiers, scope)
            for pattern in (literal.key, literal.value):
                if pattern is not None:
                    self._declare_pattern(pattern, scope)
            key = None if literal.key is None else self.term(literal.key, scope)
            yield SomeIn(literal.at, key, self.term(literal.value, scope), domain, modifiers)
        elif isinstance(literal, Every):
            yield self._every(literal, scope)
        elif isinstance(literal.term, Call) and literal.term.name == _PRINT and not literal.negated:
            # Nobody listens: what it would say is not even computed, as in OPA without a print hook.
            return
        else:
            yield self._expression(literal, scope)

    def _every(self, literal: Every, scope: _Scope) -> Every:
        domain = self.term(literal.domain, scope)
        modifiers = self._modifiers(literal.modifiers, scope)
        inner = _Scope(scope)
        for pattern in (literal.key, literal.value):
            if pattern is not None:
                self._declare_pattern(pattern, inner)
        key = None if literal.key is None else self.term(literal.key, inner)
        value = self.term(literal.value, inner)
        return Every(literal.at, key, value, domain, self.body(literal.body, _Scope(inner)), modifiers)

    def _expression(self, literal: Expression, scope: _Scope) -> Expression:
        modifiers = self._modifiers(literal.modifiers, scope)
        term = literal.term
        if isinstance(term, Call) and term.name == ("assign",):
            left, right = term.arguments
            value = self.term(right, scope)
            self._declare_pattern(left, scope, assigned=True)
            term = Call(term.at, ("eq",), (self.term(left, scope), value))
        else:
            term = self.term(term, scope)
        return Expression(literal.at, term, literal.negated, modifiers)

    def _modifiers(self, modifiers: tuple[syntax.With, ...], scope: _Scope) -> tuple[syntax.With, ...]:
        return tuple(
            syntax.With(item.at, self.term(item.target, scope), self._stand_in(item.value, scope)) for item in modifiers
        )

    def _stand_in(self, value: Term, scope: _Scope) -> Term:
        """A value, or the name of a built-in that nothing declared hides."""
        head = value.head if isinstance(value, Ref) else value
        if isinstance(head, Var) and scope.find(head.name) is None and self._path(head.name) is None:
            keys = value.keys if isinstance(value, Ref) else ()
            names = (head.name, *(key.value for key in keys if isinstance(key, String)))
            if len(names) == len(keys) + 1 and ".".join(names) in self._builtins:
                return Ref(value.at, Var(value.at, walk.BUILTIN), tuple(String(value.at, name) for name in names))
        return self.term(value, scope)

    def _declare(self, name: Var, scope: _Scope, *, assigned: bool = False) -> None:
        if name.name in walk.ROOTS:
            raise self._failed(name.at, f"variables must not shadow {name.name}")
        if name.name in scope.names:
            word = "assigned" if assigned else "declared"
            raise self._failed(name.at, f"var {name.name} {word} above")
        if name.name in scope.used:
            raise self._failed(name.at, f"var {name.name} referenced above")
        if scope.renames:
            self._count += 1
            scope.names[name.name] = f"{name.name}{_MARK}{self._count}"
        else:
            scope.names[name.name] = name.name

    def _declare_pattern(self, pattern: Term, scope: _Scope, *, assigned: bool = False) -> None:
        """The variables that a pattern binds: those in arrays and in values of objects."""
        if isinstance(pattern, Var):
            if not pattern.name.startswith(syntax.WILDCARD):
                self._declare(pattern, scope, assigned=assigned)
        elif isinstance(pattern, syntax.Array):
            for item in pattern.items:
                self._declare_pattern(item, scope, assigned=assigned)
        elif isinstance(pattern, syntax.Object):
            for _, value in pattern.pairs:
                self._declare_pattern(value, scope, assigned=assigned)
        elif assigned and isinstance(pattern, Ref | Call | walk.Closure):
            raise self._failed(pattern.at, "only variables, and arrays and objects of them, can be assigned to")

    # Terms.

    def term(self, term: Term, scope: _Scope) -> Term:
        if isinstance(term, Var):
            return self._name(term, scope)
        if isinstance(term, Ref):
            keys = tuple(self.term(key, scope) for key in term.keys)
            head = self.term(term.head, scope)
            if isinstance(head, Ref):
                return Ref(term.at, head.head, (*head.keys, *keys))
            return Ref(term.at, head, keys)
        if isinstance(term, Call):
            arguments = tuple(self.term(item, scope) for item in term.arguments)
            return Call(term.at, self._function(term, scope), arguments)
        if isinstance(term, Template):
            return self._template(term, scope)
        if isinstance(term, walk.Closure):
            return self._closure(term, scope)
        return walk.rebuilt(term, lambda part: self.term(part, scope))

    def _name(self, term: Var, scope: _Scope) -> Term:
        name = term.name
        if name in walk.ROOTS or name.startswith(syntax.WILDCARD):
            return term
        declared = scope.find(name)
        if declared is not None:
            return Var(term.at, declared)
        path = self._path(name)
        if path is None:
            scope.used.add(name)
            return term
        return Ref(term.at, Var(term.at, path[0]), tuple(String(term.at, part) for part in path[1:]))

    def _path(self, name: str) -> tuple[str, ...] | None:
        if name in self._imports:
            return self._imports[name]
        return ("data", *self._module.package, name) if name in self._siblings else None

    def _function(self, call: Call, scope: _Scope) -> tuple[str, ...]:
        first, rest = call.name[0], call.name[1:]
        if first in walk.ROOTS:
            return call.name
        if scope.find(first) is not None:
            raise self._failed(call.at, f"{first} is a variable and no function")
        path = self._path(first)
        return call.name if path is None else (*path, *rest)

    def _closure(self, term: walk.Closure, scope: _Scope) -> Term:
        inner = _Scope(scope)
        body = self.body(term.body, inner)
        if isinstance(term, syntax.ObjectComprehension):
            return syntax.ObjectComprehension(term.at, self.term(term.key, inner), self.term(term.value, inner), body)
        return type(term)(term.at, self.term(term.term, inner), body)

    def _template(self, term: Template, scope: _Scope) -> Term:
        """A call with an array of texts and, for each expression, the set of its value, or of none where it is undefined."""
        made: list[Term] = []
        for part in term.parts:
            if isinstance(part, str):
                if part:
                    made.append(String(term.at, part))
                continue
            self._count += 1
            held = Var(part.at, f"{_MARK}{self._count}")
            equal = Call(part.at, ("eq",), (held, self.term(part.term, scope)))
            body = (Expression(part.at, equal, modifiers=self._modifiers(part.modifiers, scope)),)
            made.append(syntax.SetComprehension(part.at, held, body))
        return Call(term.at, ("internal", "template_string"), (syntax.Array(term.at, tuple(made)),))
