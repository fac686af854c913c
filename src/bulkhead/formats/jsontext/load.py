"""The value of a JSON text."""

from __future__ import annotations

import json
import re
from typing import Any

from bulkhead.core.errors import LimitExceeded, ParseError
from bulkhead.formats.jsontext.scan import scan
from bulkhead.formats.model import BOUNDS, Bounds, Loaded
from bulkhead.formats.spans import BOM, decoded

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


class _Duplicate(ValueError):
    pass


def load(data: bytes, *, bounds: Bounds = BOUNDS) -> Loaded:
    """The one document, or the complaint with its place.

    Raises:
        LimitExceeded: the text is larger or deeper than the bounds allow.
    """
    try:
        text = decoded(data, bounds).removeprefix(BOM)
        return Loaded((value_of(text, bounds),))
    except ParseError as error:
        return Loaded((), (error,))


def value_of(text: str, bounds: Bounds) -> Any:
    """The value; the C parser reads, our scanner is asked only for the place of what is wrong.

    Raises:
        ParseError: the text is not JSON.
        LimitExceeded: it is too deep.
    """
    _check_depth(text, bounds)
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer)
    except (ValueError, RecursionError) as error:
        scan(text, bounds)
        raise ParseError("this is not JSON") from error


def _check_depth(text: str, bounds: Bounds) -> None:
    if text.count("[") + text.count("{") <= bounds.depth:
        return
    depth = 0
    for match in _BRACKETS.finditer(text):
        if match[0] in "[{":
            depth += 1
            if depth > bounds.depth:
                raise LimitExceeded(f"collections are nested deeper than {bounds.depth}")
        elif match[0] in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Duplicate
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) < 100 else float(digits)
