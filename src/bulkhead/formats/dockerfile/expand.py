"""Variables in Dockerfile words: ``$x``, ``${x}``, ``${x:-default}`` and the other forms BuildKit knows."""

from __future__ import annotations

import re
from collections.abc import Mapping

_VARIABLE = re.compile(r"\\(.)|\$(?:\{([A-Za-z_]\w*)(?:(:?[-+?])([^{}]*))?\}|([A-Za-z_]\w*))")

# A variable that holds itself twice doubles with each line.
_LIMIT = 65_536

# BuildKit sets these without being asked; their values are known only when an image is built.
PLATFORM_ARGUMENTS = frozenset(
    [
        "TARGETPLATFORM",
        "TARGETOS",
        "TARGETARCH",
        "TARGETVARIANT",
        "BUILDPLATFORM",
        "BUILDOS",
        "BUILDARCH",
        "BUILDVARIANT",
        "TARGETSTAGE",
    ],
)


def expand(text: str, values: Mapping[str, str | None]) -> tuple[str | None, frozenset[str]]:
    """The text with its variables replaced, None when one has no value; and the names it refers to."""
    if "$" not in text:
        return text, frozenset()
    names: set[str] = set()
    known = True
    size = len(text)

    def replace(match: re.Match[str]) -> str:
        nonlocal known, size
        if match[1]:
            return match[1]
        name = match[2] or match[5]
        names.add(name)
        value, operator = values.get(name), match[3] or ""
        size += len(value or "")
        if size > _LIMIT:
            known = False
            return ""
        if operator.endswith("+"):
            return match[4] if value or (value is not None and operator == "+") else ""
        if value or (value is not None and not operator.startswith(":")):
            return value
        if operator.endswith("-"):
            return match[4]
        known = known and value is not None
        return ""

    result = _VARIABLE.sub(replace, text)
    if "$" in result:
        known = False
    return (result if known else None), frozenset(names)
