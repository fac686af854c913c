"""Where an archive's documents and blobs lie: in a folder, or in a tar file that is searched and not unpacked."""

from __future__ import annotations

import errno
import gzip
import os
import stat
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol, cast

from bulkhead.core.errors import LimitExceeded, ParseError, SourceError
from bulkhead.sources.images.bounds import Bounds
from bulkhead.sources.images.stream import Part, Stream
from bulkhead.sources.images.tar import Tar
from bulkhead.sources.images.tree import normal


class Place(Protocol):
    """Names are relative, with forward slashes."""

    def has(self, name: str) -> bool: ...

    def size(self, name: str) -> int: ...

    def open(self, name: str) -> Stream: ...

    def close(self) -> None: ...


def document(place: Place, name: str, bounds: Bounds) -> bytes:
    """A whole small file of the place."""
    size = place.size(name)
    if size > bounds.document:
        raise LimitExceeded("document is larger than the limit", where=name, size=size, limit=bounds.document)
    stream = place.open(name)
    data = bytearray()
    while len(data) < size and (more := stream.read(size - len(data))):
        data += more
    if len(data) != size:
        raise ParseError("document is cut short", where=name)
    return bytes(data)


class Folder:
    """An OCI layout that somebody unpacked. Links are not followed: they may lead out of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files: list[IO[bytes]] = []

    def _stat(self, name: str) -> os.stat_result | None:
        at = self._path
        facts = None
        for part in name.split("/"):
            at /= part
            try:
                facts = at.lstat()
            except OSError:
                return None
            if stat.S_ISLNK(facts.st_mode):
                raise SourceError("a link inside an image layout is not followed", where=name)
        return facts if facts and stat.S_ISREG(facts.st_mode) else None

    def has(self, name: str) -> bool:
        return normal(name) == name and self._stat(name) is not None

    def size(self, name: str) -> int:
        facts = self._stat(name) if normal(name) == name else None
        if facts is None:
            raise SourceError("the image layout lacks a file", where=name)
        return facts.st_size

    def open(self, name: str) -> Stream:
        self.size(name)
        try:
            handle = os.open(self._path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise SourceError(f"cannot be read: {error.strerror}", where=name) from error
        file = os.fdopen(handle, "rb")
        self.close()
        self._files.append(file)
        return file

    def close(self) -> None:
        for file in self._files:
            file.close()
        self._files.clear()


class Archive:
    """A tar file, plain or gzip, with an index of where each member's content begins."""

    def __init__(self, path: Path, bounds: Bounds) -> None:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        except OSError as error:
            raise SourceError(f"cannot be read: {error.strerror}", where=path.name) from error
        raw = os.fdopen(handle, "rb")
        self._closing: list[IO[bytes]] = [raw]
        try:
            if not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
                raise SourceError("not a file", where=path.name)
            magic = raw.read(2)
            raw.seek(0)
            self._limit = os.fstat(raw.fileno()).st_size
            self._file: IO[bytes] = raw
            if magic == b"\x1f\x8b":
                self._limit = min(self._limit * bounds.ratio + bounds.ratio_floor, bounds.expanded)
                self._file = cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
                self._closing.insert(0, self._file)
            self._parts: dict[str, tuple[int, int]] = {}
            self._links: dict[str, str] = {}
            self._index(bounds, path.name)
        except BaseException:
            self.close()
            raise

    def _index(self, bounds: Bounds, where: str) -> None:
        part = _Mapped(self._file, self._limit)
        # Skipping past the end of a plain file reads nothing, so what is cut short shows when the part is opened.
        for count, member in enumerate(Tar(part, header_limit=bounds.header)):
            if count >= bounds.outer_members:
                raise LimitExceeded("the archive has more entries than the limit", where=where)
            if (name := normal(member.name)) is None or not name:
                continue
            if member.kind == "file":
                self._parts[name] = (member.offset, member.size)
                self._links.pop(name, None)
            elif member.kind in {"symlink", "link"}:
                # Old docker save links layers that images share: ../<id>/layer.tar
                folder = name.rpartition("/")[0]
                target = os.path.normpath(f"{folder}/{member.target}" if member.kind == "symlink" else member.target)
                if normal(target) == target:
                    self._links[name] = target

        if self._file is not self._closing[-1] and part.ended:
            raise LimitExceeded("the archive expands to more than the limit", where=where, limit=self._limit)

    def _part(self, name: str) -> tuple[int, int] | None:
        return self._parts.get(name) or self._parts.get(self._links.get(name, ""))

    def has(self, name: str) -> bool:
        return self._part(name) is not None

    def size(self, name: str) -> int:
        part = self._part(name)
        if part is None:
            raise SourceError("the archive lacks a file", where=name)
        return part[1]

    def open(self, name: str) -> Stream:
        size = self.size(name)
        start = (self._part(name) or (0, 0))[0]
        return _Mapped(self._file, start + size, start=start)

    def close(self) -> None:
        for file in self._closing:
            with suppress(OSError):
                file.close()


class _Mapped(Part):
    """A part whose reading errors are ours."""

    def __init__(self, file: IO[bytes], end: int, *, start: int = 0) -> None:
        super().__init__(file, start, end - start)

    @property
    def ended(self) -> bool:
        return self._at >= self._end

    def read(self, size: int, /) -> bytes:
        try:
            return super().read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ParseError(f"the archive's compression is broken: {error}") from error
        except OSError as error:
            raise SourceError(f"the archive cannot be read: {os.strerror(error.errno or errno.EIO)}") from error
