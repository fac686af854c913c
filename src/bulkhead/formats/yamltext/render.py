"""New YAML in the style of the text it is put into."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from bulkhead.core.errors import CannotEdit
from bulkhead.core.resource import UNKNOWN
from bulkhead.formats.yamltext import scalars

_PLAIN: Final = re.compile(r"[A-Za-z_/][\w./@%+=,():;\\$~^*!? -]*")
_PLAIN_IN_FLOW: Final = re.compile(r"[A-Za-z_/][\w./@%+=():;\\$~^*!? -]*")
_QUANTITY: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:m|k|s|h|d|[KMGTPE]i?|ms|us|ns|min)")
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class Style(msgspec.Struct, frozen=True):
    """How the text is written.

    Attributes:
        width: columns from a key to the keys below it.
        dash: columns from a key to the dashes below it.
        item: columns from a dash to what it holds.
        quote: the quotation mark for strings that need one.
        line: the line break.
        literal: a new multi-line string may be a block scalar (the text ends with a line break).
    """

    width: int = 2
    dash: int = 2
    item: int = 2
    quote: str = '"'
    line: str = "\n"
    literal: bool = True


def string(text: str, *, flow: bool, quote: str, force: bool = False) -> str:
    """A string, quoted where it must be or where ``force`` says so."""
    if not force and _may_be_plain(text, flow=flow):
        return text
    if quote == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def _may_be_plain(text: str, *, flow: bool) -> bool:
    if _QUANTITY.fullmatch(text):
        return True
    pattern = _PLAIN_IN_FLOW if flow else _PLAIN
    if not pattern.fullmatch(text) or not text.isascii():
        return False
    if text.endswith((":", " ", "---")) or ": " in text or " #" in text:
        return False
    return bool(scalars.plain(text) == text)


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def scalar(value: Any, *, flow: bool, quote: str, force: bool = False) -> str:
    """A scalar as it stands in a text.

    Raises:
        CannotEdit: the value has no spelling.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return string(value, flow=flow, quote=quote, force=force)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        text = repr(value)
        # YAML 1.1 reads 1e-05 as text without a point or a sign.
        return text if "e" not in text else format(value, "f")
    if value is UNKNOWN:
        raise CannotEdit("an unknown value cannot be written")
    raise CannotEdit(f"a {type(value).__name__} is not a YAML scalar")


def inline(value: Any, *, quote: str, quoted_keys: bool = False) -> str:
    """A value in flow style, on one line."""
    if isinstance(value, dict):
        entries = (
            f"{string(key, flow=True, quote=quote, force=quoted_keys)}: "
            f"{inline(item, quote=quote, quoted_keys=quoted_keys)}"
            for key, item in value.items()
        )
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(item, quote=quote, quoted_keys=quoted_keys) for item in value) + "]"
    return scalar(value, flow=True, quote=quote, force=quoted_keys)


def is_inline(value: Any) -> bool:
    """Whether a value stands on the line of its key: a scalar, or a collection with nothing in it."""
    return not value or not isinstance(value, dict | list)


def entry(key: str, value: Any, column: int, style: Style) -> str:
    """A key with its value; the first line begins at the key, the others carry their indentation."""
    return f"{string(key, flow=False, quote=style.quote)}:{after_colon(value, column, style)}"


def after_colon(value: Any, column: int, style: Style) -> str:
    """What follows the colon of a key at ``column``."""
    if isinstance(value, str) and style.literal and _may_be_literal(value):
        head = "|" if value.endswith("\n") else "|-"
        lines = value.removesuffix("\n").split("\n")
        pad = " " * (column + style.width)
        return f" {head}" + "".join(f"{style.line}{pad}{line}" if line else style.line for line in lines)
    if is_inline(value):
        return " " + (inline(value, quote=style.quote) if isinstance(value, dict | list) else _line(value, style))
    if isinstance(value, dict):
        return _joined(lambda: entries(value, column + style.width, style), column + style.width, style)
    return _joined(lambda: items(value, column + style.dash, style), column + style.dash, style)


def _joined(rendered: Callable[[], str], column: int, style: Style) -> str:
    return f"{style.line}{' ' * column}{rendered()}"


def _line(value: Any, style: Style) -> str:
    return scalar(value, flow=False, quote=style.quote)


def _may_be_literal(text: str) -> bool:
    lines = text.removesuffix("\n").split("\n")
    return (
        len(lines) > 1
        and not text.startswith((" ", "\n", "\t"))
        and bool(lines[-1].strip())
        and all(line.isprintable() or not line for line in lines)
    )


def entries(value: dict[str, Any], column: int, style: Style) -> str:
    """A block mapping at ``column``, its first line without indentation."""
    pad = style.line + " " * column
    return pad.join(entry(key, item, column, style) for key, item in value.items())


def items(value: list[Any], column: int, style: Style) -> str:
    """A block sequence with its dashes at ``column``, the first line without indentation."""
    pad = style.line + " " * column
    return pad.join("-" + " " * (style.item - 1) + item(one, column + style.item, style) for one in value)


def item(value: Any, column: int, style: Style) -> str:
    """What stands after a dash, with its content at ``column``."""
    if is_inline(value):
        return inline(value, quote=style.quote) if isinstance(value, dict | list) else _line(value, style)
    return entries(value, column, style) if isinstance(value, dict) else items(value, column, style)
