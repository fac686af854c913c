"""Where a value stands in its text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of bytes. Lines and columns count from 1 (columns in characters), offsets from 0 in bytes."""

    line: int
    column: int
    end_line: int
    end_column: int
    start: int
    end: int
