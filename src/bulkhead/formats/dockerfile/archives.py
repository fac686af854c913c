"""Which copied archives a later RUN of the same stage unpacks."""

from __future__ import annotations

import re
from typing import Any

SUFFIXES = (
    ".tar",
    ".Z",
    ".bz2",
    ".gz",
    ".lz",
    ".lzma",
    ".tZ",
    ".tb2",
    ".tbz",
    ".tbz2",
    ".tgz",
    ".tlz",
    ".tpz",
    ".txz",
    ".xz",
)
_UNPACKERS = frozenset(
    {"unzip", "gunzip", "bunzip2", "unlzma", "unxz", "zgz", "uncompress", "zcat", "gzcat"},
)


def mark(instructions: list[dict[str, Any]]) -> None:
    """Set ``archive`` on ADD and COPY of archives, and ``unpacked_by`` where a RUN unpacks what a COPY brought."""
    copies: list[tuple[set[str], dict[str, Any]]] = []
    for found in instructions:
        if found["cmd"] == "FROM":
            copies = []
        elif found["cmd"] in ("ADD", "COPY"):
            names = _archives(found)
            found["archive"] = bool(names)
            if names and "from" not in found["flags"]:
                copies.append((names, found))
        elif found["cmd"] == "RUN" and copies:
            unpacked = _unpacked(found)
            for names, copy in copies:
                if not names.isdisjoint(unpacked):
                    copy.setdefault("unpacked_by", []).append(found["index"])


def _archives(found: dict[str, Any]) -> set[str]:
    destination = found["destination"]
    if destination.endswith(SUFFIXES):
        return {_base(destination)}
    return {_base(name) for name in found["sources"] if name.endswith(SUFFIXES)}


def _base(path: str) -> str:
    return re.split(r"[/\\]", path.strip("\"'"))[-1]


def _unpacked(found: dict[str, Any]) -> set[str]:
    names: set[str] = set()
    for command in found.get("commands", ()):
        if command["name"] in _UNPACKERS or (command["name"] == "tar" and _extracts(command["argv"][1:])):
            names.update(_base(word) for word in command["words"])
    return names


def _extracts(args: list[str]) -> bool:
    return any(arg in ("--extract", "--get") or (arg.startswith("-") and "x" in arg) for arg in args)
