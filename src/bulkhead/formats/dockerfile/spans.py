"""Where the parts of a model stand in its bytes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from bulkhead.core.resource import DocumentPath
from bulkhead.formats.dockerfile import words
from bulkhead.formats.dockerfile.lines import Logical, Source, read
from bulkhead.formats.dockerfile.model import build
from bulkhead.formats.model import Span


class Offsets:
    """Character offsets of a text into lines, columns and byte offsets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.ascii = text.isascii()
        self.begins = [0]
        self.begins.extend(index + 1 for index, char in enumerate(text) if char == "\n")

    def byte(self, offset: int) -> int:
        return offset if self.ascii else len(self.text[:offset].encode())

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self.begins, offset)
        return line, offset - self.begins[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        line, column = self.place(start)
        end_line, end_column = self.place(end)
        return Span(line, column, end_line, end_column, self.byte(start), self.byte(end))


def locate(data: bytes, wanted: Sequence[tuple[int, DocumentPath]]) -> list[Span | None]:
    """The span of each path, or of the longest part of it that exists; None for another document than the first."""
    source = read(data)
    model = build(source)
    offsets = Offsets(source.text)
    return [_locate(source, model, offsets, path) if document == 0 else None for document, path in wanted]


def _locate(source: Source, model: dict[str, Any], offsets: Offsets, path: DocumentPath) -> Span | None:
    index = instruction_of(model, path)
    if index is None:
        return offsets.span(0, len(source.text)) if not path or path[0] in model else None
    logical = source.logical[index]
    start, end = logical.start, logical.end
    if len(path) > 3 and path[2] == "flags":
        found = flag_span(logical, str(path[3]))
        start, end = found or (start, end)
    elif len(path) > 2 and path[0] == "stages" and path[2] in ("image", "base"):
        start, end = image_span(logical)
    elif len(path) > 3 and path[2] == "commands" and isinstance(path[3], int):
        start, end = _command_span(source, logical, model["instructions"][index], path[3]) or (start, end)
    return offsets.span(start, end)


def instruction_of(model: dict[str, Any], path: DocumentPath) -> int | None:
    """The number of the instruction a path leads to; a stage stands at its FROM."""
    if len(path) < 2 or not isinstance(path[1], int) or path[0] not in ("instructions", "stages"):
        return None
    items = model[path[0]]
    if not 0 <= path[1] < len(items):
        return None
    return path[1] if path[0] == "instructions" else int(items[path[1]]["from"])


def flag_span(logical: Logical, name: str) -> tuple[int, int] | None:
    """Where the only flag of that name stands."""
    flags, _ = words.flags(logical.joined, words.head(logical.joined)[1])
    found = [flag for flag in flags if flag.name == name]
    if len(found) != 1:
        return None
    return logical.origin(found[0].start), logical.origin_end(found[0].end)


def image_span(logical: Logical) -> tuple[int, int]:
    """Where the image of a FROM stands."""
    _, begin = words.flags(logical.joined, words.head(logical.joined)[1])
    end = begin
    while end < len(logical.joined) and not logical.joined[end].isspace():
        end += 1
    return logical.origin(begin), logical.origin_end(end)


def _command_span(source: Source, logical: Logical, found: dict[str, Any], number: int) -> tuple[int, int] | None:
    commands = found.get("commands", [])
    if not 0 <= number < len(commands) or "pieces" not in found or "\r" in source.text[logical.start : logical.end]:
        return None
    at = logical.start + len(found["head"])
    for piece in found["pieces"]:
        at += len(piece["before"])
        if piece is commands[number]:
            return at, at + len(piece["text"])
        at += len(piece["text"])
    return None
