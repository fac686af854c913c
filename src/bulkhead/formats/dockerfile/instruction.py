"""One logical line into one instruction, JSON-shaped."""

from __future__ import annotations

import re
from typing import Any

from bulkhead.core.errors import ParseError
from bulkhead.formats.dockerfile import commands, ports, words
from bulkhead.formats.dockerfile.lines import Heredoc, Logical, Source

KEYWORDS = frozenset(
    [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ],
)
_EXEC = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL", "VOLUME", "ADD", "COPY"})
_ONE_STRING = frozenset({"USER", "WORKDIR", "STOPSIGNAL", "MAINTAINER", "RUN", "CMD", "ENTRYPOINT", "SHELL"})
_MAY_BE_EMPTY = frozenset({"CMD", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"})
_ONLY_HEREDOC = re.compile(r"\d*<<-?[^<\s]+\s*$")
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh"})
_POWERSHELLS = ("pwsh", "powershell", "cmd")


def read(source: Source, logical: Logical, index: int) -> dict[str, Any]:
    """The instruction of one logical line; what depends on its surroundings is added by ``model``."""
    found: dict[str, Any] = {
        "index": index,
        "line": logical.line,
        "end_line": logical.end_line,
        "source": source.text[logical.start : logical.end].replace("\r\n", "\n"),
    }
    keyword, at = words.head(logical.joined)
    found |= _body(keyword, at, logical, source.escape)
    _, begin = words.flags(logical.joined, at)
    if begin < len(logical.joined):
        # The arguments as they stand in the file, for repairs that keep or move them.
        found["body"] = source.text[logical.origin(begin) : logical.end].replace("\r\n", "\n")
    return found


def _body(keyword: str, at: int, logical: Logical, escape: str) -> dict[str, Any]:
    name = keyword.upper()
    if name not in KEYWORDS:
        raise ParseError(f"unknown instruction {keyword[:40]!r}", line=logical.line)
    flags, begin = words.flags(logical.joined, at)
    text = logical.joined[begin:].strip()
    found: dict[str, Any] = {
        "cmd": name,
        "step": name,
        "value": text,
        "json": False,
        "args": [],
        "flags": {flag.name: flag.value for flag in flags},
    }
    if name == "ONBUILD":
        if not text:
            raise ParseError("ONBUILD needs an instruction", line=logical.line)
        inner, inner_at = words.head(logical.joined[begin:].rstrip())
        if inner.upper() == "ONBUILD":
            # Builders refuse a chain of them too.
            raise ParseError("ONBUILD ONBUILD is not allowed", line=logical.line)
        found["onbuild"] = nested = _body(inner, begin + inner_at, logical, escape)
        found["step"] = nested["step"]
        found |= {key: nested[key] for key in _LIFTED if key in nested}
        return found
    if not text and name not in _MAY_BE_EMPTY:
        raise ParseError(f"{name} needs an argument", line=logical.line)
    _arguments(found, text, logical, escape)
    if flags and name == "RUN":
        found["mounts"] = [_mount(flag.value) for flag in flags if flag.name == "mount"]
        found["flag_words"] = sorted({f"{flag.name}={flag.value}" for flag in flags})
    if logical.heredocs:
        found["heredocs"] = [_heredoc(heredoc) for heredoc in logical.heredocs]
    return found


_LIFTED = ("mounts", "flag_words", "pairs", "heredocs")


def _arguments(found: dict[str, Any], text: str, logical: Logical, escape: str) -> None:
    name = found["cmd"]
    elements = words.exec_form(text) if name in _EXEC else None
    if elements is not None:
        found["json"], found["args"] = True, elements
    elif name in _ONE_STRING:
        found["args"] = [text] if text else []
    elif name in ("ENV", "LABEL", "ARG"):
        pairs = words.pairs(text, escape, named_only=name == "ARG")
        if not pairs or any(not pair["key"] for pair in pairs):
            raise ParseError(f"{name} needs names with values", line=logical.line)
        found["pairs"] = pairs
    elif name == "HEALTHCHECK":
        _healthcheck(found, text, logical.line)
    else:
        found["args"] = words.split(text)
    if name == "FROM" and len(found["args"]) not in (1, 3):
        raise ParseError("FROM takes an image, and AS with a name", line=logical.line)
    if name == "FROM" and len(found["args"]) == 3 and found["args"][1].upper() != "AS":
        raise ParseError("FROM takes an image, and AS with a name", line=logical.line)
    if name in ("ADD", "COPY") and len(found["args"]) < 2:
        raise ParseError(f"{name} needs a source and a destination", line=logical.line)
    if name == "EXPOSE":
        found["ports"] = [ports.port(word) for word in found["args"]]


def _healthcheck(found: dict[str, Any], text: str, line: int) -> None:
    kind, at = words.head(text)
    if kind.upper() not in ("CMD", "NONE"):
        raise ParseError("HEALTHCHECK takes CMD or NONE", line=line)
    rest = text[at:].strip()
    elements = words.exec_form(rest)
    found["json"] = elements is not None
    found["args"] = [kind.upper(), *(elements if elements is not None else [rest] if rest else [])]


def _mount(value: str) -> dict[str, str]:
    fields: dict[str, str] = {"type": "bind"}
    for part in value.split(","):
        key, separator, content = part.partition("=")
        key = {"dst": "target", "destination": "target", "src": "source", "ro": "readonly"}.get(key, key)
        fields[key] = content if separator else "true"
    return fields


def _heredoc(heredoc: Heredoc) -> dict[str, Any]:
    return {"name": heredoc.name, "content": heredoc.content, "expand": heredoc.expand, "line": heredoc.line}


def add_commands(found: dict[str, Any], logical: Logical, source: Source, shell: list[str]) -> None:
    """Read the shell commands of a RUN, CMD, ENTRYPOINT or HEALTHCHECK under the shell in effect."""
    body = found.get("onbuild", found)
    while "onbuild" in body:
        body = body["onbuild"]
    name = body["cmd"]
    if name not in ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"):
        return
    program = shell[0].replace("\\", "/").rsplit("/", 1)[-1].lower() if shell else ""
    args = body["args"][1:] if name == "HEALTHCHECK" else body["args"]
    if body["json"]:
        listing = commands.of_arguments(args)
    elif program.startswith(_POWERSHELLS):
        listing = commands.none()
    elif name == "RUN" and logical.heredocs and _ONLY_HEREDOC.match(body["value"]):
        listing = commands.of_text("".join(heredoc.content for heredoc in logical.heredocs[:1]))
    else:
        text = args[0] if args else ""
        listing = commands.of_text(text)
        offset = logical.joined.rfind(text) if text else -1
        if offset >= 0:
            commands.place(listing, logical, offset, source.text)
    if name == "RUN":
        _feed_heredocs(listing, logical)
    elif not body["json"] and program not in _POWERSHELLS and args:
        form = commands.exec_form(args[0])
        if form:
            found["exec_form"] = form
    for target in {id(body): body, id(found): found}.values():
        target["commands"], target["effective"] = listing.commands, listing.effective
        target["pipes"], target["shell_errors"] = listing.pipes, listing.errors
        if listing.placed:
            target["pieces"], target["head"], target["tail"] = listing.pieces, listing.head, listing.tail


def _feed_heredocs(listing: commands.Listing, logical: Logical) -> None:
    """A heredoc given to a shell is a script."""
    if not logical.heredocs or not listing.placed:
        return
    for command in listing.commands:
        if command["name"] in _SHELLS and command["stdin"] == "heredoc":
            inner = commands.of_text("".join(heredoc.content for heredoc in logical.heredocs))
            for entry in inner.effective:
                entry["via"] = entry["via"] or command["name"]
            listing.effective.extend(inner.effective)
            return
