"""Values from JSON and to JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from bulkhead.core.errors import ParseError
from bulkhead.engines.rego.errors import BudgetError
from bulkhead.engines.rego.values import Keyed, Set, items, number, value_of

MAX_NODES = 2_000_000
"""Parts of one answer: a small value may hold itself many times over."""

_DECODER = msgspec.json.Decoder(float_hook=number)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def decode(data: bytes | str) -> Any:
    """The value of a JSON text; of two equal keys the last one counts.

    Raises:
        ParseError: it is none.
    """
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ParseError(f"not JSON: {error}") from None
    except RecursionError:
        raise ParseError("JSON nested too deep") from None


def encode(value: Any) -> bytes:
    """The JSON text of a value, as OPA answers: sets as sorted arrays, keys as strings.

    Raises:
        BudgetError: the text would be too large.
    """
    found = plain(value)
    try:
        return _ENCODER.encode(found)
    except UnicodeEncodeError:
        return _ENCODER.encode(readable(found))
    except RecursionError:
        raise BudgetError("a value is nested too deep") from None


def plain(value: Any) -> Any:
    """The value as JSON can hold it; what is so already is not copied.

    Raises:
        BudgetError: it has too many parts.
    """
    try:
        return _plain(value, [MAX_NODES])
    except RecursionError:
        raise BudgetError("a value is nested too deep") from None


def _plain(value: Any, room: list[int]) -> Any:
    kind = type(value)
    if kind is dict:
        room[0] -= len(value) + 1
        if room[0] < 0:
            raise BudgetError("the answer is too large")
        out = {}
        changed = False
        for key, item in value.items():
            new = item if type(item) is str else _plain(item, room)
            name = key if type(key) is str else key_text(key)
            changed = changed or new is not item or name is not key
            out[name] = new
        return out if changed else value
    if kind is list or kind is Set:
        room[0] -= len(value) + 1
        if room[0] < 0:
            raise BudgetError("the answer is too large")
        found = [item if type(item) is str else _plain(item, room) for item in value]
        same = kind is list and all(new is item for new, item in zip(found, value, strict=True))
        return value if same else found
    if kind is Keyed:
        room[0] -= len(value) + 1
        if room[0] < 0:
            raise BudgetError("the answer is too large")
        return {key_text(key): _plain(item, room) for key, item in items(value)}
    return value


def key_text(key: Any) -> str:
    """A key that is no string as its JSON text, as OPA makes one of it."""
    held = value_of(key)
    return held if type(held) is str else encode(held).decode()


def readable(value: Any) -> Any:
    """The value with U+FFFD for the bytes of strings that are no text, as Go writes them."""
    if type(value) is str:
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if type(value) is dict:
        return {readable(key): readable(item) for key, item in value.items()}
    if type(value) is list:
        return [readable(item) for item in value]
    return value
