"""The tree of a Rego module (OPA, "Policy Reference", Grammar). ``at`` is the offset in the module's text, for messages."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

WILDCARD = "$"
"""What the names of wildcards begin with: each ``_`` is a variable of its own that no text can name."""


class Null(msgspec.Struct, frozen=True):
    at: int


class Boolean(msgspec.Struct, frozen=True):
    at: int
    value: bool


class Number(msgspec.Struct, frozen=True):
    """As it is written: numbers are exact until something calculates with them."""

    at: int
    text: str


class String(msgspec.Struct, frozen=True):
    at: int
    value: str


class Var(msgspec.Struct, frozen=True):
    at: int
    name: str


class Ref(msgspec.Struct, frozen=True):
    """``head.key[key]``; keys of a dotted part are strings."""

    at: int
    head: Term
    keys: tuple[Term, ...]


class Array(msgspec.Struct, frozen=True):
    at: int
    items: tuple[Term, ...]


class Object(msgspec.Struct, frozen=True):
    at: int
    pairs: tuple[tuple[Term, Term], ...]


class Set(msgspec.Struct, frozen=True):
    at: int
    items: tuple[Term, ...]


class ArrayComprehension(msgspec.Struct, frozen=True):
    at: int
    term: Term
    body: Body


class SetComprehension(msgspec.Struct, frozen=True):
    at: int
    term: Term
    body: Body


class ObjectComprehension(msgspec.Struct, frozen=True):
    at: int
    key: Term
    value: Term
    body: Body


class Call(msgspec.Struct, frozen=True):
    """A function by its dotted name. Operators are calls of the built-ins that they stand for (``plus``, ``internal.member_2``)."""

    at: int
    name: tuple[str, ...]
    arguments: tuple[Term, ...]


class Template(msgspec.Struct, frozen=True):
    """``$"text {term} text"``."""

    at: int
    parts: tuple[str | Expression, ...]


Term: TypeAlias = (
    Null
    | Boolean
    | Number
    | String
    | Var
    | Ref
    | Array
    | Object
    | Set
    | ArrayComprehension
    | SetComprehension
    | ObjectComprehension
    | Call
    | Template
)


class With(msgspec.Struct, frozen=True):
    """``with target as value``; the target is ``input``, ``data`` or a path below, or a function."""

    at: int
    target: Term
    value: Term


class Expression(msgspec.Struct, frozen=True):
    """A term that must hold. ``a = b`` and ``a := b`` are calls of ``eq`` and ``assign``."""

    at: int
    term: Term
    negated: bool = False
    modifiers: tuple[With, ...] = ()


class Some(msgspec.Struct, frozen=True):
    """``some x, y``."""

    at: int
    names: tuple[Var, ...]


class SomeIn(msgspec.Struct, frozen=True):
    """``some value in domain`` or ``some key, value in domain``."""

    at: int
    key: Term | None
    value: Term
    domain: Term
    modifiers: tuple[With, ...] = ()


class Every(msgspec.Struct, frozen=True):
    """``every key, value in domain { body }``."""

    at: int
    key: Term | None
    value: Term
    domain: Term
    body: Body
    modifiers: tuple[With, ...] = ()


Literal: TypeAlias = Expression | Some | SomeIn | Every
Body: TypeAlias = tuple[Literal, ...]


class Else(msgspec.Struct, frozen=True):
    at: int
    value: Term | None
    body: Body


class Rule(msgspec.Struct, frozen=True):
    """One rule.

    Attributes:
        path: its name and what follows it (``p``, ``p.q``, ``p[x].r``); the first is a string.
        arguments: of a function; None for what is none.
        member: the term of ``contains``; None for what is no set.
        value: None stands for true.
        body: empty where it holds always.
        otherwise: the chain of ``else``.
    """

    at: int
    path: tuple[Term, ...]
    arguments: tuple[Term, ...] | None = None
    member: Term | None = None
    value: Term | None = None
    body: Body = ()
    otherwise: tuple[Else, ...] = ()
    default: bool = False

    @property
    def name(self) -> str:
        first = self.path[0]
        return first.value if isinstance(first, String) else ""


class Import(msgspec.Struct, frozen=True):
    at: int
    path: tuple[str, ...]
    alias: str = ""

    @property
    def name(self) -> str:
        return self.alias or self.path[-1]


class Module(msgspec.Struct, frozen=True):
    """One file of policy.

    Attributes:
        path: its name, for messages.
        version: of the language, 0 or 1, after its imports.
        package: below ``data``.
        comments: offset and text of each, without the mark.
    """

    path: str
    text: str
    version: int
    package: tuple[str, ...]
    imports: tuple[Import, ...] = ()
    rules: tuple[Rule, ...] = ()
    comments: tuple[tuple[int, str], ...] = ()
