"""Bounds of a reading, and whether programs may render for us."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from bulkhead.core.resource import Gap


class Limits(msgspec.Struct, frozen=True):
    """How much one reading may take.

    Attributes:
        files: files of ours that are opened.
        entries: names that are looked at.
        file_size: bytes of one file.
        total_size: bytes of all files.
        depth: folders below the root.
        render_seconds: for one run of a renderer.
        render_size: bytes that one run may give.
    """

    files: int = 100_000
    entries: int = 2_000_000
    file_size: int = 16 * 1024 * 1024
    total_size: int = 2 * 1024 * 1024 * 1024
    depth: int = 64
    render_seconds: float = 60.0
    render_size: int = 64 * 1024 * 1024


LIMITS = Limits()


class Renderer(StrEnum):
    """Whether charts and overlays are rendered by the program found on PATH."""

    AUTO = "auto"
    OFF = "off"


class Found(msgspec.Struct, frozen=True):
    """A file of ours in the tree, and its path as people and references see it."""

    path: Path
    relative: str
    format: str


class Walked(msgspec.Struct, frozen=True):
    """What a walk found: files of ours, folders of charts and overlays, and what it could not look at."""

    files: tuple[Found, ...]
    charts: tuple[str, ...]
    overlays: tuple[str, ...]
    gaps: tuple[Gap, ...]
    notes: tuple[str, ...]
