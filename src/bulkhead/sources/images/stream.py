"""Bytes that come in order: from a file, a part of one, or out of a decompressor, each with its bound."""

from __future__ import annotations

import hashlib
import importlib
import zlib
from typing import IO, Any, Protocol

from bulkhead.core.errors import LimitExceeded, ParseError, SourceError
from bulkhead.sources.images.bounds import Bounds

CHUNK = 256 * 1024
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_OTHER = {b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x04\x22\x4d\x18": "lz4"}


class Stream(Protocol):
    """``read`` gives at most so many bytes, and none only at the end."""

    def read(self, size: int, /) -> bytes: ...


class Part:
    """A stretch of a file that can seek; other parts may be read in between."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._at, self._end = file, start, start + size

    def read(self, size: int, /) -> bytes:
        size = min(size, self._end - self._at)
        if size <= 0:
            return b""
        self._file.seek(self._at)
        data = self._file.read(size)
        self._at += len(data)
        return data

    def skip(self, size: int) -> None:
        self._at = min(self._at + size, self._end)


class Hashed:
    """Passes bytes on and keeps their digest. ``drain`` reads what nobody wanted."""

    def __init__(self, stream: Stream, algorithm: str = "sha256") -> None:
        self._stream = stream
        self._hash = hashlib.new(algorithm)
        self.count = 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._hash.update(data)
        self.count += len(data)
        return data

    def drain(self) -> str:
        while self.read(CHUNK):
            pass
        return f"{self._hash.name}:{self._hash.hexdigest()}"


class _Gzip:
    """RFC 1952, member after member, with its output in bounded pieces."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._inflate = zlib.decompressobj(wbits=31)
        self._pending = b""

    def read(self, size: int, /) -> bytes:
        while True:
            if self._inflate.eof:
                rest = self._inflate.unused_data or self._stream.read(CHUNK)
                # RFC 1952 2.2: members follow each other; zeros and anything else behind them are padding.
                if not rest.startswith(_GZIP):
                    return b""
                self._inflate, self._pending = zlib.decompressobj(wbits=31), rest
            data = self._pending or self._stream.read(CHUNK)
            try:
                out = self._inflate.decompress(data, size)
            except zlib.error as error:
                raise ParseError(f"not gzip: {error}") from error
            self._pending = self._inflate.unconsumed_tail
            if out:
                return out
            if not data and not self._inflate.eof:
                raise ParseError("the compressed data is cut short")


class _Zstd:
    """RFC 8878 through whichever module this Python has."""

    def __init__(self, stream: Stream) -> None:
        self._reader, self._errors = _zstd_reader(stream)

    def read(self, size: int, /) -> bytes:
        try:
            return bytes(self._reader.read(size))
        except self._errors as error:
            raise ParseError(f"not zstd: {error}") from error


def _zstd_reader(stream: Stream) -> tuple[Any, tuple[type[Exception], ...]]:
    try:
        # In the standard library from Python 3.14.
        module = importlib.import_module("compression.zstd")
        return module.ZstdFile(stream), (module.ZstdError, EOFError)
    except ModuleNotFoundError:
        pass
    try:
        module = importlib.import_module("zstandard")
    except ModuleNotFoundError:
        raise SourceError("layer is compressed with zstd", hint="install the Python package zstandard") from None
    # RFC 8878 3.1.1.1.2 recommends 8 MiB of window; 128 MiB is what the tools of images write at most.
    reader = module.ZstdDecompressor(max_window_size=128 * 1024 * 1024).stream_reader(stream, read_across_frames=True)
    return reader, (module.ZstdError,)


class _Joined:
    """A beginning that was read already, then the rest."""

    def __init__(self, head: bytes, stream: Stream) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int = CHUNK, /) -> bytes:
        if self._head:
            out, self._head = self._head[:size], self._head[size:]
            return out
        return self._stream.read(size)

    # The decompressors ask for these before they read.
    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


class Expanded:
    """A layer's bytes uncompressed, known by their magic and not by their media type, within their bounds."""

    def __init__(self, stream: Stream, bounds: Bounds) -> None:
        self._raw = Hashed(stream)
        self._bounds = bounds
        self._out = 0
        head = self._raw.read(8)
        joined = _Joined(head, self._raw)
        self._compressed = True
        if head.startswith(_GZIP):
            self._stream: Stream = _Gzip(joined)
        elif head.startswith(_ZSTD):
            self._stream = _Zstd(joined)
        elif name := next((name for magic, name in _OTHER.items() if head.startswith(magic)), ""):
            raise SourceError(f"layer is compressed with {name}, which images do not use")
        else:
            self._stream, self._compressed = joined, False

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(min(size, CHUNK))
        self._out += len(data)
        if self._out > self._bounds.expanded:
            raise LimitExceeded("layer expands to more than the limit", limit=self._bounds.expanded)
        if (
            self._compressed
            and self._out > self._bounds.ratio_floor
            and self._out > self._bounds.ratio * self._raw.count
        ):
            raise LimitExceeded("layer expands suspiciously far", ratio=self._bounds.ratio)
        return data
