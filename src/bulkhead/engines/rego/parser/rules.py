"""Rules: heads, bodies, chains of ``else``. One text may make several rules (``p { a } { b }``)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego.parser import terms
from bulkhead.engines.rego.parser.cursor import Cursor
from bulkhead.engines.rego.syntax import Body, Call, Else, Ref, Rule, String, Term, Var


def rules(cursor: Cursor) -> Iterator[Rule]:
    """The rules that begin here."""
    at = cursor.token.at
    if cursor.took_word("default"):
        yield _default(cursor, at)
        return
    path, arguments = _name(cursor, at)
    member = _member(cursor)
    value = _value(cursor) if member is None else None
    conditional = cursor.took_word("if")
    made = Rule(at, path, arguments, member, value)
    if conditional:
        made = msgspec.structs.replace(_versioned(cursor, made, conditional=True), body=_condition(cursor))
    elif cursor.kind == "{" and not cursor.token.first:
        if cursor.version:
            raise cursor.failed("'if' keyword is required before rule body", hint="write: if {")
        made = msgspec.structs.replace(_versioned(cursor, made, conditional=False), body=terms.braced(cursor))
    else:
        made = _versioned(cursor, made, conditional=False)
        _needs_something(cursor, made)
    yield msgspec.structs.replace(made, otherwise=tuple(_chain(cursor, made)))
    while cursor.kind == "{" and not cursor.version and not conditional and not made.otherwise:
        yield msgspec.structs.replace(made, at=cursor.token.at, body=terms.braced(cursor))


def _needs_something(cursor: Cursor, rule: Rule) -> None:
    if rule.value is None and rule.member is None and (rule.arguments is None or cursor.version):
        hint = "write: if { … }" if cursor.version else ""
        raise cursor.failed("a rule needs a value or a body", at=rule.at, hint=hint)


def _default(cursor: Cursor, at: int) -> Rule:
    path, arguments = _name(cursor, at)
    if cursor.kind not in (":=", "="):
        raise cursor.unexpected("expected ':='")
    cursor.take()
    return Rule(at, path, arguments, value=terms.item(cursor), default=True)


def _name(cursor: Cursor, at: int) -> tuple[tuple[Term, ...], tuple[Term, ...] | None]:
    found = terms.primary(cursor)
    if isinstance(found, Call):
        # A head with empty parentheses is no function but a value, as OPA takes it.
        return tuple(String(at, name) for name in found.name), found.arguments or None
    if isinstance(found, Var) and not found.name.startswith("$"):
        return (String(at, found.name),), None
    if isinstance(found, Ref) and isinstance(found.head, Var):
        return (String(at, found.head.name), *found.keys), None
    raise cursor.failed("a rule begins with its name", at=at)


def _member(cursor: Cursor) -> Term | None:
    return terms.item(cursor) if cursor.took_word("contains") else None


def _value(cursor: Cursor) -> Term | None:
    if cursor.kind not in (":=", "="):
        return None
    cursor.take()
    return terms.item(cursor)


def _versioned(cursor: Cursor, rule: Rule, *, conditional: bool) -> Rule:
    """Without ``if``, ``p[x]`` of version 0 is a set; with it, an object."""
    if (
        rule.member is None
        and rule.value is None
        and rule.arguments is None
        and len(rule.path) == 2
        and not conditional
    ):
        if cursor.version:
            raise cursor.failed("'contains' keyword is required for partial set rules", at=rule.at)
        return msgspec.structs.replace(rule, path=rule.path[:1], member=rule.path[1])
    return rule


def _condition(cursor: Cursor) -> Body:
    """A body in braces, or one literal; an object or a set in braces is a literal."""
    if cursor.kind != "{":
        return (terms.literal(cursor),)
    if cursor.after().kind == "}":
        raise cursor.failed("a body is empty")
    mark = cursor.index, cursor.depth
    try:
        return terms.braced(cursor)
    except ExpressionError as error:
        cursor.index, cursor.depth = mark
        cursor.tries -= 1
        try:
            return (terms.literal(cursor),)
        except ExpressionError:
            # The braces were meant for a body far more often.
            raise error from None


def _chain(cursor: Cursor, rule: Rule) -> Iterator[Else]:
    while cursor.is_word("else"):
        at = cursor.take().at
        if rule.member is not None:
            raise cursor.failed("a set has no else", at=at)
        value = _value(cursor)
        if cursor.took_word("if"):
            yield Else(at, value, _condition(cursor))
        elif cursor.kind == "{" and not cursor.token.first:
            if cursor.version:
                raise cursor.failed("'if' keyword is required before rule body", hint="write: else if {")
            yield Else(at, value, terms.braced(cursor))
        elif value is not None:
            yield Else(at, value, ())
        else:
            raise cursor.unexpected("expected a value or a body")
