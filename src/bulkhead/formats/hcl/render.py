"""New Terraform text: expressions, attributes and nested blocks."""

from __future__ import annotations

import json
import re
from typing import Any

from bulkhead.core.errors import CannotEdit
from bulkhead.core.resource import UNKNOWN
from bulkhead.formats.flow import Pen

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def scalar(value: Any) -> str:
    """A literal, one character per byte of its UTF-8 form.

    Raises:
        CannotEdit: the value has no spelling.
    """
    if value is UNKNOWN:
        raise CannotEdit("an unknown value cannot be written")
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if isinstance(value, str):
        text = text.replace("\\b", "\\u0008").replace("\\f", "\\u000c").replace("${", "$${").replace("%{", "%%{")
    return narrow(text)


def key(name: str) -> str:
    return name if _WORD.fullmatch(name) else scalar(name)


def narrow(text: str) -> str:
    """Text as one character per byte, the form that splices are made in."""
    return text.encode().decode("latin-1")


PEN = Pen(
    scalar=lambda value, _quoted: scalar(value),
    key=lambda name, _quoted: key(name),
    colon=" = ",
    comma_between_lines=False,
    short_lists=True,
)


def is_blocks(value: Any) -> bool:
    """Whether a new value becomes nested blocks: a list of bodies. A body alone becomes an object."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def expression(value: Any, indent: str, line: str) -> str:
    """A value; objects get a line per entry, lists of scalars stay on one."""
    nested = isinstance(value, dict) or (isinstance(value, list) and any(isinstance(i, dict | list) for i in value))
    return PEN.write(value, quoted=False, indent=indent if nested else None, line=line)


def attribute(name: str, value: Any, indent: str, line: str, width: int = 0) -> str:
    """``name = value``, the name padded to the width of its neighbours."""
    return f"{indent}{name.ljust(width)} = {expression(value, indent, line)}"


def block(name: str, body: dict[str, Any], indent: str, unit: str, line: str) -> str:
    """A nested block with its attributes aligned as ``terraform fmt`` does."""
    inner = indent + unit
    width = max((len(one) for one, value in body.items() if not is_blocks(value)), default=0)
    lines = []
    for one, value in body.items():
        if is_blocks(value):
            lines += [block(one, item, inner, unit, line) for item in value]
        else:
            lines.append(attribute(one, value, inner, line, width))
    return line.join((f"{indent}{name} {{", *lines, f"{indent}}}")) if lines else f"{indent}{name} {{}}"
