"""Where a parser stands in its tokens, and which words are keywords in its module."""

from __future__ import annotations

from typing import Final

from bulkhead.core.errors import ExpressionError
from bulkhead.engines.rego.failures import failure
from bulkhead.engines.rego.lexer import Token
from bulkhead.engines.rego.syntax import WILDCARD, Var

ALWAYS: Final = frozenset(
    {"as", "default", "else", "false", "import", "not", "null", "package", "some", "true", "with"}
)
FUTURE: Final = frozenset({"contains", "every", "if", "in"})
"""Keywords of version 1; in version 0 each has to be imported."""
_DEEP: Final = 60
_TRIES: Final = 10_000
"""Places where a bar could end a comprehension's head or be a union: each is tried both ways."""


class Cursor:
    """Mutable; one for a text and for each of its template strings."""

    def __init__(self, tokens: list[Token], text: str, path: str, version: int) -> None:
        self.tokens = tokens
        self.text = text
        self.path = path
        self.version = version
        self.keywords = ALWAYS | FUTURE if version else ALWAYS
        self.index = 0
        self.depth = 0
        self.tries = _TRIES
        self._wildcards = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    @property
    def kind(self) -> str:
        return self.tokens[self.index].kind

    def is_word(self, word: str) -> bool:
        """Whether the keyword stands here; one with a dot behind it begins a reference."""
        return self.token.value == word and self.keyword

    @property
    def keyword(self) -> bool:
        """Whether what stands here is a keyword."""
        token = self.token
        if token.kind != "name" or token.value not in self.keywords:
            return False
        follows = self.after()
        return follows.kind != "." or follows.spaced

    def after(self, count: int = 1) -> Token:
        return self.tokens[min(self.index + count, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.tokens[self.index]
        if token.kind != "end":
            self.index += 1
        return token

    def took(self, kind: str) -> bool:
        if self.kind != kind:
            return False
        self.index += 1
        return True

    def took_word(self, word: str) -> bool:
        if not self.is_word(word):
            return False
        self.index += 1
        return True

    def expect(self, kind: str, what: str) -> Token:
        if self.kind != kind:
            raise self.unexpected(f"expected {what}")
        return self.take()

    def name(self, what: str) -> Token:
        """An identifier that is no keyword."""
        if self.kind != "name" or self.keyword:
            raise self.unexpected(f"expected {what}")
        return self.take()

    def wildcard(self, at: int) -> Var:
        self._wildcards += 1
        return Var(at, f"{WILDCARD}{self._wildcards}")

    def inner(self, tokens: list[Token]) -> Cursor:
        """A cursor for the tokens of a template string's expression."""
        made = Cursor(tokens, self.text, self.path, self.version)
        made.keywords, made.depth, made.tries = self.keywords, self.depth, self.tries
        # Wildcards of the two must differ.
        made._wildcards = (self._wildcards + 1) * 1000
        self._wildcards += 1
        return made

    def has_bar(self) -> bool:
        """Whether a bar stands before the sign that closes what was just opened."""
        depth = 0
        for token in self.tokens[self.index :]:
            if token.kind == "|" and not depth:
                return True
            if token.kind in ("(", "[", "{"):
                depth += 1
            elif token.kind in (")", "]", "}"):
                depth -= 1
                if depth < 0:
                    return False
        return False

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > _DEEP:
            raise self.failed("terms stand too deep in each other")

    def shallower(self) -> None:
        self.depth -= 1

    def failed(self, message: str, *, at: int | None = None, hint: str = "") -> ExpressionError:
        return failure(self.text, self.path, self.token.at if at is None else at, message, hint=hint)

    def unexpected(self, expected: str = "") -> ExpressionError:
        token = self.token
        named = "the end of the text" if token.kind == "end" else repr(token.value or token.kind)
        if self.keyword:
            named = f"the keyword '{token.value}'"
        return self.failed(f"unexpected {named}" + (f": {expected}" if expected else ""))
