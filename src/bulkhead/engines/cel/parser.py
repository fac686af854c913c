"""Tokens to the tree, by precedence climbing (CEL language definition, section "Syntax")."""

from __future__ import annotations

from typing import Any, Literal, cast

import msgspec

from bulkhead.engines.cel import syntax as s
from bulkhead.engines.cel.lexer import RESERVED, Token, failure, tokens
from bulkhead.engines.cel.macros import expand
from bulkhead.engines.cel.values import INT_MAX, UInt

MAX_SIZE = 64 * 1024
MAX_DEPTH = 120
MAX_NODES = 10_000

_PRECEDENCE = {
    "?": 1,
    "||": 2,
    "&&": 3,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "/", "%"), 6),
}


def parse(text: str) -> s.Node:
    """The tree of one expression; raises ExpressionError with line and column."""
    if len(text) > MAX_SIZE:
        raise failure(text[:1], 0, f"expression is longer than {MAX_SIZE} characters", "split it")
    parser = _Parser(text)
    node = parser.expression(1)
    if parser.token.kind != "end":
        raise parser.unexpected("after the expression")
    _measure(text, node)
    return node


def _measure(text: str, root: s.Node) -> None:
    """Refuse a tree that is deeper than its brackets, such as a long chain of selections inside another."""
    level: list[Any] = [root]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for part in level:
            if isinstance(part, tuple):
                below += part
            elif isinstance(part, msgspec.Struct):
                below += [getattr(part, name) for name in part.__struct_fields__]
        level = [part for part in below if isinstance(part, (msgspec.Struct, tuple))]
        if not level:
            return
    raise failure(text, root.at, f"expression is nested deeper than {MAX_DEPTH}", "split it")


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens(text)
        self.position = 0
        self.token: Token = self.tokens[0]
        self.depth = 0
        self.nodes = 0

    def advance(self) -> Token:
        token = self.token
        self.position += 1
        self.token = self.tokens[min(self.position, len(self.tokens) - 1)]
        return token

    def take(self, kind: str) -> bool:
        if self.token.kind != kind:
            return False
        self.advance()
        return True

    def expect(self, kind: str) -> Token:
        if self.token.kind != kind:
            raise self.unexpected(f"where {kind!r} was expected")
        return self.advance()

    def unexpected(self, where: str) -> Exception:
        token = self.token
        what = "end of expression" if token.kind == "end" else f"{token.value!r}"
        return failure(self.text, token.at, f"unexpected {what} {where}")

    def counted(self, at: int, levels: int = 0) -> int:
        """Count one node against the bounds; ``levels`` is how deep a chain without brackets has grown."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise failure(self.text, at, f"expression has more than {MAX_NODES} nodes", "split it")
        if self.depth + levels > MAX_DEPTH:
            raise failure(self.text, at, f"expression is nested deeper than {MAX_DEPTH}", "split it")
        return at

    def expression(self, minimum: int) -> s.Node:
        self.depth += 1
        outer = self.depth
        self.counted(self.token.at)
        left = self.unary()
        while (precedence := _PRECEDENCE.get(self.token.kind, 0)) >= minimum:
            token = self.advance()
            self.counted(token.at)
            if token.kind == "?":
                then = self.expression(2)
                self.expect(":")
                left = s.Conditional(token.at, left, then, self.expression(1))
                break
            if token.kind in {"&&", "||"}:
                left = self.chain(token, left, precedence)
                continue
            # A chain such as a + b + c is a tree as deep as it is long.
            self.depth += 1
            left = s.Binary(token.at, token.kind, left, self.expression(precedence + 1))
        self.depth = outer - 1
        return left

    def chain(self, token: Token, left: s.Node, precedence: int) -> s.Node:
        operands = [left, self.expression(precedence + 1)]
        while self.take(token.kind):
            operands.append(self.expression(precedence + 1))
        return s.Logical(token.at, cast("Literal['&&', '||']", token.kind), tuple(operands))

    def unary(self) -> s.Node:
        signs: list[Token] = []
        first = self.token.kind
        while self.token.kind == first and first in {"!", "-"}:
            signs.append(self.advance())
            self.counted(self.token.at, len(signs))
        value = self.token.value
        if signs and first == "-" and self.token.kind == "value" and type(value) in {int, float}:
            self.tokens[self.position] = self.token = Token("value", signs.pop().at, -value)
        node = self.postfix(self.primary(), len(signs))
        for sign in reversed(signs):
            node = s.Unary(sign.at, "!" if sign.kind == "!" else "-", node)
        return node

    def postfix(self, node: s.Node, levels: int) -> s.Node:
        while self.token.kind in {".", "["}:
            levels += 1
            token = self.advance()
            at = self.counted(token.at, levels)
            optional = self.take("?")
            if token.kind == "[":
                node = s.Index(at, node, self.expression(1), optional)
                self.expect("]")
                continue
            if self.token.kind == "quoted":
                node = s.Select(at, node, self.advance().value, optional)
                continue
            name = self.field()
            if not optional and self.take("("):
                node = expand(self.text, s.Call(at, node, name, self.arguments(")")))
            else:
                node = s.Select(at, node, name, optional)
        if self.token.kind == "{" and isinstance(node, (s.Select, s.Name)):
            raise failure(self.text, node.at, "message types are not known here", "write a map literal")
        return node

    def field(self) -> str:
        if self.token.kind not in {"name", "in"}:
            raise self.unexpected("where a field name was expected")
        return str(self.advance().value)

    def arguments(self, end: str) -> tuple[s.Node, ...]:
        found: list[s.Node] = []
        while not self.take(end):
            if found:
                self.expect(",")
            found.append(self.expression(1))
        return tuple(found)

    def primary(self) -> s.Node:
        token = self.advance()
        match token.kind:
            case "value":
                return s.Constant(token.at, self.within(token))
            case "true" | "false":
                return s.Constant(token.at, token.kind == "true")
            case "null":
                return s.Constant(token.at, None)
            case "(":
                node = self.expression(1)
                self.expect(")")
                return node
            case "[":
                return self.list(token.at)
            case "{":
                return self.map(token.at)
            case "." if self.token.kind == "name":
                return self.named(self.advance(), absolute=True)
            case "name":
                return self.named(token, absolute=False)
        self.position -= 1
        self.token = token
        raise self.unexpected("where a value was expected")

    def within(self, token: Token) -> Any:
        value = token.value
        if type(value) is int and not isinstance(value, UInt) and value > INT_MAX:
            raise failure(self.text, token.at, "integer literal is out of range")
        return value

    def named(self, token: Token, *, absolute: bool) -> s.Node:
        name = str(token.value)
        if name in RESERVED:
            raise failure(self.text, token.at, f"{name!r} is a reserved word", "choose another name")
        if self.take("("):
            return expand(self.text, s.Call(token.at, None, name, self.arguments(")")))
        return s.Name(token.at, name, absolute)

    def list(self, at: int) -> s.Node:
        items: list[s.Item] = []
        while not self.take("]"):
            if items:
                self.expect(",")
                if self.take("]"):
                    break
            optional = self.take("?")
            items.append(s.Item(self.expression(1), optional))
        return s.ListLiteral(at, tuple(items))

    def map(self, at: int) -> s.Node:
        entries: list[s.Entry] = []
        while not self.take("}"):
            if entries:
                self.expect(",")
                if self.take("}"):
                    break
            optional = self.take("?")
            key = self.expression(1)
            self.expect(":")
            entries.append(s.Entry(key, self.expression(1), optional))
        return s.MapLiteral(at, tuple(entries))
