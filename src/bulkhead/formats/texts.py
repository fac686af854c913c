"""The three functions of every format, chosen by the text's own format word."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

from bulkhead.core.errors import CannotEdit, ParseError
from bulkhead.core.plan import Edit
from bulkhead.core.resource import DocumentPath, Text
from bulkhead.core.shapes import WRONG_SHAPE
from bulkhead.formats.model import Loaded, Span

_MODULES = {
    "yaml": "bulkhead.formats.yamltext",
    "json": "bulkhead.formats.jsontext",
    "hcl": "bulkhead.formats.hcl",
    "dockerfile": "bulkhead.formats.dockerfile",
}


class Format(Protocol):
    """What each format's module offers."""

    def load(self, data: bytes) -> Loaded | list[Any]: ...

    def locate(self, data: bytes, wanted: Sequence[tuple[int, DocumentPath]]) -> list[Span | None]: ...

    def apply(self, data: bytes, edits: Sequence[Edit]) -> bytes: ...


class Outlined(Protocol):
    """A format whose ``load`` leaves outlines."""

    def locate(
        self, data: bytes, wanted: Sequence[tuple[int, DocumentPath]], *, outlines: Sequence[Any]
    ) -> list[Span | None]: ...


@cache
def format_of(name: str) -> Format:
    """The module of a format; imported when first asked for, since a scan rarely needs all of them.

    Raises:
        ParseError: there is no such format.
    """
    module = _MODULES.get(name)
    if module is None:
        raise ParseError(f"no format is called {name!r}")
    return cast("Format", import_module(module))


def load(text: Text) -> Loaded:
    """All documents of a text, and what kept us from reading more.

    Raises:
        ParseError, LimitExceeded: from formats that give all or nothing.
    """
    loaded = format_of(text.format).load(text.data)
    return loaded if isinstance(loaded, Loaded) else Loaded(tuple(loaded))


def locate(text: Text, wanted: Sequence[tuple[int, DocumentPath]]) -> list[Span | None]:
    """The place of each, None where there is none or the text does not tell."""
    try:
        found = format_of(text.format)
        if text.outlines:
            return cast("Outlined", found).locate(text.data, wanted, outlines=text.outlines)
        return found.locate(text.data, wanted)
    except WRONG_SHAPE:
        return [None] * len(wanted)


def apply(text: Text, edits: Sequence[Edit]) -> bytes:
    """The bytes with the edits.

    Raises:
        CannotEdit, PlanRefused, ParseError: they do not fit this text.
    """
    try:
        return format_of(text.format).apply(text.data, edits)
    except WRONG_SHAPE as exc:
        raise CannotEdit(f"the text does not take it: {exc}", where=text.path) from exc
