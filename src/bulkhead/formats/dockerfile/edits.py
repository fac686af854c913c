"""Edits into bytes: only what an edit names changes, and the result is read again before it is given back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from bulkhead.core.errors import CannotEdit, LimitExceeded, ParseError, PlanRefused
from bulkhead.core.plan import Edit
from bulkhead.formats.dockerfile import within
from bulkhead.formats.dockerfile.lines import Logical, Source, read
from bulkhead.formats.dockerfile.model import build
from bulkhead.formats.dockerfile.spans import flag_span, image_span, instruction_of
from bulkhead.formats.dockerfile.words import head

_WHOLE = frozenset({"replace", "delete"})


class _Change(msgspec.Struct):
    """What happens to one instruction."""

    whole: Edit | None = None
    inside: list[tuple[int, int, str, Edit]] = msgspec.field(default_factory=list)
    appended: list[str] = msgspec.field(default_factory=list)
    before: list[str] = msgspec.field(default_factory=list)
    after: list[str] = msgspec.field(default_factory=list)


def apply(data: bytes, edits: Sequence[Edit]) -> bytes:
    """The bytes after the edits.

    Raises:
        CannotEdit: an edit names what is not there, or its text is not what it should be.
        PlanRefused: two edits contradict each other.
    """
    if not edits:
        return data
    source = read(data)
    model = build(source)
    changes: dict[int, _Change] = {}
    seen: set[tuple[str, str, str]] = set()
    for edit in edits:
        key = (edit.op, repr(edit.path), repr(edit.value))
        if key not in seen:
            seen.add(key)
            _collect(source, model, edit, changes)
    text = _spliced(source, changes)
    result = text.encode()
    _verify(source, changes, result)
    return result


def _collect(source: Source, model: dict[str, Any], edit: Edit, changes: dict[int, _Change]) -> None:
    index = instruction_of(model, edit.path) if edit.document == 0 else None
    if index is None:
        raise CannotEdit(f"nothing stands at {_path(edit)}")
    change = changes.setdefault(index, _Change())
    logical, found = source.logical[index], model["instructions"][index]
    below = edit.path[0] == "instructions" and len(edit.path) > 2 and edit.path[2] == "commands"
    if below and edit.op == "append" and len(edit.path) == 3:
        change.appended.append(within.addition(source, logical, found, edit))
    elif edit.op == "set" or below:
        start, end, text = within.stretch(logical, found, edit) if below else _inside(logical, found, edit)
        for begin, finish, other, _ in change.inside:
            same = (begin, finish) == (start, end)
            clash = same and (start != end or other.split("=")[0] == text.split("=")[0])
            if clash or begin < start < finish or start < begin < end:
                raise PlanRefused(f"two edits give {_path(edit)} different values")
        change.inside.append((start, end, text, edit))
    elif edit.path[0] != "instructions" or len(edit.path) != 2:
        raise CannotEdit(f"{edit.op} works on a whole instruction, not on {_path(edit)}")
    elif edit.op in _WHOLE:
        if change.whole:
            raise PlanRefused(f"two edits change {_path(edit)} as a whole")
        if edit.op == "replace":
            _text(edit, source.escape)
        change.whole = edit
    elif edit.op == "append_text":
        if source.logical[index].heredocs:
            raise CannotEdit(f"{_path(edit)} ends with a heredoc")
        change.appended.append(_text(edit, source.escape))
    elif edit.op == "insert_before":
        change.before.append(_text(edit, source.escape))
    elif edit.op == "insert_after":
        change.after.append(_text(edit, source.escape))
    else:
        raise CannotEdit(f"{edit.op} is no operation on a Dockerfile")
    if change.whole and (change.inside or change.appended):
        raise PlanRefused(f"one edit changes {_path(edit)} as a whole, another inside it")


def _path(edit: Edit) -> str:
    return ".".join(str(part) for part in edit.path) or "the file"


def _text(edit: Edit, escape: str) -> str:
    if not isinstance(edit.value, str) or not edit.value.strip() or "\0" in edit.value:
        raise CannotEdit(f"{edit.op} at {_path(edit)} needs the text of an instruction")
    if edit.value.rstrip(" \t").endswith(escape):
        raise CannotEdit(f"{edit.op} at {_path(edit)} would swallow the next line")
    return (
        edit.value.replace("\r\n", "\n") if edit.op == "append_text" else edit.value.replace("\r\n", "\n").rstrip("\n")
    )


def _inside(logical: Logical, found: dict[str, Any], edit: Edit) -> tuple[int, int, str]:
    path = edit.path
    if path[0] == "stages" and len(path) == 3 and path[2] == "image":
        value = edit.value
        if not isinstance(value, str) or not value or any(char.isspace() for char in value):
            raise CannotEdit(f"{_path(edit)} needs an image reference")
        return *image_span(logical), value
    if path[0] != "instructions" or len(path) != 4 or path[2] != "flags" or "onbuild" in found:
        raise CannotEdit(f"{_path(edit)} cannot be set; replace the instruction")
    name = str(path[3])
    word = f"--{name}" if edit.value is True else f"--{name}={edit.value}"
    if not isinstance(edit.value, str | bool) or edit.value is False or any(char.isspace() for char in word):
        raise CannotEdit(f"{_path(edit)} needs a word without blanks")
    span = flag_span(logical, name)
    if span:
        return *span, word
    if name in found["flags"]:
        raise CannotEdit(f"{_path(edit)} stands more than once")
    at = logical.origin_end(len(head(logical.joined)[0]))
    return at, at, f" {word}"


def _line_end(source: Source, logical: Logical) -> str:
    """The line end used in and after an instruction, or the file's."""
    text = source.text
    if "\n" in text[logical.start : logical.end + 2]:
        return "\r\n" if "\r\n" in text[logical.start : logical.end + 2] else "\n"
    return "\r\n" if "\r\n" in text else "\n"


def _spliced(source: Source, changes: dict[int, _Change]) -> str:
    text = source.text
    splices: list[tuple[int, int, str]] = []
    for index in sorted(changes):
        change, logical = changes[index], source.logical[index]
        ending = _line_end(source, logical)
        finish = logical.end
        for value in change.before:
            at = _above_comments(source, logical)
            splices.append((at, at, _lines(value, ending) + ending))
        for start, end, value, _ in sorted(change.inside, key=lambda item: item[:2]):
            splices.append((start, end, value))
        if change.whole and change.whole.op == "replace":
            splices.append((logical.start, finish, _lines(_text(change.whole, source.escape), ending)))
        elif change.whole:
            splices.append((text.rfind("\n", 0, logical.start) + 1, _next_line(text, finish), ""))
        if change.appended:
            at = logical.start + len(text[logical.start : finish].rstrip())
            splices.append((at, at, _lines("".join(change.appended), ending)))
        for value in change.after:
            at = _next_line(text, finish)
            opening = "" if at and text[at - 1] == "\n" else ending
            splices.append((at, at, opening + _lines(value, ending) + ("" if opening else ending)))
    out, at = [], 0
    for start, end, value in sorted(splices, key=lambda item: (item[0], item[1])):
        if start < at:
            raise PlanRefused("two edits touch the same text")
        out += [text[at:start], value]
        at = end
    return "".join([*out, text[at:]])


def _lines(value: str, ending: str) -> str:
    return value.replace("\n", ending)


def _next_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1


def _above_comments(source: Source, logical: Logical) -> int:
    """Comments right above an instruction belong to it; parser directives stay first."""
    text, line = source.text, logical.line
    at = text.rfind("\n", 0, logical.start) + 1
    while line - 1 > len(source.directives):
        previous = text.rfind("\n", 0, max(at - 1, 0)) + 1
        if previous == at or not text[previous:at].lstrip("\ufeff \t").startswith("#"):
            break
        at, line = previous, line - 1
    return at or int(text.startswith("\ufeff"))


def _verify(source: Source, changes: dict[int, _Change], result: bytes) -> None:
    """What is read again must be the instructions that were asked for, and every comment outside them."""
    try:
        after = read(result)
        build(after)
    except (ParseError, LimitExceeded) as error:
        raise CannotEdit(f"the result would not be a Dockerfile: {error.message}") from error
    expected: list[str] = []
    dropped: set[int] = set()
    for index, logical in enumerate(source.logical):
        change = changes.get(index, _Change())
        for value in change.before:
            expected += _sources(source, value)
        if change.whole is None:
            own, at = "", logical.start
            for start, end, value, _ in sorted(change.inside, key=lambda item: item[:2]):
                own += source.text[at:start] + value
                at = end
            own += source.text[at : logical.end]
            appended = "".join(change.appended)
            expected.append((own.replace("\r\n", "\n").rstrip() + appended).rstrip() if appended else own)
        else:
            dropped.update(range(logical.line, logical.end_line + 1))
            if change.whole.op == "replace":
                expected += _sources(source, _text(change.whole, source.escape))
        for value in change.after:
            expected += _sources(source, value)
    found = [_own(after, logical).replace("\r\n", "\n").rstrip() for logical in after.logical]
    if found != [text.replace("\r\n", "\n").rstrip() for text in expected] or after.escape != source.escape:
        raise CannotEdit("the edit would change more than it names")
    kept = [comment.text for comment in source.comments if comment.line not in dropped]
    present = [comment.text for comment in after.comments]
    if any(kept.count(text) > present.count(text) for text in set(kept)):
        raise CannotEdit("the edit would lose a comment")


def _own(source: Source, logical: Logical) -> str:
    return source.text[logical.start : logical.end]


def _sources(source: Source, value: str) -> list[str]:
    """The instructions that a piece of new text holds."""
    prefix = "# escape=`\n" if source.escape == "`" else ""
    try:
        inner = read((prefix + value).encode())
    except (ParseError, LimitExceeded) as error:
        raise CannotEdit(f"the new text is not a Dockerfile's: {error.message}") from error
    if not inner.logical:
        raise CannotEdit("the new text holds no instruction")
    return [_own(inner, logical) for logical in inner.logical]
