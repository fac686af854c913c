"""Policies and objects of a folder, or of one file of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from bulkhead.app.policies.model import Document, Module, PolicyFiles
from bulkhead.core.errors import BulkheadError, LimitExceeded, ParseError, SourceError
from bulkhead.core.resource import UNKNOWN, Gap
from bulkhead.formats import jsontext, yamltext
from bulkhead.formats.model import Loaded

_YAML: Final = (".yaml", ".yml")
_ENDINGS: Final = (*_YAML, ".json", ".rego")


class Bounds(msgspec.Struct, frozen=True):
    """Sizes in bytes."""

    files: int = 20_000
    entries: int = 200_000
    file: int = 16 * 1024 * 1024
    whole: int = 512 * 1024 * 1024
    depth: int = 40


BOUNDS: Final = Bounds()


class Folder:
    """Files below one folder; paths are relative to it."""

    def __init__(self, root: Path, bounds: Bounds = BOUNDS) -> None:
        self._root = Path(os.path.realpath(root))
        self._bounds = bounds

    def read(self, path: str) -> PolicyFiles:
        """A file, or all below a folder, in the order of their paths.

        Raises:
            SourceError: there is no such thing, or it is outside.
        """
        place = Path(os.path.realpath(self._root / path))
        if place != self._root and self._root not in place.parents:
            raise SourceError("it is outside of the folder", where=path)
        try:
            kind = place.stat().st_mode
        except OSError as error:
            raise SourceError(f"it cannot be read: {error.strerror}", where=path) from error
        gaps: list[Gap] = []
        names = [place] if not stat.S_ISDIR(kind) else list(self._below(place, gaps))
        documents: list[Document] = []
        modules: list[Module] = []
        left = self._bounds.whole
        for name in names:
            shown = str(name.relative_to(self._root))
            try:
                data = self._bytes(name, min(self._bounds.file, left))
                left -= len(data)
                if name.suffix == ".rego":
                    modules.append(Module(shown, data.decode()))
                else:
                    documents += _documents(shown, data, gaps)
            except UnicodeDecodeError:
                gaps.append(_gap(shown, ParseError("it is no UTF-8")))
            except OSError as error:
                gaps.append(_gap(shown, SourceError(f"it cannot be read: {error.strerror}")))
            except BulkheadError as error:
                gaps.append(_gap(shown, error))
        return PolicyFiles(tuple(documents), tuple(modules), tuple(gaps))

    def _below(self, place: Path, gaps: list[Gap]) -> Iterator[Path]:
        """Files that may hold policies; hidden ones and links are left out."""
        files = entries = 0
        pending = [(place, 0)]
        while pending:
            folder, depth = pending.pop()
            try:
                found = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError as error:
                gaps.append(
                    _gap(str(folder.relative_to(self._root)), SourceError(f"it cannot be read: {error.strerror}"))
                )
                continue
            entries += len(found)
            inner = []
            for entry in found:
                if entry.name.startswith(".") or entry.is_symlink():
                    continue
                if entry.is_dir(follow_symlinks=False):
                    inner.append((Path(entry.path), depth + 1))
                elif entry.name.endswith(_ENDINGS) and entry.is_file(follow_symlinks=False):
                    files += 1
                    if files > self._bounds.files:
                        break
                    yield Path(entry.path)
            if files > self._bounds.files or entries > self._bounds.entries or depth > self._bounds.depth:
                gaps.append(_gap(str(folder.relative_to(self._root)), LimitExceeded("there is more than is read")))
                return
            pending += reversed(inner)

    def _bytes(self, name: Path, most: int) -> bytes:
        handle = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise LimitExceeded(f"it has more than {most} bytes")
        return data


def _documents(shown: str, data: bytes, gaps: list[Gap]) -> list[Document]:
    loaded: Loaded = jsontext.load(data) if shown.endswith(".json") else yamltext.load(data)
    gaps += [_gap(shown, problem) for problem in loaded.problems]
    made = []
    for value in loaded.documents:
        if _unknown(value):
            gaps.append(_gap(shown, ParseError("it is a template: what it makes is not known")))
        elif value is not None:
            made += [Document(shown, item) for item in _items(value)]
    return made


def _items(value: object) -> list[object]:
    """The objects of a List, or the value alone."""
    if isinstance(value, dict) and value.get("kind") == "List" and isinstance(value.get("items"), list):
        return list(value["items"])
    return [value]


def _unknown(value: object) -> bool:
    stack = [value]
    while stack:
        found = stack.pop()
        if found is UNKNOWN:
            return True
        if isinstance(found, dict):
            stack += found.values()
        elif isinstance(found, list):
            stack += found
    return False


def _gap(where: str, error: BulkheadError) -> Gap:
    line = error.line if isinstance(error, ParseError) else 0
    return Gap(where=where, code=error.code, reason=error.message, hint=error.hint, hides=("*",), line=line)
