"""Bytes into logical lines: directives, comments, continuations and heredocs, as BuildKit joins them."""

from __future__ import annotations

import re
from bisect import bisect_right

import msgspec

from bulkhead.core.errors import LimitExceeded, ParseError

MAX_BYTES = 4 << 20
MAX_LINE = 1 << 20
MAX_INSTRUCTIONS = 5_000
MAX_HEREDOC = 1 << 20

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
# BuildKit opens a heredoc only where a whole word has this form.
_HEREDOC = re.compile(r"(?<!\S)\d*<<(-?)([^<\s]+)(?!\S)")
_WORD = re.compile(r"\s*(\S+)")
_QUOTED = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.""")


class Heredoc(msgspec.Struct, frozen=True):
    """One ``<<NAME`` body; ``expand`` is false when the name was quoted."""

    name: str
    content: str
    expand: bool
    line: int


class Comment(msgspec.Struct, frozen=True):
    line: int
    text: str


class Logical(msgspec.Struct, frozen=True):
    """One instruction before its words are read.

    Attributes:
        line: of its first character, from 1; ``end_line`` is that of its last, heredoc ends included.
        start: offset of its first character in the decoded text; ``end`` is past its last, line end excluded.
        joined: the instruction on one line, continuations removed and comment lines dropped.
        pieces: for each stretch of ``joined``, where it begins there and where in the text.
    """

    line: int
    end_line: int
    start: int
    end: int
    joined: str
    pieces: tuple[tuple[int, int], ...]
    heredocs: tuple[Heredoc, ...]

    def origin(self, offset: int) -> int:
        """Where in the text the character at ``offset`` of ``joined`` stands."""
        index = bisect_right(self.pieces, (offset, 1 << 62)) - 1
        begin, origin = self.pieces[max(index, 0)]
        return origin + offset - begin

    def origin_end(self, offset: int) -> int:
        """Where in the text a stretch that ends before ``offset`` of ``joined`` ends."""
        return self.origin(offset - 1) + 1 if offset else self.pieces[0][1]


class Source(msgspec.Struct):
    """A decoded text and its logical lines. Offsets are in characters of ``text``."""

    text: str
    escape: str = "\\"
    directives: dict[str, str] = msgspec.field(default_factory=dict)
    comments: list[Comment] = msgspec.field(default_factory=list)
    logical: list[Logical] = msgspec.field(default_factory=list)


def decode(data: bytes) -> str:
    """The text of a Dockerfile, byte order mark kept as a character."""
    if len(data) > MAX_BYTES:
        raise LimitExceeded(f"more than {MAX_BYTES} bytes", hint="a Dockerfile is never this long")
    if b"\0" in data:
        raise ParseError("holds a NUL byte", line=data[: data.index(b"\0")].count(b"\n") + 1)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ParseError("is not UTF-8", line=line, hint="save the file as UTF-8") from None


def read(data: bytes) -> Source:
    """Split a Dockerfile into logical lines."""
    return _Reader(decode(data)).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self.source = Source(text)
        self.begins: list[int] = []
        self.lines: list[str] = []
        offset = 0
        for raw in text.split("\n"):
            self.begins.append(offset)
            offset += len(raw) + 1
            if len(raw) > MAX_LINE:
                raise LimitExceeded(f"line {len(self.begins)} is longer than {MAX_LINE} characters")
            self.lines.append(raw.removesuffix("\r"))
        if self.lines[0].startswith("\ufeff"):
            self.lines[0] = self.lines[0][1:]
            self.begins[0] = 1
        self.ends = re.compile(r"(?<!\\)\\[ \t]*$")

    def read(self) -> Source:
        index = self._directives()
        escape = re.escape(self.source.escape)
        # A doubled escape character ends the line with a literal one (BuildKit, trimContinuationCharacter).
        self.ends = re.compile(rf"(?<!{escape}){escape}[ \t]*$")
        while index < len(self.lines):
            line = self.lines[index]
            stripped = line.lstrip()
            if not stripped:
                index += 1
            elif stripped[0] == "#":
                self.source.comments.append(Comment(index + 1, stripped[1:].strip()))
                index += 1
            else:
                index = self._instruction(index)
                if len(self.source.logical) > MAX_INSTRUCTIONS:
                    raise LimitExceeded(f"more than {MAX_INSTRUCTIONS} instructions")
        return self.source

    def _directives(self) -> int:
        """Parser directives stand before everything else, each once."""
        for index, line in enumerate(self.lines):
            match = _DIRECTIVE.match(line)
            name = match[1].lower() if match else ""
            if not match or name not in ("syntax", "escape", "check"):
                return index
            if name in self.source.directives:
                raise ParseError(f"directive {name} stands twice", line=index + 1)
            if name == "escape":
                if match[2] not in ("\\", "`"):
                    raise ParseError("the escape directive must name \\ or `", line=index + 1)
                self.source.escape = match[2]
            self.source.directives[name] = match[2]
        return len(self.lines)

    def _instruction(self, first: int) -> int:
        line = self.lines[first]
        indent = len(line) - len(line.lstrip())
        begin = self.begins[first] + indent
        parts: list[str] = []
        pieces: list[tuple[int, int]] = []
        size, index, last, text, at = 0, first, first, line[indent:], begin
        while True:
            match = self.ends.search(text)
            content = text[: match.start()] if match else text
            parts.append(content)
            pieces.append((size, at))
            size += len(content)
            last = index
            if size > MAX_LINE:
                raise LimitExceeded(f"the instruction on line {first + 1} is longer than {MAX_LINE} characters")
            index += 1
            if not match:
                break
            index = self._skip_within(index)
            if index >= len(self.lines):
                break
            text, at = self.lines[index], self.begins[index]
        joined = "".join(parts)
        end = self.begins[last] + len(self.lines[last])
        heredocs: list[Heredoc] = []
        if "<<" in joined and _carries_heredocs(joined):
            index, heredocs = self._heredocs(joined, index, first)
            if heredocs:
                last = index - 1
                end = self.begins[last] + len(self.lines[last])
        self.source.logical.append(
            Logical(first + 1, last + 1, begin, end, joined, tuple(pieces), tuple(heredocs)),
        )
        return index

    def _skip_within(self, index: int) -> int:
        """Comment lines and empty lines inside a continued instruction do not end it."""
        while index < len(self.lines):
            stripped = self.lines[index].strip()
            if stripped.startswith("#"):
                self.source.comments.append(Comment(index + 1, stripped[1:].strip()))
            elif stripped:
                break
            index += 1
        return index

    def _heredocs(self, joined: str, index: int, first: int) -> tuple[int, list[Heredoc]]:
        found: list[Heredoc] = []
        for name, expand, chomp in _openers(joined):
            body: list[str] = []
            start, size = index + 1, 0
            while True:
                if index >= len(self.lines):
                    raise ParseError(f"heredoc {name} has no end", line=first + 1)
                line = self.lines[index]
                index += 1
                if (line.lstrip("\t") if chomp else line) == name:
                    break
                size += len(line) + 1
                if size > MAX_HEREDOC:
                    raise LimitExceeded(f"heredoc {name} is longer than {MAX_HEREDOC} characters")
                body.append(line.lstrip("\t") if chomp else line)
            found.append(Heredoc(name, "".join(f"{line}\n" for line in body), expand, start))
        return index, found


def _carries_heredocs(joined: str) -> bool:
    match = _WORD.match(joined)
    word = match[1].upper() if match else ""
    if word == "ONBUILD" and match:
        inner = _WORD.match(joined, match.end())
        word = inner[1].upper() if inner else ""
    return word in ("RUN", "COPY", "ADD")


def _openers(joined: str) -> list[tuple[str, bool, bool]]:
    """Name, whether variables are expanded, and whether leading tabs are dropped."""
    # Quoted stretches cannot open a heredoc, unless the quotes surround its name.
    masked = _QUOTED.sub(lambda m: m[0] if joined[: m.start()].rstrip("-").endswith("<<") else "x" * len(m[0]), joined)
    found = []
    for match in _HEREDOC.finditer(masked):
        name = match[2].strip("'\"")
        if name:
            found.append((name, match[2] == name, bool(match[1])))
    return found
