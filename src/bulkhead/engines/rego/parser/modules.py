"""Modules and queries from their texts."""

from __future__ import annotations

from bulkhead.engines.rego.lexer import lexed
from bulkhead.engines.rego.parser import rules, terms
from bulkhead.engines.rego.parser.cursor import FUTURE, Cursor
from bulkhead.engines.rego.syntax import Body, Import, Module, Ref, Rule, String, Var

_ROOTS = frozenset({"data", "input", "future", "rego"})


def module(text: str, path: str = "", *, version: int = 1) -> Module:
    """One file of policy.

    Args:
        text: its text.
        path: its name, for messages.
        version: of the language; ``import rego.v1`` raises it.

    Raises:
        ExpressionError: it does not follow the grammar; the place is in ``where``.
    """
    found = lexed(text, path)
    cursor = Cursor(found.tokens, text, path, version)
    package = _package(cursor)
    imports = []
    while cursor.is_word("import"):
        imports.append(_import(cursor))
    made: list[Rule] = []
    while cursor.kind != "end":
        if cursor.is_word("import"):
            imports.append(_import(cursor))
            continue
        if not cursor.token.first:
            if not cursor.took(";"):
                raise cursor.unexpected("expected a new line")
            continue
        made.extend(rules.rules(cursor))
    return Module(path, text, cursor.version, package, tuple(imports), tuple(made), found.comments)


def query(text: str, path: str = "query", *, version: int = 1) -> Body:
    """The literals of a query. Raises as ``module`` does."""
    cursor = Cursor(lexed(text, path).tokens, text, path, version)
    return terms.body(cursor, "end")


def _package(cursor: Cursor) -> tuple[str, ...]:
    if not cursor.took_word("package"):
        raise cursor.unexpected("expected 'package'")
    return _path(cursor, "a package's name")


def _path(cursor: Cursor, what: str) -> tuple[str, ...]:
    token = cursor.token
    found = terms.primary(cursor) if token.value not in cursor.keywords else Var(cursor.take().at, token.value)
    if isinstance(found, Var):
        return (found.name,)
    if isinstance(found, Ref) and isinstance(found.head, Var):
        names = [key.value for key in found.keys if isinstance(key, String)]
        if len(names) == len(found.keys):
            return (found.head.name, *names)
    raise cursor.failed(f"expected {what}", at=token.at)


def _import(cursor: Cursor) -> Import:
    at = cursor.take().at
    path = _path(cursor, "a path")
    if path[0] not in _ROOTS:
        raise cursor.failed(f"a path begins with input or data, not with {path[0]}", at=at)
    alias = cursor.name("a name").value if cursor.took_word("as") else ""
    if path[0] == "rego":
        if path != ("rego", "v1") or alias:
            raise cursor.failed("only rego.v1 can be imported", at=at)
        cursor.version = 1
        cursor.keywords |= FUTURE
    elif path[0] == "future":
        _future(cursor, path, alias, at)
    return Import(at, path, alias)


def _future(cursor: Cursor, path: tuple[str, ...], alias: str, at: int) -> None:
    if path[:2] != ("future", "keywords") or len(path) > 3 or alias:
        raise cursor.failed("only future.keywords can be imported", at=at)
    if len(path) == 3 and path[2] not in FUTURE:
        raise cursor.failed(f"unknown keyword '{path[2]}'", at=at, hint=f"one of {', '.join(sorted(FUTURE))}")
    named = frozenset(path[2:]) or FUTURE
    cursor.keywords |= named | ({"in"} if "every" in named else frozenset())
