"""Tar as a stream (POSIX.1-2001 pax and ustar, GNU long names and sparse files), one member at a time.

The standard library's reader believes the sizes that headers claim and keeps every member; layers come from strangers.
Here a header has a bound, a content is skipped unless asked for, and nothing is ever written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import msgspec

from bulkhead.core.errors import LimitExceeded, ParseError
from bulkhead.sources.images.stream import CHUNK, Stream

BLOCK = 512
_ZEROS = bytes(BLOCK)
_KINDS = {"0": "file", "\0": "file", "7": "file", "S": "file", "1": "link", "2": "symlink"} | {
    "3": "device",
    "4": "device",
    "5": "folder",
    "6": "fifo",
}
_CAPABILITY = b"SCHILY.xattr.security.capability"


@runtime_checkable
class _Skips(Protocol):
    def skip(self, size: int) -> None: ...


class Member(msgspec.Struct, frozen=True):
    """One entry. ``size`` is what its content takes in the archive, which for a sparse file is less than its length."""

    name: str
    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    target: str
    capable: bool
    offset: int


class Tar:
    """Iterate over members; ``head`` gives the beginning of the current one's content."""

    def __init__(self, stream: Stream, *, header_limit: int) -> None:
        self._stream = stream
        self._skips = stream if isinstance(stream, _Skips) else None
        self._limit = header_limit
        self._left = 0
        self._padding = 0
        self.position = 0

    def __iter__(self) -> Iterator[Member]:
        names: dict[bytes, bytes] = {}
        while block := self._block():
            kind = chr(block[156])
            size = _number(block[124:136])
            if kind in "xLK":
                text = self._extended(size)
                names |= _pax(text) if kind == "x" else {b"path" if kind == "L" else b"linkpath": text.rstrip(b"\0")}
                continue
            if kind == "g":
                # Defaults for all that follows; no image builder needs them and none of their keys matters here.
                self._extended(size)
                continue
            member = self._member(block, kind, size, names)
            names = {}
            yield member
            self._skip(self._left + self._padding)
            self._left = self._padding = 0

    def _member(self, block: bytes, kind: str, size: int, names: dict[bytes, bytes]) -> Member:
        if b"size" in names:
            size = _decimal(names[b"size"])
        if kind == "S":
            # GNU: more of the sparse map follows the header while the last flag is set.
            extended = block[482]
            while extended:
                extended = self._exactly(BLOCK)[504]
        word = _KINDS.get(kind, "file")
        # Without content whatever the header says (as Go's archive/tar has it, which wrote most layers).
        stored = size if word == "file" else 0
        self._left, self._padding = stored, -stored % BLOCK
        name = names.get(b"GNU.sparse.name") or names.get(b"path") or _ustar_name(block)
        if name.endswith(b"/") and word == "file":
            word = "folder"
        target = names.get(b"linkpath") or _text(block[157:257])
        return Member(
            name=name.decode("utf-8", "surrogateescape"),
            kind=word,
            mode=_number(block[100:108]) & 0o7777,
            uid=_number(block[108:116], lenient=True),
            gid=_number(block[116:124], lenient=True),
            size=stored,
            target=target.decode("utf-8", "surrogateescape"),
            capable=_CAPABILITY in names,
            offset=self.position,
        )

    def head(self, limit: int) -> bytes:
        """At most so many bytes of the current member's content; a second call goes on where the first ended."""
        size = min(limit, self._left)
        data = self._exactly(size)
        self._left -= size
        return data

    def _block(self) -> bytes:
        """The next header, empty at the end of the archive."""
        block = self._exactly(BLOCK, end_allowed=True)
        if not block or block == _ZEROS:
            return b""
        stored = _number(block[148:156], lenient=True)
        unsigned = sum(block[:148]) + 256 + sum(block[156:])
        # Old programs summed signed characters.
        if stored != unsigned and stored != unsigned - 256 * sum(x > 127 for x in block[:148] + block[156:]):
            raise ParseError("not a tar header: its checksum does not hold")
        return block

    def _extended(self, size: int) -> bytes:
        if size > self._limit:
            raise LimitExceeded("a tar header is larger than the limit", size=size, limit=self._limit)
        data = self._exactly(size)
        self._skip(-size % BLOCK)
        return data

    def _exactly(self, size: int, *, end_allowed: bool = False) -> bytes:
        data = self._stream.read(size) if size else b""
        if len(data) < size and data:
            parts, have = [data], len(data)
            while have < size and (more := self._stream.read(size - have)):
                parts.append(more)
                have += len(more)
            data = b"".join(parts)
        if len(data) < size and not (end_allowed and not data):
            raise ParseError("the archive is cut short")
        self.position += len(data)
        return data

    def _skip(self, size: int) -> None:
        if self._skips is not None:
            self._skips.skip(size)
            self.position += size
            return
        while size:
            data = self._stream.read(min(size, CHUNK))
            if not data:
                raise ParseError("the archive is cut short")
            self.position += len(data)
            size -= len(data)


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _ustar_name(block: bytes) -> bytes:
    name = _text(block[:100])
    # The GNU format has other things where ustar has its prefix.
    prefix = _text(block[345:500]) if block[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _number(field: bytes, *, lenient: bool = False) -> int:
    """Octal, or binary where the first bit is set (GNU)."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
        if field[0] & 0x40 or value >= 1 << 63:
            if lenient:
                return -1
            raise ParseError("a tar header has a number that is negative or too large")
        return value
    digits = field.strip(b" \0")
    if not digits:
        return 0
    if digits.translate(None, b"01234567"):
        if lenient:
            return -1
        raise ParseError("a tar header has a number that is not octal")
    return int(digits, 8)


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 19:
        raise ParseError("a pax header has a size that is no number")
    return int(text)


def _pax(data: bytes) -> dict[bytes, bytes]:
    r"""Records ``<length> <key>=<value>\n`` (POSIX.1-2001 pax, extended header)."""
    out: dict[bytes, bytes] = {}
    at = 0
    while at < len(data) and data[at]:
        space = data.find(b" ", at, at + 20)
        length = _decimal(data[at:space]) if space > 0 else 0
        record = data[at : at + length]
        key, equals, value = record[space - at + 1 :].partition(b"=")
        if not length or not equals or not value.endswith(b"\n") or len(record) < length:
            raise ParseError("a pax header is broken")
        out[key] = value[:-1]
        at += length
    return out
