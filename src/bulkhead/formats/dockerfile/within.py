"""Edits inside the shell commands of one instruction: an option, a program's name, a whole command, one more command.

Each is a stretch of source text and what takes its place, so that several repairs of one RUN fit together.
"""

from __future__ import annotations

from typing import Any

import msgspec

from bulkhead.core.errors import CannotEdit
from bulkhead.core.plan import Edit
from bulkhead.formats.dockerfile import commands, shell
from bulkhead.formats.dockerfile.lines import Logical, Source

Stretch = tuple[int, int, str]

_ACTIONS = frozenset({"install", "add", "in", "i", "groupinstall", "localinstall", "upgrade", "reinstall"})


class _Script(msgspec.Struct, frozen=True):
    """The commands of an instruction with the offset of their text in the joined line."""

    logical: Logical
    offset: int
    text: str
    commands: list[shell.Command]

    def start(self, at: int) -> int:
        return self.logical.origin(self.offset + at)

    def end(self, at: int) -> int:
        return self.logical.origin_end(self.offset + at)


def stretch(logical: Logical, found: dict[str, Any], edit: Edit) -> Stretch:
    """What an edit below ``commands`` replaces by what.

    Raises:
        CannotEdit: the command, the option or its place cannot be found in the text.
    """
    path = edit.path
    script = _script(logical, found)
    if len(path) < 4 or not isinstance(path[3], int) or not 0 <= path[3] < len(script.commands):
        raise CannotEdit("there is no such command")
    words = commands.run_words(script.commands[path[3]])
    if len(path) == 4 and edit.op == "remove":
        return _without(script, path[3])
    if path[4:] == ("name",) and edit.op == "set" and isinstance(edit.value, str):
        return script.start(words[0].start), script.end(words[0].end), _word(edit.value)
    if path[4:] == ("name",) and edit.op == "remove" and len(words) > 1:
        return script.start(words[0].start), script.start(words[1].start), ""
    if len(path) == 6 and path[4] == "options" and edit.op == "set":
        anchor = next((word for word in words[1:] if word.text in _ACTIONS), words[0])
        text = str(path[5]) if edit.value is True else f"{path[5]} {edit.value}"
        at = script.end(anchor.end)
        return at, at, f" {_word(text, blanks=1)}"
    if len(path) == 6 and path[4] == "options" and edit.op == "remove":
        return _without_word(script, words, str(path[5]))
    raise CannotEdit("only options, names and whole commands can be changed inside an instruction")


def _script(logical: Logical, found: dict[str, Any]) -> _Script:
    body = found
    while "onbuild" in body:
        body = body["onbuild"]
    text = body["args"][-1] if body["args"] else ""
    if "pieces" not in found or not text:
        raise CannotEdit("the commands of this instruction do not stand in its text as they are run")
    read = [command for command in shell.parse(text).commands if not command.condition]
    offset = logical.joined.rfind(text)
    if offset < 0 or len(read) != len(found["commands"]):
        raise CannotEdit("the commands of this instruction cannot be told apart")
    return _Script(logical, offset, text, read)


def _word(text: str, blanks: int = 0) -> str:
    if not text or sum(char.isspace() for char in text) > blanks or set(text) & set("\n;&|<>()`\"'\\#"):
        raise CannotEdit("the new word would need quotes")
    return text


def _without_word(script: _Script, words: list[shell.Word], text: str) -> Stretch:
    for index, word in enumerate(words):
        if index and script.text[word.start : word.end] == text:
            if index + 1 < len(words):
                return script.start(word.start), script.start(words[index + 1].start), ""
            return script.end(words[index - 1].end), script.end(word.end), ""
    for word in words[1:]:
        raw = script.text[word.start : word.end]
        if len(text) == 2 and len(raw) > 2 and raw[0] == "-" and raw[1] != "-" and raw[1:].isalpha() and text[1] in raw:
            return script.start(word.start), script.end(word.end), raw.replace(text[1], "", 1)
    raise CannotEdit(f"{text} does not stand there as a word of its own")


def _without(script: _Script, number: int) -> Stretch:
    """A command goes with the operator that joins it to the next, or the last one with the operator before it."""
    own = script.commands[number]
    following = next((c for c in script.commands[number + 1 :] if c.level == own.level), None)
    before = [command for command in script.commands[:number] if command.level == own.level]
    if own.level or own.subshell:
        raise CannotEdit("a command inside a substitution or a subshell is not removed")
    if following is not None and own.operator in ("&&", ";"):
        between = script.text[own.end : following.start].strip()
        if between == own.operator:
            return script.start(own.start), script.start(following.start), ""
    elif following is None and before and before[-1].operator in ("&&", ";"):
        between = script.text[before[-1].end : own.start].strip()
        if between == before[-1].operator and not script.text[own.end :].strip():
            return script.end(before[-1].end), script.end(own.end), ""
    raise CannotEdit("the command is part of a larger construction")


def addition(source: Source, logical: Logical, found: dict[str, Any], edit: Edit) -> str:
    """The text that appends one more command to an instruction, in the instruction's own style."""
    value = edit.value
    if not isinstance(value, str) or not value.strip():
        raise CannotEdit("append at commands needs a command")
    script = _script(logical, found)
    if logical.heredocs:
        raise CannotEdit("the instruction ends with a heredoc")
    own = source.text[logical.start : logical.end]
    joint = "&& "
    ending = script.text.rstrip()[-1:]
    if ending == ";":
        joint = ""
    elif ending in ("&", "|"):
        raise CannotEdit("the instruction ends with an operator")
    wanted = len(script.commands) + len(_plain(value))
    if len(_plain(f"{script.text} {joint}{value}")) != wanted:
        raise CannotEdit("a command at the end would not be run")
    if "\n" not in own.rstrip():
        return f" {joint}{value}"
    last = own.rstrip().rsplit("\n", 1)[-1]
    indent = last[: len(last) - len(last.lstrip())] or "    "
    return f" {source.escape}\n{indent}{joint}{value}"


def _plain(text: str) -> list[shell.Command]:
    text = text.replace("\\\n", " ").replace("`\n", " ")
    return [command for command in shell.parse(text).commands if not command.condition]
