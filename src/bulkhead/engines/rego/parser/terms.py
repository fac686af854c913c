"""Terms, and the literals of bodies: comprehensions make each part of the other.

Operators bind, from loose to tight: ``:=`` and ``=``; ``in``; comparisons; ``|``; ``&``; ``+`` and ``-``; ``*``, ``/`` and ``%``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego import syntax
from bulkhead.engines.rego.parser.cursor import Cursor
from bulkhead.engines.rego.syntax import Body, Call, Expression, Ref, String, Term, Var

_OPERATORS: Final = {
    "==": ("equal", 1), "!=": ("neq", 1), "<": ("lt", 1), "<=": ("lte", 1), ">": ("gt", 1), ">=": ("gte", 1),
    "|": ("or", 2), "&": ("and", 3), "+": ("plus", 4), "-": ("minus", 4), "*": ("mul", 5), "/": ("div", 5), "%": ("rem", 5),
}  # fmt: skip
_ALL, _TIGHTER_THAN_BAR = 1, 3


def body(cursor: Cursor, closing: str) -> Body:
    """Literals up to the closing sign, which is taken."""
    found = []
    while True:
        if cursor.kind == ";":
            raise cursor.unexpected("expected an expression")
        found.append(literal(cursor))
        if cursor.took(closing):
            return tuple(found)
        if cursor.took(";"):
            if cursor.took(closing):
                return tuple(found)
            continue
        if not cursor.token.first or cursor.kind == "end":
            raise cursor.unexpected(
                f"expected a new line, ';' or '{closing}'" if closing != "end" else "expected a new line or ';'"
            )


def braced(cursor: Cursor) -> Body:
    opening = cursor.expect("{", "'{'")
    if cursor.kind == "}":
        raise cursor.failed("a body is empty", at=opening.at)
    return body(cursor, "}")


def literal(cursor: Cursor) -> syntax.Literal:
    at = cursor.token.at
    if cursor.is_word("some"):
        return _some(cursor)
    if cursor.is_word("every"):
        return _every(cursor)
    negated = cursor.took_word("not")
    if negated and cursor.is_word("not"):
        raise cursor.unexpected("expected an expression")
    found = expression(cursor)
    return Expression(at, found, negated, modifiers(cursor))


def modifiers(cursor: Cursor) -> tuple[syntax.With, ...]:
    found = []
    while cursor.is_word("with"):
        at = cursor.take().at
        target = primary(cursor)
        if not isinstance(target, Var | Ref):
            raise cursor.failed("with changes input, data, or a function", at=at)
        if not cursor.took_word("as"):
            raise cursor.unexpected("expected 'as'")
        found.append(syntax.With(at, target, _membership(cursor, pairs=False)))
    return tuple(found)


def _some(cursor: Cursor) -> syntax.Literal:
    at = cursor.take().at
    first = _operators(cursor, _ALL)
    listed = [first]
    while cursor.took(","):
        listed.append(_operators(cursor, _ALL))
    if cursor.took_word("in"):
        if len(listed) > 2:
            raise cursor.failed("some … in takes one or two terms", at=at)
        domain = _operators(cursor, _ALL)
        return syntax.SomeIn(at, listed[0] if len(listed) == 2 else None, listed[-1], domain, modifiers(cursor))
    for term in listed:
        if not isinstance(term, Var):
            raise cursor.failed("some declares variables", at=term.at)
    return syntax.Some(at, tuple(term for term in listed if isinstance(term, Var)))


def _every(cursor: Cursor) -> syntax.Every:
    at = cursor.take().at
    value = primary(cursor)
    key = None
    if cursor.took(","):
        key, value = value, primary(cursor)
    for term in (key, value):
        if term is not None and not isinstance(term, Var):
            raise cursor.failed("every declares variables", at=term.at)
    if not cursor.took_word("in"):
        raise cursor.unexpected("expected 'in'")
    domain = _operators(cursor, _ALL)
    return syntax.Every(at, key, value, domain, braced(cursor), modifiers(cursor))


def expression(cursor: Cursor) -> Term:
    """The loosest term: with ``:=``, ``=`` and ``key, value in domain``."""
    left = _membership(cursor, pairs=True)
    if cursor.kind in (":=", "="):
        at, operator = cursor.token.at, cursor.take().kind
        right = _membership(cursor, pairs=True)
        return Call(at, ("assign",) if operator == ":=" else ("eq",), (left, right))
    return left


def item(cursor: Cursor) -> Term:
    """A term in a list, where a comma ends it."""
    left = _membership(cursor, pairs=False)
    if cursor.kind == "=":
        at = cursor.take().at
        return Call(at, ("eq",), (left, _membership(cursor, pairs=False)))
    return left


def _membership(cursor: Cursor, *, pairs: bool) -> Term:
    left = _operators(cursor, _ALL)
    if pairs and cursor.kind == "," and "in" in cursor.keywords:
        mark, tries = cursor.index, cursor.tries
        cursor.take()
        try:
            value = _operators(cursor, _ALL)
        except ExpressionError:
            cursor.index, cursor.tries = mark, tries
            return left
        if not cursor.is_word("in"):
            cursor.index = mark
            return left
        at = cursor.take().at
        left = Call(at, ("internal", "member_3"), (left, value, _operators(cursor, _ALL)))
    while cursor.is_word("in"):
        at = cursor.take().at
        left = Call(at, ("internal", "member_2"), (left, _operators(cursor, _ALL)))
    return left


def _operators(cursor: Cursor, loosest: int) -> Term:
    """Terms with operators between them that bind at least so tight."""
    left = primary(cursor)
    while (found := _OPERATORS.get(cursor.kind)) is not None and found[1] >= loosest:
        token = cursor.take()
        left = Call(token.at, (found[0],), (left, _operators(cursor, found[1] + 1)))
    return left


def primary(cursor: Cursor) -> Term:
    """A term without an operator, with the keys and calls that follow it."""
    cursor.deeper()
    token = cursor.token
    if token.kind == "(":
        cursor.take()
        found = expression(cursor)
        cursor.expect(")", "')'")
        result = _followed(cursor, found)
    elif token.kind == "[":
        result = _followed(cursor, _array(cursor))
    elif token.kind == "{":
        result = _followed(cursor, _braces(cursor))
    elif token.kind == "name":
        result = _named(cursor)
    else:
        result = _scalar(cursor)
    cursor.shallower()
    return result


def _scalar(cursor: Cursor) -> Term:
    token = cursor.token
    if token.kind == "string":
        cursor.take()
        return _followed(cursor, String(token.at, token.value))
    if token.kind == "number":
        cursor.take()
        return syntax.Number(token.at, token.value)
    if token.kind == "-" and cursor.after().kind == "number" and not cursor.after().spaced:
        cursor.take()
        return syntax.Number(token.at, "-" + cursor.take().value)
    if token.kind == "template":
        cursor.take()
        parts = [part if isinstance(part, str) else _whole(cursor.inner(part)) for part in token.parts]
        return syntax.Template(token.at, tuple(parts))
    raise cursor.unexpected("expected a term")


def _whole(cursor: Cursor) -> Expression:
    at = cursor.token.at
    found = Expression(at, expression(cursor), modifiers=modifiers(cursor))
    if cursor.kind != "end":
        raise cursor.unexpected("expected '}'")
    return found


def _named(cursor: Cursor) -> Term:
    token = cursor.token
    if cursor.keyword:
        if token.value in ("true", "false"):
            cursor.take()
            return syntax.Boolean(token.at, token.value == "true")
        if token.value == "null":
            cursor.take()
            return syntax.Null(token.at)
        follows = cursor.after()
        # A keyword is a name where it begins a call or a reference ("contains(a, b)" is a built-in).
        if token.value != "contains" or follows.kind != "(" or follows.spaced:
            raise cursor.unexpected("expected a term")
    cursor.take()
    if token.value == "_":
        return _followed(cursor, cursor.wildcard(token.at))
    return _followed(cursor, Var(token.at, token.value))


def _followed(cursor: Cursor, head: Term) -> Term:
    """Keys in brackets or behind dots, and a call; space before any of them ends the term."""
    keys: list[Term] = []
    while not cursor.token.spaced:
        if cursor.kind == ".":
            cursor.take()
            token = cursor.token
            if token.kind != "name" or token.spaced:
                raise cursor.unexpected("expected a name")
            cursor.take()
            keys.append(String(token.at, token.value))
        elif cursor.kind == "[":
            cursor.take()
            keys.append(expression(cursor))
            cursor.expect("]", "']'")
        elif cursor.kind == "(":
            name = _function(cursor, head, keys)
            cursor.take()
            head, keys = Call(head.at, name, _listed(cursor, ")", item)), []
            if head.name == ("set",) and not head.arguments:
                head = syntax.Set(head.at, ())
        else:
            break
    return Ref(head.at, head, tuple(keys)) if keys else head


def _function(cursor: Cursor, head: Term, keys: list[Term]) -> tuple[str, ...]:
    if isinstance(head, Var) and not head.name.startswith(syntax.WILDCARD):
        names = [key.value for key in keys if isinstance(key, String)]
        if len(names) == len(keys):
            return (head.name, *names)
    raise cursor.unexpected("what stands before it is no function's name")


def _listed(cursor: Cursor, closing: str, each: Callable[[Cursor], Term]) -> tuple[Term, ...]:
    """Terms with commas between them, and one at the end if wanted, up to the closing sign, which is taken."""
    found = []
    while not cursor.took(closing):
        found.append(each(cursor))
        if not cursor.took(",") and cursor.kind != closing:
            raise cursor.unexpected(f"expected ',' or '{closing}'")
    return tuple(found)


def _comprehension(cursor: Cursor, closing: str, make: Callable[[Term, Body], Term]) -> Term | None:
    """``term | body`` up to the closing sign; None, and nothing taken, where the bar is a union's or there is none."""
    if not cursor.has_bar():
        return None
    mark, depth = cursor.index, cursor.depth
    try:
        head = _operators(cursor, _TIGHTER_THAN_BAR)
        if cursor.took("|"):
            cursor.tries -= 1
            if cursor.tries < 0:
                raise cursor.failed("too many bars that could mean two things")
            return make(head, body(cursor, closing))
    except ExpressionError:
        if cursor.tries < 0:
            raise
    cursor.index, cursor.depth = mark, depth
    return None


def _array(cursor: Cursor) -> Term:
    at = cursor.take().at
    found = _comprehension(cursor, "]", lambda head, inside: syntax.ArrayComprehension(at, head, inside))
    return found if found is not None else syntax.Array(at, _listed(cursor, "]", item))


def _braces(cursor: Cursor) -> Term:
    at = cursor.take().at
    if cursor.took("}"):
        return syntax.Object(at, ())
    found = _comprehension(cursor, "}", lambda head, inside: syntax.SetComprehension(at, head, inside))
    if found is not None:
        return found
    first = item(cursor)
    if cursor.kind != ":":
        rest: tuple[Term, ...] = ()
        if not cursor.took("}"):
            if not cursor.took(","):
                raise cursor.unexpected("expected ',', ':' or '}'")
            rest = _listed(cursor, "}", item)
        return syntax.Set(at, (first, *rest))
    cursor.take()
    found = _comprehension(cursor, "}", lambda value, inside: syntax.ObjectComprehension(at, first, value, inside))
    if found is not None:
        return found
    pairs = [(first, item(cursor))]
    while not cursor.took("}"):
        if not cursor.took(","):
            raise cursor.unexpected("expected ',' or '}'")
        if cursor.took("}"):
            break
        key = item(cursor)
        cursor.expect(":", "':'")
        pairs.append((key, item(cursor)))
    return syntax.Object(at, tuple(pairs))
