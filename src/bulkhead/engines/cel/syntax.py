"""The tree of an expression, macros already expanded. ``at`` is the offset in the text, for messages."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec


class Constant(msgspec.Struct, frozen=True):
    """A literal: bool, int, UInt, float, str, bytes or None."""

    at: int
    value: Any


class Name(msgspec.Struct, frozen=True):
    """An identifier; a leading dot (``.name``) passes over local variables."""

    at: int
    name: str
    absolute: bool = False


class Select(msgspec.Struct, frozen=True):
    """``operand.field`` or ``operand.?field``."""

    at: int
    operand: Node
    field: str
    optional: bool = False


class Has(msgspec.Struct, frozen=True):
    """``has(operand.field)``."""

    at: int
    operand: Node
    field: str


class Index(msgspec.Struct, frozen=True):
    """``operand[key]`` or ``operand[?key]``."""

    at: int
    operand: Node
    key: Node
    optional: bool = False


class Call(msgspec.Struct, frozen=True):
    """``name(arguments)`` or ``target.name(arguments)``."""

    at: int
    target: Node | None
    name: str
    arguments: tuple[Node, ...]


class Unary(msgspec.Struct, frozen=True):
    at: int
    operator: Literal["!", "-"]
    operand: Node


class Binary(msgspec.Struct, frozen=True):
    at: int
    operator: str
    left: Node
    right: Node


class Logical(msgspec.Struct, frozen=True):
    """A whole chain of one operator, so that a long one stays flat."""

    at: int
    operator: Literal["&&", "||"]
    operands: tuple[Node, ...]


class Conditional(msgspec.Struct, frozen=True):
    at: int
    test: Node
    then: Node
    otherwise: Node


class Item(msgspec.Struct, frozen=True):
    """One element of a list; ``[?value]`` leaves an absent one out."""

    value: Node
    optional: bool = False


class ListLiteral(msgspec.Struct, frozen=True):
    at: int
    items: tuple[Item, ...]


class Entry(msgspec.Struct, frozen=True):
    """One entry of a map; ``{?key: value}`` leaves an absent one out."""

    key: Node
    value: Node
    optional: bool = False


class MapLiteral(msgspec.Struct, frozen=True):
    at: int
    entries: tuple[Entry, ...]


Kind: TypeAlias = Literal["all", "exists", "exists_one", "map", "filter", "transform_map", "transform_entry"]


class Comprehension(msgspec.Struct, frozen=True):
    """A loop. With two variables the first is the index or key and the second the element or value."""

    at: int
    kind: Kind
    over: Node
    variables: tuple[str, ...]
    body: Node
    condition: Node | None = None


class Bind(msgspec.Struct, frozen=True):
    """``cel.bind(name, value, body)``."""

    at: int
    name: str
    value: Node
    body: Node


class Opened(msgspec.Struct, frozen=True):
    """``optional.optMap(name, body)``; ``flat`` for optFlatMap."""

    at: int
    optional: Node
    name: str
    body: Node
    flat: bool


Node: TypeAlias = (
    Constant
    | Name
    | Select
    | Has
    | Index
    | Call
    | Unary
    | Binary
    | Logical
    | Conditional
    | ListLiteral
    | MapLiteral
    | Comprehension
    | Bind
    | Opened
)
